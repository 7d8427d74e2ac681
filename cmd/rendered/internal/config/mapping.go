package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
)

// A field reads a value. Where says what that is: services.nginx.files[0].
type field = func(value *yaml.Node, where string)

// Fields say of each key of a section what becomes of its value: a pointer to where its kind puts
// it, an after, or a field that reads it.
type fields map[string]any

// An after has a value put where to points, by its kind, and then does something, where it could be
// read.
type after struct {
	to any
	do field
}

// key gives the key of a name; nil where there is none.
func (s *Section) key(name string) *Key {
	for i := range s.Keys {
		if s.Keys[i].Name == name {
			return &s.Keys[i]
		}
	}
	return nil
}

// valueOf gives what stands in a mapping at a key; nil where there is no such thing.
func valueOf(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func hasKey(n *yaml.Node, name string) bool { return valueOf(n, name) != nil }

// mapping hands the values of a mapping to the fields of its keys. Keys that are unknown or stand
// twice are faults. It reports whether there were none: what seems to be missing may stand there
// under another name.
func (r *reader) mapping(n *yaml.Node, where string, of *Section, known fields) bool {
	good := true
	ok := r.pairs(n, where, "names to values", func(key, value *yaml.Node) {
		k := of.key(key.Value)
		if k == nil {
			good = false
			r.unknown(key, value, where, of)
			return
		}
		at := join(where, k.Name)
		switch to := known[k.Name].(type) {
		case field:
			to(value, at)
		case after:
			if k.kind.read(r, value, at, to.to) {
				to.do(value, at)
			}
		default:
			k.kind.read(r, value, at, to)
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

func (r *reader) unknown(key, value *yaml.Node, where string, of *Section) {
	what := fmt.Sprintf("unknown key %q", short(key.Value))
	names, elsewhere := of.names(), placesOf(key.Value)
	near := meant(key.Value)
	if !slices.Contains(names, near) && elsewhere == "" {
		near = fault.Near(strings.ToLower(key.Value), names)
	}
	var hints []string
	switch {
	case slices.Contains(names, near):
		what += fmt.Sprintf("; did you mean %q?", near)
	case elsewhere != "":
		what += "; it is a key " + elsewhere
	case of == &ofTop && hasKey(value, "files"):
		what += "; a service stands under services:"
	default:
		hints = []string{"here may stand " + strings.Join(names, ", ")}
	}
	r.fault(key, where, what, hints...)
}

// names gives the names of a section's keys, sorted.
func (s *Section) names() (list []string) {
	for _, k := range s.Keys {
		list = append(list, k.Name)
	}
	slices.Sort(list)
	return list
}

// meant gives the key that people use a word for; "" where there is none.
func meant(word string) string {
	for _, s := range Sections() {
		for _, k := range s.Keys {
			if slices.Contains(k.also, word) {
				return k.Name
			}
		}
	}
	return ""
}

// placesOf says where a key stands; "" where there is none.
func placesOf(name string) string {
	var places []string
	for _, s := range Sections() {
		if s.key(name) != nil {
			places = append(places, s.at)
		}
	}
	return strings.Join(places, ", or ")
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
