package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// functions gives the functions that look something up, bound to this run. Those that are named get the number of their call before what the
// template gives them (guard.go).
func (r *run) functions() template.FuncMap {
	prints := any(funcs.Print)
	if r.t != nil && r.t.Placed {
		prints = r.print
	}
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
		"imds":        r.imds,
		"awsRegion":   r.awsRegion,
		"awsAccount":  r.awsAccount,
		"env":         r.env,
		"hostname":    func() string { return r.t.Hostname },
		tickFunction:  r.tick,
		printFunction: prints,
	}
}

// get looks up the ref that argument number name of a call wrote as text. The keys are those that
// the call follows into a secret.
func (r *run) get(site, name int, kind sources.Kind, text any, keys ...any) (*found, error) {
	f := &found{run: r, site: site, name: name, ref: sources.Ref{Kind: kind}, keys: keys}
	written, ok := text.(string)
	if !ok {
		return nil, &lookupError{what: fmt.Sprintf("the name of a %s is text, not %s", kind, typeName(text))}
	}
	ref, err := r.t.ref(kind, written)
	if err != nil {
		shown := strconv.Quote(written)
		if f.private() {
			shown = hiddenName
		}
		return nil, &lookupError{what: fmt.Sprintf("%s %s: %v", kind, shown, err)}
	}
	f.ref = ref
	r.asked = append(r.asked, ref)
	r.waiting(func() { f.value, err = r.snapshot.Get(r.ctx, ref) })
	if err != nil {
		return nil, f.refused(err)
	}
	if f.value.Secret || kind == sources.File { // a local file may be one
		r.secrets[site] = true
	}
	r.last[site] = f
	return f, nil
}

// gave notes what a lookup gives, with the keys that lead to it, and gives it.
func (f *found) gave(keys, text string) string {
	if !f.run.full() {
		f.run.given = append(f.run.given, given{f.String() + keys, text})
	}
	return text
}

func (r *run) secret(site int, name any, keys ...any) (string, error) {
	return r.secretText(site, 0, name, keys)
}

func (r *run) secretOr(site int, fallback, name any, keys ...any) (string, error) {
	text, err := r.secretText(site, 1, name, keys)
	if missing(err) {
		return funcs.Print(fallback)
	}
	return text, err
}

func (r *run) secretText(site, arg int, name any, keys []any) (string, error) {
	f, err := r.get(site, arg, sources.Secret, name, keys...)
	if err != nil {
		return "", err
	}
	text, err := f.textAt(keys)
	if err != nil {
		return "", err
	}
	return f.gave(f.path(keys), text), nil
}

func (r *run) secretMap(site int, name any, keys ...any) (any, error) {
	f, err := r.get(site, 0, sources.Secret, name, keys...)
	if err != nil {
		return nil, err
	}
	return f.treeAt(keys)
}

func (r *run) secretBytes(site int, name any) (string, error) {
	f, err := r.get(site, 0, sources.Secret, name)
	switch {
	case err != nil:
		return "", err
	case f.value.Bytes == nil:
		return "", &lookupError{what: f.String() + " holds text, not bytes", hints: f.hint("{{ secret %q }}")}
	}
	return f.gave("", string(f.value.Bytes)), nil
}

func (r *run) param(site int, name any) (string, error) { return r.plain(site, 0, sources.Param, name) }

func (r *run) paramOr(site int, fallback, name any) (string, error) {
	text, err := r.plain(site, 1, sources.Param, name)
	if missing(err) {
		return funcs.Print(fallback)
	}
	return text, err
}

func (r *run) paramList(site int, name any) ([]string, error) {
	f, err := r.get(site, 0, sources.Param, name)
	switch {
	case err != nil:
		return nil, err
	case f.value.List == nil:
		return nil, &lookupError{what: f.String() + " is not a StringList", hints: f.hint("{{ param %q }} gives its text")}
	}
	for _, part := range f.value.List {
		f.gave("", part)
	}
	return slices.Clone(f.value.List), nil
}

func (r *run) params(site int, path any) (map[string]any, error) {
	f, err := r.get(site, 0, sources.Params, path)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, len(f.value.Params))
	for name, text := range f.value.Params {
		m[name] = f.gave(" "+name, text)
	}
	return m, nil
}

func (r *run) paramsTree(site int, path any) (map[string]any, error) {
	f, err := r.get(site, 0, sources.Params, path)
	if err != nil {
		return nil, err
	}
	tree := make(map[string]any)
	// In name order a parameter comes before those below it, so only one of the two conflicts can occur.
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
		at[parts[len(parts)-1]] = f.gave(" "+name, f.value.Params[name])
	}
	return tree, nil
}

func (r *run) file(site int, path any) (string, error) { return r.plain(site, 0, sources.File, path) }
func (r *run) imds(site int, path any) (string, error) { return r.plain(site, 0, sources.IMDS, path) }

func (r *run) awsRegion() (string, error)  { return r.plain(0, 0, sources.Own, "region") }
func (r *run) awsAccount() (string, error) { return r.plain(0, 0, sources.Own, "account") }

// plain looks up what is a text as it is.
func (r *run) plain(site, arg int, kind sources.Kind, name any) (string, error) {
	f, err := r.get(site, arg, kind, name)
	if err != nil {
		return "", err
	}
	return f.gave("", f.value.Text), nil
}

func (r *run) env(site int, name string) (string, error) {
	if r.t.Env != nil {
		if value, ok := r.t.Env(name); ok {
			return value, nil
		}
	}
	shown := strconv.Quote(name)
	if r.hides(r.t.sites[site], 0, false) {
		shown = hiddenName
	}
	return "", &lookupError{what: fmt.Sprintf("environment variable %s is not set", shown)}
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
	case nil:
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
