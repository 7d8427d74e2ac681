package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
)

// What is said about a field or a key that is not there names the lookup that the map or the text came from, where that is known.

// whence gives the lookup that a value comes from as it is, what function made it, and the names that were followed from there on.
// It gives nil where there are several, or none.
func (r *run) whence(f flow) (lookup *found, function string, names []string) {
	s := newSearch()
	s.follow(f, nil, false)
	for at := range s.seen {
		if at.of.site == 0 {
			continue
		}
		if lookup != nil || r.last[at.of.site] == nil {
			return nil, "", nil
		}
		lookup = r.last[at.of.site]
		function = r.t.sites[at.of.site].call.Args[0].(*parse.IdentifierNode).Ident
		names = at.names()
	}
	return lookup, function, names
}

// noField says that a value has no such field. Somebody who comes from consul-template writes .Data where there is none.
func (r *run) noField(path []parse.Node, words string) (string, []string) {
	name := "this field"
	var node parse.Node
	for _, n := range slices.Backward(path) {
		if fieldsOf(n) != nil {
			node = n
			break
		}
	}
	fields := fieldsOf(node)
	for _, f := range fields {
		if strings.Contains(words, `"`+f+`"`) || strings.Contains(words, " "+f+" ") || strings.HasSuffix(words, "."+f) {
			name = f
			break
		}
	}
	lookup, function, names := r.whence(r.t.values[node])
	noEntry := strings.HasPrefix(words, "map has no entry")
	switch {
	case lookup == nil || !endsWith(names, fields):
		if at := slices.Index(fields, name); noEntry && lookup == nil && at >= 0 {
			return noSuchName(name, r.t.Vars, upTo(node, at), fields[at+1:])
		}
	case function == "secretMap":
		if what := lookup.without(names); what != "" {
			return what, nil
		}
	case noEntry:
		return fmt.Sprintf("%s has no %s", lookup, name), nil
	case strings.Contains(words, "string"):
		return lookup.noFields(function, name, names)
	}
	return "this value has no field " + name, nil
}

func endsWith(names, tail []string) bool {
	return len(names) >= len(tail) && slices.Equal(names[len(names)-len(tail):], tail)
}

// without says which of the names, followed from what secretMap gave, is not there.
func (f *found) without(names []string) string {
	raw, err := f.rawAt(f.keys)
	at := f.String() + f.path(f.keys)
	for _, name := range names {
		switch {
		case err != nil:
			return ""
		case name == "*":
			return at + ": an element has no " + strconv.Quote(names[len(names)-1])
		}
		var next json.RawMessage
		if next, err = step(raw, name, strconv.Quote(name)); err != nil {
			return at + " " + err.Error()
		}
		raw = next
		at += " " + strconv.Quote(name)
	}
	return ""
}

// noFields says how a field of what is text is asked for.
func (f *found) noFields(function, name string, names []string) (string, []string) {
	what := function + " gives text, which has no field " + name
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.EqualFold(n, "data") })
	if function != "secret" || len(names) == 0 || f.private() {
		return what, nil
	}
	call := strconv.Quote(f.ref.Text()) + f.path(f.keys)
	for _, n := range names {
		call += " " + strconv.Quote(n)
	}
	return fmt.Sprintf("%s; here it is {{ secret %s }}", what, call), nil
}

// aboutKeys says what an error about keys means, and what the map comes from.
func (r *run) aboutKeys(path []parse.Node, err *funcs.KeyError) string {
	what := err.Show(r.shownKeys(path))
	c := lastCommand(path)
	if s := r.t.calls[c]; s.call != nil && len(s.args) > 0 {
		if lookup, function, names := r.whence(s.args[0]); lookup != nil && function != "secret" {
			at := lookup.String() + lookup.path(lookup.keys)
			for _, n := range names {
				if n == "*" {
					break // one of several
				}
				at += " " + strconv.Quote(n)
			}
			what = at + ": " + what
		}
	}
	return what
}

// aboutNothing says which null of a secret's JSON it is that a function was given, or was to be
// printed, where that is known.
func (r *run) aboutNothing(path []parse.Node, err funcs.Nothing) (string, []string) {
	for _, f := range r.flowsAt(path) {
		lookup, function, names := r.whence(f)
		if lookup == nil || function != "secretMap" {
			continue
		}
		if keys := lookup.nullAt(names); keys != nil {
			at := lookup.String() + lookup.path(lookup.keys)
			for _, k := range keys[len(lookup.keys):] {
				at += " " + strconv.Quote(fmt.Sprint(k))
			}
			return at + " is null: " + err.Error(), lookup.fallback(keys)
		}
	}
	return err.Error(), nil
}

// nullAt gives the keys of the null that names lead to from what a secretMap gave; the last may be
// any, "*". It gives nil where there is none.
func (f *found) nullAt(names []string) []any {
	keys := slices.Clone(f.keys)
	for _, n := range names {
		keys = append(keys, n)
	}
	if len(names) == 0 || names[len(names)-1] != "*" {
		if raw, err := f.rawAt(keys); err != nil || raw[0] != 'n' {
			return nil
		}
		return keys
	}
	raw, err := f.rawAt(keys[:len(keys)-1])
	if err != nil {
		return nil
	}
	tree, err := funcs.DecodeJSON(raw)
	if err != nil {
		return nil
	}
	switch t := tree.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(t)) {
			if t[k] == nil {
				return append(keys[:len(keys)-1], k)
			}
		}
	case []any:
		if i := slices.Index(t, nil); i >= 0 {
			return append(keys[:len(keys)-1], i)
		}
	}
	return nil
}

// flowsAt gives what the value that ends a path of nodes may be made of: what stands there, and
// what the call is given.
func (r *run) flowsAt(path []parse.Node) []flow {
	var flows []flow
	c := lastCommand(path)
	if c != nil {
		path = append(path, c.Args[0]) // of names in front the path may end with the command
	}
	for _, n := range slices.Backward(path) {
		if f, ok := r.t.values[n]; ok {
			flows = append(flows, f)
			break
		}
	}
	s := r.t.calls[c]
	if s.call == nil {
		return flows
	}
	switch c.Args[0].(*parse.IdentifierNode).Ident {
	case "get", "index":
		flows = append(flows, part(c, s.args))
	}
	return append(flows, s.args...)
}

func lastCommand(path []parse.Node) *parse.CommandNode {
	for _, n := range slices.Backward(path) {
		if c, ok := n.(*parse.CommandNode); ok {
			return c
		}
	}
	return nil
}

// fieldsOf gives the names that a node follows.
func fieldsOf(n parse.Node) []string {
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident
	case *parse.VariableNode:
		return n.Ident[1:]
	case *parse.ChainNode:
		return n.Field
	}
	return nil
}

// start gives the byte at which a node begins. A path of names has the position of its second name (parse.Tree.operand).
func start(n parse.Node) int {
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			return int(n.Pos) - len(".") - len(n.Ident[0])
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			return int(n.Pos) - len(n.Ident[0])
		}
	}
	return int(n.Position())
}

// rangeHint says which function gives a list where one that gives text was ranged over.
func (r *run) rangeHint(path []parse.Node) []string {
	for _, n := range slices.Backward(path) {
		over, ok := n.(*parse.RangeNode)
		if !ok {
			continue
		}
		lookup, function, names := r.whence(r.t.values[over.Pipe])
		if lookup == nil || len(names) > 0 || lookup.private() {
			return nil
		}
		switch name := strconv.Quote(lookup.ref.Text()); function {
		case "secret", "secretOr":
			return []string{fmt.Sprintf("secret gives text; {{ range $key, $value := secretMap %s%s }} goes over its JSON", name, lookup.path(lookup.keys))}
		case "param", "paramOr":
			return []string{fmt.Sprintf("param gives text; {{ range paramList %s }} goes over a StringList", name)}
		}
		return nil
	}
	return nil
}
