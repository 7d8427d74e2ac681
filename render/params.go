package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/render/funcs"
)

// What functions give of parameters that are more than one text.

func (f *lookupResult) params() (map[string]any, error) {
	m := make(map[string]any, len(f.value.Params))
	for name, text := range f.value.Params {
		m[name] = f.recordText(" "+name, text)
	}
	return m, nil
}

// paramsOr gives the parameters under a path, or the default where there is none.
func (r *run) paramsOr(number int, fallback, name any) (map[string]any, error) {
	texts, wrong := funcs.TextMap("paramsOr", fallback)
	if wrong != nil {
		return nil, wrong
	}
	found, err := lookUp(r, (*lookupResult).params, number, name, nil)
	if missing(err) {
		return texts, nil
	}
	return found, err
}

func (f *lookupResult) paramsTree() (map[string]any, error) {
	tree := make(map[string]any)
	// In name order a parameter comes before those below it, so only one of the two conflicts can
	// occur.
	for _, name := range slices.Sorted(maps.Keys(f.value.Params)) {
		parts := strings.Split(name, "/")
		at := tree
		for i, part := range parts[:len(parts)-1] {
			if at[part] == nil {
				at[part] = make(map[string]any)
			}
			below, ok := at[part].(map[string]any)
			if !ok {
				return nil, &lookupError{
					what:  fmt.Sprintf("%s: %q is both a parameter and a path, so it has no place in a tree", f, strings.Join(parts[:i+1], "/")),
					hints: f.hint("{{ params %q }} gives all of them by their whole names"),
				}
			}
			at = below
		}
		at[parts[len(parts)-1]] = f.recordText(" "+name, f.value.Params[name])
	}
	return tree, nil
}

// paramChildren gives the parameters directly below a path as pairs of Key and Value, sorted by
// Key.
func (f *lookupResult) paramChildren() ([]any, error) {
	pairs := []any{}
	for _, name := range slices.Sorted(maps.Keys(f.value.Params)) {
		if !strings.Contains(name, "/") {
			pairs = append(pairs, map[string]any{"Key": name, "Value": f.recordText(" "+name, f.value.Params[name])})
		}
	}
	return pairs, nil
}

// paramDirs gives the names of the paths directly below a path, sorted.
func (f *lookupResult) paramDirs() ([]string, error) {
	dirs := []string{}
	for name := range f.value.Params {
		if dir, _, deeper := strings.Cut(name, "/"); deeper {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs), nil
}

func (f *lookupResult) paramList() ([]string, error) {
	if f.value.List == nil {
		return nil, &lookupError{what: f.String() + " is not a StringList", hints: f.hint("{{ param %q }} gives its text")}
	}
	for _, part := range f.value.List {
		f.recordText("", part)
	}
	return slices.Clone(f.value.List), nil
}
