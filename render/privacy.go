package render

import (
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/sources"
)

// hiddenName stands for a name that may hold a secret.
const hiddenName = "‹a name computed from a secret›"

// hides reports that an argument of a call may hold a secret: it may be made of what a lookup gave that is one.
func (r *run) hides(s site, arg int, keys bool) bool {
	if len(r.secrets) == 0 || arg >= len(s.args) || s.args[arg].of == nil {
		return false
	}
	lookups, all := s.args[arg].lookups(keys)
	if !all {
		return true
	}
	for number := range lookups {
		if r.secrets[number] {
			return true
		}
	}
	return false
}

// A found is what a call of a lookup function found, and what may be said about it.
type found struct {
	run   *run
	site  int // the number of the call
	name  int // which of its arguments is the name; the keys follow
	ref   sources.Ref
	value sources.Value
	keys  []any // that lead into a secret's JSON
}

// String gives the ref as far as it may be shown.
func (f *found) String() string {
	if f.private() {
		return string(f.ref.Kind) + " " + hiddenName
	}
	return f.ref.String()
}

func (f *found) private() bool { return f.run.hides(f.run.t.sites[f.site], f.name, false) }

// hint gives a line about the name, with %q in its place, and none where that is hidden.
func (f *found) hint(format string) []string {
	if f.private() {
		return nil
	}
	return []string{fmt.Sprintf(format, f.ref.Text())}
}

// fallback gives the call of secretOr that has a default for these keys, and nothing where one of
// them is hidden.
func (f *found) fallback(keys []any) []string {
	if f.private() {
		return nil
	}
	call := strconv.Quote(f.ref.Text())
	for i, k := range keys {
		shown := f.key(i, k)
		if shown == hiddenName {
			return nil
		}
		call += " " + shown
	}
	return []string{"an optional one is {{ secretOr \"VALUE\" " + call + " }}"}
}

// key shows the key with that number: a text in quotes, a number as it is.
func (f *found) key(i int, key any) string {
	if f.run.hides(f.run.t.sites[f.site], f.name+1+i, false) {
		return hiddenName
	}
	if text, ok := key.(string); ok {
		return fmt.Sprintf("%q", text)
	}
	if typeName(key) != "a number" {
		return typeName(key)
	}
	return fmt.Sprint(key)
}

// path shows keys, each after a space.
func (f *found) path(keys []any) string {
	var b strings.Builder
	for i, k := range keys {
		b.WriteString(" " + f.key(i, k))
	}
	return b.String()
}

// refused makes the error of a lookup that failed. Of a ref that may hold a secret it keeps the reason alone.
func (f *found) refused(err error) error {
	e, ok := err.(*sources.Error)
	if !ok {
		return &lookupError{what: f.String() + " cannot be looked up"}
	}
	if f.private() {
		e = &sources.Error{Ref: sources.Ref{Kind: f.ref.Kind, Name: hiddenName}, Reason: e.Reason}
	}
	return &lookupError{what: e.Error(), hints: f.defaults(e.Hints), cause: e}
}

// shownKeys gives what may be shown of the keys that an error is about: they are arguments of the call at the end of the path, or stand in
// the map that it is given.
func (r *run) shownKeys(path []parse.Node) func(string) string {
	s := r.t.calls[lastCommand(path)]
	hide := s.call == nil
	for i := range s.args {
		hide = hide || r.hides(s, i, i == 0)
	}
	return func(key string) string {
		if hide {
			return hiddenName
		}
		return fmt.Sprintf("%q", key)
	}
}
