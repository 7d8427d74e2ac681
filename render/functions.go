package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// functions gives the functions that look something up, bound to this run.
func (r *run) functions() template.FuncMap {
	return template.FuncMap{
		"secret":      r.secret,
		"secretMap":   r.secretMap,
		"secretBytes": r.secretBytes,
		"secretOr":    r.secretOr,
		"param":       r.param,
		"paramList":   r.paramList,
		"paramOr":     r.paramOr,
		"params":      r.params,
		"paramsTree":  r.paramsTree,
		"file":        r.file,
		"imds":        func(path any) (string, error) { return r.plain(sources.IMDS, path) },
		"awsRegion":   func() (string, error) { return r.plain(sources.Own, "region") },
		"awsAccount":  func() (string, error) { return r.plain(sources.Own, "account") },
		"env":         r.env,
		"hostname":    func() string { return r.t.Hostname },
		tickFunction:  r.tick,
		printFunction: funcs.Print,
	}
}

// get looks up the ref that a template wrote as text.
func (r *run) get(kind sources.Kind, text any) (sources.Ref, sources.Value, error) {
	name, ok := text.(string)
	if !ok {
		return sources.Ref{}, sources.Value{}, &lookupError{what: fmt.Sprintf("the name of a %s is text, not %s", kind, typeName(text))}
	}
	ref, err := r.t.ref(kind, name)
	if err != nil {
		return ref, sources.Value{}, &lookupError{what: fmt.Sprintf("%s %s: %v", kind, r.shown(name), err)}
	}
	r.asked = append(r.asked, ref)
	var value sources.Value
	r.waiting(func() { value, err = r.snapshot.Get(r.ctx, ref) })
	if err != nil {
		return ref, value, r.refused(kind, name, ref, err)
	}
	r.met(kind, value)
	return ref, value, nil
}

// gave notes what a lookup gives, and gives it.
func (r *run) gave(ref sources.Ref, keys []any, text string) string {
	lookup := ref.String()
	for _, k := range keys {
		if text := fmt.Sprint(k); r.showable(text) {
			lookup += " " + text
		} else {
			lookup += " " + hiddenName
		}
	}
	r.given = append(r.given, given{lookup, text})
	return text
}

func (r *run) secret(name any, keys ...any) (string, error) {
	ref, value, err := r.get(sources.Secret, name)
	if err != nil {
		return "", err
	}
	text, err := r.textAt(ref, value, keys)
	if err != nil {
		return "", err
	}
	return r.gave(ref, keys, text), nil
}

func (r *run) secretOr(fallback, name any, keys ...any) (string, error) {
	text, err := r.secret(name, keys...)
	if missing(err) {
		return fmt.Sprint(fallback), nil
	}
	return text, err
}

func (r *run) secretMap(name any, keys ...any) (any, error) {
	ref, value, err := r.get(sources.Secret, name)
	if err != nil {
		return nil, err
	}
	return r.treeAt(ref, value, keys)
}

func (r *run) secretBytes(name any) (string, error) {
	ref, value, err := r.get(sources.Secret, name)
	switch {
	case err != nil:
		return "", err
	case value.Bytes == nil:
		return "", &lookupError{what: ref.String() + " holds text, not bytes", hints: []string{fmt.Sprintf("{{ secret %q }}", ref.Text())}}
	}
	return r.gave(ref, nil, string(value.Bytes)), nil
}

func (r *run) param(name any) (string, error) {
	ref, value, err := r.get(sources.Param, name)
	if err != nil {
		return "", err
	}
	return r.gave(ref, nil, value.Text), nil
}

func (r *run) paramOr(fallback, name any) (string, error) {
	text, err := r.param(name)
	if missing(err) {
		return fmt.Sprint(fallback), nil
	}
	return text, err
}

func (r *run) paramList(name any) ([]string, error) {
	ref, value, err := r.get(sources.Param, name)
	switch {
	case err != nil:
		return nil, err
	case value.List == nil:
		return nil, &lookupError{what: ref.String() + " is not a StringList", hints: []string{fmt.Sprintf("{{ param %q }} gives its text", ref.Text())}}
	}
	for _, part := range value.List {
		r.gave(ref, nil, part)
	}
	return slices.Clone(value.List), nil
}

func (r *run) params(path any) (map[string]any, error) {
	ref, value, err := r.get(sources.Params, path)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, len(value.Params))
	for name, text := range value.Params {
		m[name] = r.gave(ref, []any{name}, text)
	}
	return m, nil
}

func (r *run) paramsTree(path any) (map[string]any, error) {
	ref, value, err := r.get(sources.Params, path)
	if err != nil {
		return nil, err
	}
	tree := make(map[string]any)
	// In name order a parameter comes before those below it, so only one of the two conflicts can occur.
	for _, name := range slices.Sorted(maps.Keys(value.Params)) {
		parts := strings.Split(name, "/")
		at := tree
		for i, part := range parts[:len(parts)-1] {
			if at[part] == nil {
				at[part] = make(map[string]any)
			}
			below, ok := at[part].(map[string]any)
			if !ok {
				return nil, &lookupError{
					what:  fmt.Sprintf("%s: %q is both a parameter and a path, so it has no place in a tree", ref, strings.Join(parts[:i+1], "/")),
					hints: []string{fmt.Sprintf("{{ params %q }} gives all of them by their whole names", ref.Text())},
				}
			}
			at = below
		}
		at[parts[len(parts)-1]] = r.gave(ref, []any{name}, value.Params[name])
	}
	return tree, nil
}

func (r *run) file(path any) (string, error) { return r.plain(sources.File, path) }

// plain looks up what is a text as it is.
func (r *run) plain(kind sources.Kind, name any) (string, error) {
	ref, value, err := r.get(kind, name)
	if err != nil {
		return "", err
	}
	return r.gave(ref, nil, value.Text), nil
}

func (r *run) env(name string) (string, error) {
	if r.t.Env != nil {
		if value, ok := r.t.Env(name); ok {
			r.known = append(r.known, value)
			return value, nil
		}
	}
	return "", &lookupError{what: fmt.Sprintf("environment variable %s is not set", r.shown(name))}
}

// missing reports that the value itself does not exist; denied or out of reach is another matter.
func missing(err error) bool {
	e, ok := unwrap(err)
	if !ok {
		return false
	}
	switch cause := e.cause.(type) {
	case *sources.Error:
		return cause.Reason == sources.Missing
	case noKey:
		return true
	}
	return false
}

// typeName says in a user's words what a value is, without the value.
func typeName(value any) string {
	switch value.(type) {
	case nil, funcs.Null:
		return "nothing"
	case string:
		return "text"
	case map[string]any, map[string]string:
		return "a map"
	case []any, []string:
		return "a list"
	case bool:
		return "true or false"
	}
	return "a number"
}
