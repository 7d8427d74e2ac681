package config

import (
	"fmt"
	"maps"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/render/fault"
)

// Fields say what to do with the value of each key.
type fields map[string]func(value *yaml.Node, where string)

// later are keys of the design that this version does not know yet.
var later = map[string]bool{
	"triggers": true, "listen": true, "socket": true, "accounts": true, "batch_secrets": true,
	"verify": true, "check": true, "write": true, "max_size": true, "allow_empty": true,
}

// meant are words that people use for ours.
var meant = map[string]string{
	"destination": "path", "dest": "path", "target": "path", "source": "template", "src": "template",
	"command": "run", "cmd": "run", "exec": "run", "perms": "mode", "permissions": "mode", "user": "owner",
	"interval": "schedule", "cron": "schedule", "type": "format", "delimiters": "delims", "text": "content",
}

// mapping hands the values of a mapping to its fields. Keys that are unknown or stand twice are faults. It reports whether there
// were none: what seems to be missing may stand there under another name.
func (r *reader) mapping(n *yaml.Node, where string, known fields) bool {
	if n.Kind != yaml.MappingNode {
		r.fault(n, where, "here must be a mapping of names to values, not "+kindOf(n))
		return false
	}
	good := true
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		read, ok := known[name]
		good = good && ok && !seen[name]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.fault(key, where, "a key must be a plain word")
		case seen[name]:
			r.fault(key, where, fmt.Sprintf("key %q stands here a second time", name))
		case ok:
			read(value, join(where, name))
		case later[name]:
			r.fault(key, where, fmt.Sprintf("%q is not implemented in this version", name))
		default:
			r.unknown(key, where, known)
		}
		seen[name] = true
	}
	return good
}

func (r *reader) unknown(key *yaml.Node, where string, known fields) {
	what := fmt.Sprintf("unknown key %q", key.Value)
	near := meant[key.Value]
	if known[near] == nil {
		near = fault.Near(key.Value, slices.Sorted(maps.Keys(known)))
	}
	if near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	r.fault(key, where, what)
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

// list calls each with the elements of a list.
func (r *reader) list(n *yaml.Node, where string, each func(value *yaml.Node, where string)) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, where, "here must be a list, not "+kindOf(n))
		return
	}
	for i, value := range n.Content {
		each(value, fmt.Sprintf("%s[%d]", where, i))
	}
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
		return "the number " + n.Value
	}
	return "a text"
}
