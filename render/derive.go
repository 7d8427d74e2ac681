package render

import (
	"maps"
	"reflect"
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
)

// What a function reads out of a value, or writes in other letters, is a value as well: it is not
// quoted for any place. Where a template calls such a function, what that makes of the looked-up
// texts is looked for, too.

// deriving are these functions.
var deriving = []string{"b64dec", "b64urldec", "b32dec", "fromYaml", "fromYamlArray", "fromToml", "urlParse", "upper", "lower", "title", "untitle", "swapcase", "nospace"}

const (
	// maxDerived is how many texts are derived at most.
	maxDerived = 1 << 14
	// derivedFrom is how often a text is derived from one that was derived.
	derivedFrom = 2
)

// derivations gives the functions of these that a template calls.
func (t *Template) derivations() (list []reflect.Value) {
	called := make(map[string]bool)
	for _, n := range t.nodes() {
		if c, ok := n.(*parse.CommandNode); ok && slices.Contains(deriving, calledBy(c)) {
			called[calledBy(c)] = true
		}
	}
	if len(called) == 0 {
		return nil
	}
	all := funcs.Map()
	for _, name := range slices.Sorted(maps.Keys(called)) {
		list = append(list, reflect.ValueOf(all[name]))
	}
	return list
}

// derived gives what functions make of texts.
func derived(from []lookupText, functions []reflect.Value) (all []lookupText) {
	size := 0
	for range derivedFrom {
		var made []lookupText
		for _, g := range from {
			for _, f := range functions {
				for _, text := range applied(f, g.text) {
					if size += len(text); len(all)+len(made) == maxDerived || size > maxSearch {
						return append(all, made...)
					}
					if text != g.text {
						made = append(made, lookupText{g.lookup, text})
					}
				}
			}
		}
		all, from = append(all, made...), made
	}
	return all
}

// applied gives the texts and keys of what a function makes of a text, none where it fails.
func applied(f reflect.Value, text string) []string {
	if f.Type().NumIn() != 1 || !reflect.TypeFor[string]().AssignableTo(f.Type().In(0)) {
		return nil
	}
	out := f.Call([]reflect.Value{reflect.ValueOf(text)})
	if len(out) == 2 && !out[1].IsNil() {
		return nil
	}
	return textsIn(out[0].Interface(), nil)
}

// textsIn adds the texts and keys of a value to others.
func textsIn(value any, to []string) []string {
	switch v := value.(type) {
	case string:
		return append(to, v)
	case []any:
		for _, e := range v {
			to = textsIn(e, to)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			to = textsIn(v[key], append(to, key))
		}
	}
	return to
}
