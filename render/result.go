package render

import (
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// An error may show a name or a key that the template alone gives. One that an execution makes may
// hold a secret in whatever form: in capitals, cut, put together. Nothing about the name itself
// gives that away. So it is hidden as soon as the execution has read a secret.

// hiddenName stands for a name that may hold a secret.
const hiddenName = "‹a name that may hold a secret›"

// An argument is a name or a key of a call.
type argument struct {
	call  *parse.CommandNode
	index int
	text  string
}

// recordKnown notes what the template alone gives for an argument of a call: a name, a key, the
// keys of a map.
func (f *finder) recordKnown(c *parse.CommandNode, index int, value any) {
	switch v := value.(type) {
	case string, int:
		f.t.known[argument{c, index, fmt.Sprint(v)}] = nil
	case map[string]any:
		for key := range v {
			f.t.known[argument{c, index, key}] = nil
		}
	}
}

// isKnown reports that the template alone gives an argument of a call.
func (t *Template) isKnown(c *parse.CommandNode, index int, value any) bool {
	_, known := t.known[argument{c, index, fmt.Sprint(value)}]
	return known
}

// A lookupResult is what a call of a lookup function found, and what may be said about it.
type lookupResult struct {
	run         *run
	call        *parse.CommandNode
	afterSecret bool // the execution had read a secret before: what is computed may hold it
	hidden      bool // the name may
	ref         sources.Ref
	value       sources.Value
	keys        []any // that lead into a secret's JSON
}

// String gives the ref as far as it may be shown.
func (f *lookupResult) String() string {
	if f.hidden {
		return string(f.ref.Kind) + " " + hiddenName
	}
	return f.ref.String()
}

// hint gives a line about the name, with %q in its place, and none where that is hidden.
func (f *lookupResult) hint(format string) []string {
	if f.hidden {
		return nil
	}
	return []string{fmt.Sprintf(format, f.ref.Text())}
}

// fallback gives the call of secretOr that has a default for these keys, and nothing where one of
// them is hidden.
func (f *lookupResult) fallback(keys []any) []string {
	path := f.path(keys)
	if f.hidden || strings.Contains(path, hiddenName) {
		return nil
	}
	return []string{fmt.Sprintf("an optional one is {{ secretOr \"VALUE\" %q%s }}", f.ref.Text(), path)}
}

// key shows the key with that number: a text in quotes, a number as it is.
func (f *lookupResult) key(i int, key any) string {
	if f.afterSecret && !f.run.t.isKnown(f.call, lookupFunctions[calledBy(f.call)].arg+1+i, key) {
		return hiddenName
	}
	if text, ok := key.(string); ok {
		return strconv.Quote(text)
	}
	if funcs.TypeName(key) != "a number" {
		return funcs.TypeName(key)
	}
	return fmt.Sprint(key)
}

// path shows keys, each after a space.
func (f *lookupResult) path(keys []any) string {
	var b strings.Builder
	for i, k := range keys {
		b.WriteString(" " + f.key(i, k))
	}
	return b.String()
}

// refused makes the error of a lookup that failed. Of a ref that may hold a secret it keeps the
// reason alone.
func (f *lookupResult) refused(err error) error {
	e, ok := err.(*sources.Error)
	if !ok {
		return &lookupError{what: f.String() + " cannot be looked up"}
	}
	if f.hidden {
		e = &sources.Error{Ref: sources.Ref{Kind: f.ref.Kind, Name: hiddenName}, Reason: e.Reason}
	}
	return &lookupError{what: e.Error(), hints: f.defaults(e.Hints), cause: e}
}
