package render

import (
	"reflect"
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render/funcs"
)

// text/template names Go's types where an argument is of the wrong one, or is nothing.
var (
	mistyped = lazyregexp.New(`(?s)^(?:wrong type for value; expected (.+); got (.+)|expected ([a-z ]+); found .*|can't handle .* for arg of type (.+))$`)
	// An interface that is left is one that holds nothing: a field or an element that is null.
	nothingKind = lazyregexp.New(`^(?:(?:invalid value; expected|cannot assign nil to) (.+?)|wrong type for value; expected (.+); got interface \{\})$`)
)

// wrongType says in a user's words that an argument is of another type than the function takes, and
// "" where that is not what happened.
func (r *run) wrongType(path []parse.Node, message string) (string, []string) {
	if m := nothingKind.FindStringSubmatch(message); m != nil {
		kind := m[1] + m[2]
		name, _ := taker(path, kind)
		return r.explainNull(path, funcs.Nothing(name+"there is nothing here, and it must be "+kindName(kind)))
	}
	m := mistyped.FindStringSubmatch(message)
	if m == nil {
		return "", nil
	}
	name, hints := taker(path, m[1]+m[3]+m[4])
	wanted, got := kindName(m[1]+m[3]+m[4]), kindName(m[2])
	what := name + "this must be " + wanted + " here"
	if m[2] == "" {
		return what, hints
	}
	if wanted == "text" && (got == "a number" || got == "true or false") {
		hints = []string{"toString makes text of it"}
	}
	return what + ", and it is " + got, hints
}

// taker gives the innermost function of a path that takes an argument of a type, with a colon after
// it, and what it takes first. text/template stands at what it looked at last, which may be an
// argument of an argument.
func taker(path []parse.Node, kind string) (string, []string) {
	for _, n := range slices.Backward(path) {
		c, _ := n.(*parse.CommandNode)
		function := signatures()[calledBy(c)]
		if function == nil {
			continue
		}
		for in := range function.Ins() {
			if kindName(in.String()) == kindName(kind) || in.Kind() == reflect.Slice && in.Elem().String() == kind {
				return calledBy(c) + ": ", orderHint(calledBy(c))
			}
		}
	}
	return "", nil
}

// orderHint says what a function takes, where the order is what people have wrong.
func orderHint(name string) []string {
	if o, ok := orderNamed(name); ok {
		return []string{o.describe(name)}
	}
	return nil
}

// typeWords has a user's words for Go's types.
var typeWords = []struct {
	name *lazyregexp.Regexp
	word string
}{
	{lazyregexp.New(`^\**string$`), "text"},
	{lazyregexp.New(`^\**bool(?:ean)?$`), "true or false"},
	{lazyregexp.New(`^\**map\[`), "a map"},
	{lazyregexp.New(`^\**\[`), "a list"},
	{lazyregexp.New(`^\**(?:json\.Number|u?int\w*|integer|unsigned integer|float\w*)$`), "a number"},
}

// kindName gives a user's word for a type of Go.
func kindName(kind string) string {
	for _, t := range typeWords {
		if t.name.MatchString(kind) {
			return t.word
		}
	}
	return "of another type"
}
