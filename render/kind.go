package render

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/funcs"
)

// text/template names Go's types where an argument is of the wrong one.
var (
	wrongKind    = regexp.MustCompile(`^wrong type for value; expected (.+); got (.+)$`)
	wrongWord    = regexp.MustCompile(`^expected ([a-z ]+); found `)
	wrongLiteral = regexp.MustCompile(`(?s)^can't handle .* for arg of type (.+)$`)
	nothingKind  = regexp.MustCompile(`^(?:invalid value; expected|cannot assign nil to) (.+)$`)
)

// wrongType says in a user's words that an argument is of another type than the function takes, and
// "" where that is not what happened.
func (r *run) wrongType(path []parse.Node, words string) (string, []string) {
	if m := wrongKind.FindStringSubmatch(words); m != nil {
		name, hints := taker(path, m[1])
		wanted, got := kindName(m[1]), kindName(m[2])
		if wanted == "text" && (got == "a number" || got == "true or false") {
			hints = []string{"toString makes text of it"}
		}
		return name + "this must be " + wanted + " here, and it is " + got, hints
	}
	if m := nothingKind.FindStringSubmatch(words); m != nil {
		name, _ := taker(path, m[1])
		return r.aboutNothing(path, funcs.Nothing(name+"there is nothing here, and it must be "+kindName(m[1])))
	}
	for _, pattern := range []*regexp.Regexp{wrongWord, wrongLiteral} {
		if m := pattern.FindStringSubmatch(words); m != nil {
			name, hints := taker(path, m[1])
			return name + "this must be " + kindName(m[1]) + " here", hints
		}
	}
	return "", nil
}

// taker gives the innermost function of a path that takes an argument of a type, with a colon after
// it, and what it takes first. text/template stands at what it looked at last, which may be an
// argument of an argument.
func taker(path []parse.Node, kind string) (string, []string) {
	for _, n := range slices.Backward(path) {
		c, ok := n.(*parse.CommandNode)
		if !ok {
			continue
		}
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if !ok || signatures()[id.Ident] == nil {
			continue
		}
		for in := range signatures()[id.Ident].Ins() {
			if in.String() == kind || kindName(in.String()) == kindName(kind) || in.Kind() == reflect.Slice && in.Elem().String() == kind {
				return id.Ident + ": ", orderHint(id.Ident)
			}
		}
	}
	return "", nil
}

// orderHint says what a function takes, where the order is what people have wrong.
func orderHint(name string) []string {
	if o, ok := orderNamed(name); ok {
		return []string{o.words(name)}
	}
	return nil
}

// kindName gives a user's word for a type of Go.
func kindName(kind string) string {
	kind = strings.TrimLeft(kind, "*")
	switch {
	case kind == "string":
		return "text"
	case kind == "bool" || kind == "boolean":
		return "true or false"
	case strings.HasPrefix(kind, "map["):
		return "a map"
	case strings.HasPrefix(kind, "["):
		return "a list"
	case kind == "json.Number" || strings.Contains(kind, "int") && !strings.Contains(kind, "interface") || strings.Contains(kind, "float"):
		return "a number"
	}
	return "of another type"
}
