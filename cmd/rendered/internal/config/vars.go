package config

import (
	"fmt"
	"maps"
	"strconv"

	"gopkg.in/yaml.v3"
)

var varName = newForm(`^[A-Za-z_][A-Za-z0-9_]*$`)

// varsOf reads vars. What is wrong with one is no reason to leave the others out.
func (r *reader) varsOf(n *yaml.Node, where string) (map[string]any, bool) {
	vars := make(map[string]any)
	r.pairs(n, where, "names to values", func(key, value *yaml.Node) {
		if !varName.MatchString(key.Value) {
			r.fault(key, where, fmt.Sprintf("%q cannot be written as .name in a template; use letters, digits and _", short(key.Value)))
		}
		vars[key.Value] = r.varOf(value, join(where, key.Value))
	})
	return vars, true
}

// varOf reads a value for templates. Whole numbers that fit 64 bits are numbers; every other number
// stays the text that was written, so that 1.10 is not 1.1.
func (r *reader) varOf(n *yaml.Node, where string) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any)
		if hints := r.quoteHint(n); hints != nil {
			r.fault(n, where, "a var is no template", "a template may use it as {{ .name }}; vars are written out")
			return m
		}
		r.pairs(n, where, "names to values", func(key, value *yaml.Node) {
			m[key.Value] = r.varOf(value, join(where, key.Value))
		})
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, e := range n.Content {
			l[i] = r.varOf(e, fmt.Sprintf("%s[%d]", where, i))
		}
		return l
	case yaml.AliasNode:
		r.fault(n, where, "here stands an alias, which this file does not support", aliasHint)
		return ""
	}
	switch n.Tag {
	case "!!null":
		r.fault(n, where, "a var must have a value; quote it where the empty text is meant")
	case "!!bool":
		if b, err := strconv.ParseBool(n.Value); err == nil {
			return b
		}
	case "!!int":
		if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil && strconv.FormatInt(v, 10) == n.Value {
			return v
		}
	}
	return n.Value
}

// merged gives the vars of a service: what is set from outside wins over its own, and those over
// the config's.
func merged(global, own map[string]any, outside map[string]string) map[string]any {
	vars := make(map[string]any)
	maps.Copy(vars, global)
	maps.Copy(vars, own)
	for name, text := range outside {
		vars[name] = text
	}
	return vars
}
