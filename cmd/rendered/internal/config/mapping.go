package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
)

// A field reads a value. Where says what that is: services.nginx.files[0].
type field = func(value *yaml.Node, where string)

// Fields read the value of each key.
type fields map[string]field

// planned are keys that a later version is to know.
var planned = map[string]bool{
	"socket": true,
}

// meant are words that people use for ours.
var meant = map[string]string{
	"destination": "path", "dest": "path", "target": "path", "source": "template", "src": "template",
	"command": "run", "cmd": "run", "exec": "run", "perms": "mode", "permissions": "mode", "user": "owner",
	"interval": "schedule", "cron": "schedule", "type": "format", "delimiters": "delims", "text": "content",
	"group": "owner", "inline": "content", "dirmode": "dir_mode", "jitter": "splay", "debounce": "settle", "pidfile": "pid_file",
	"maxsize": "max_size", "size": "max_size", "variables": "vars", "statedir": "state_dir", "role": "role_arn", "endpoint": "endpoint_url", "queue": "sqs", "queue_url": "sqs", "certificate": "cert", "crt": "cert", "private_key": "key", "hosts": "host", "hostname": "host", "server_name": "host", "ssl": "tls", "trigger": "triggers", "ignore": "allow", "silence": "allow", "nolint": "allow", "templates": "files",
	"prometheus": "metrics", "address": "listen", "bind": "listen", "text_file": "textfile",
}

// Where the keys stand that are often written elsewhere.
const (
	ofTop, ofAWS, ofService, ofFile, ofNotice, ofTLS, ofMetrics = "at the top", "under aws:", "of a service", "of a file, under files:", "of a notice, under notify:", "under verify: tls:", "under metrics:"
)

var belongs = map[string]string{
	"settle": ofTop, "splay": ofTop, "state_dir": ofTop, "values": ofTop, "log": ofTop, "aws": ofTop, "services": ofTop, "triggers": ofTop, "metrics": ofTop,
	"sqs":    "under triggers:",
	"listen": ofMetrics, "textfile": ofMetrics, "refs": ofMetrics,
	"region": ofAWS, "profile": ofAWS, "role_arn": ofAWS, "endpoint_url": ofAWS, "max_concurrency": ofAWS, "batch_secrets": ofAWS, "accounts": ofAWS,
	"schedule": ofService, "vars": ofService, "min_interval": ofService, "allow": ofService, "files": ofService, "notify": ofService,
	"verify": ofService, "tls": "under verify:", "cert": ofTLS, "key": ofTLS, "host": ofTLS, "valid_for": ofTLS,
	"template": ofFile, "content": ofFile, "path": ofFile, "owner": ofFile, "mode": ofFile, "dir_mode": ofFile, "format": ofFile, "delims": ofFile, "max_size": ofFile, "write": ofFile, "allow_empty": ofFile, "structure": ofFile,
	"run": ofNotice, "output": "of a check, or of a notice with run:", "signal": ofNotice, "reload": ofNotice, "restart": ofNotice, "start": ofNotice, "unit": ofNotice, "pid_file": ofNotice,
}

// mapping hands the values of a mapping to its fields. Keys that are unknown or stand twice are
// faults. It reports whether there were none: what seems to be missing may stand there under
// another name.
func (r *reader) mapping(n *yaml.Node, where string, known fields) bool {
	good := true
	ok := r.pairs(n, where, "names to values", func(key, value *yaml.Node) {
		name := key.Value
		read, ok := known[name]
		good = good && ok
		switch {
		case ok:
			read(value, join(where, name))
		case planned[name]:
			r.fault(key, where, fmt.Sprintf("%q is not implemented in this version", name))
		default:
			r.unknown(key, value, where, known)
		}
	})
	return ok && good
}

// pairs hands on the keys and values of a mapping. Keys that are no words or stand twice are
// faults; it reports that there are none.
func (r *reader) pairs(n *yaml.Node, where, of string, each func(key, value *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		hints := r.quoteHint(n)
		if n.Kind == yaml.AliasNode {
			hints = []string{aliasHint}
		}
		r.fault(n, where, "here must be a mapping of "+of+", not "+kindOf(n), hints...)
		return false
	}
	good := true
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		line, twice := seen[key.Value]
		switch {
		case key.Kind == yaml.AliasNode || key.Tag == "!!merge":
			r.fault(key, where, "<< and aliases are not supported", aliasHint)
		case key.Kind != yaml.ScalarNode:
			r.fault(key, where, "a key must be a plain word")
		case twice:
			r.fault(key, where, fmt.Sprintf("key %q stands here a second time; the first is in line %d", short(key.Value), line))
		default:
			seen[key.Value] = key.Line
			each(key, value)
			continue
		}
		good = false
	}
	return good
}

const aliasHint = "write it out; schedule: and vars: at the top hold for all services"

func (r *reader) unknown(key, value *yaml.Node, where string, known fields) {
	what := fmt.Sprintf("unknown key %q", short(key.Value))
	names := slices.Sorted(maps.Keys(known))
	near := meant[key.Value]
	if known[near] == nil && belongs[key.Value] == "" {
		near = fault.Near(strings.ToLower(key.Value), names)
	}
	var hints []string
	switch {
	case known[near] != nil:
		what += fmt.Sprintf("; did you mean %q?", near)
	case belongs[key.Value] != "":
		what += "; it is a key " + belongs[key.Value]
	case where == "" && known["services"] != nil && hasKey(value, "files"):
		what += "; a service stands under services:"
	default:
		hints = []string{"here may stand " + strings.Join(names, ", ")}
	}
	r.fault(key, where, what, hints...)
}

func join(where, name string) string {
	if where == "" {
		return short(name)
	}
	return where + "." + short(name)
}

// list calls each with the elements of a list.
func (r *reader) list(n *yaml.Node, where string, each field) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, where, "here must be a list, not "+kindOf(n), r.listHint(n)...)
		return
	}
	for i, value := range n.Content {
		each(value, fmt.Sprintf("%s[%d]", where, i))
	}
}

// oneOrMore calls each with what stands at a node, or with the elements of a list of at least one.
// Of says what one is.
func (r *reader) oneOrMore(n *yaml.Node, where, of, hint string, each field) {
	switch {
	case n.Kind != yaml.SequenceNode:
		each(n, where)
	case len(n.Content) == 0:
		r.fault(n, where, "here must be "+of+", or a list of at least one", hint)
	default:
		r.list(n, where, each)
	}
}

// listHint says how to make a list of what is one element of it.
func (r *reader) listHint(n *yaml.Node) []string {
	switch {
	case n.Kind == yaml.AliasNode:
		return []string{aliasHint}
	case n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Style&yaml.FlowStyle == 0:
		return []string{`begin each element with "- ": here - ` + short(n.Content[0].Value) + ": …"}
	}
	return []string{"a list stands between [ and ], or has a line that begins with - for each element"}
}

// kindOf says in a user's words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which this file does not support"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "the number " + short(n.Value)
	}
	return "a text"
}
