package render

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// kindWords has a user's words for the kinds that a role takes and that a value has.
var kindWords = map[kind]string{
	isInt: "a whole number", isFloat: "a number", isNumber: "a number", isText: "a text", isPrinted: "a text", isBool: "true or false", isList: "a list", isMap: "a map",
	isMap | isList: "a map or a list", isText | isList: "a text or a list",
}

// converters are the calls that make of a value of one kind one of another, before it.
var converters = map[[2]kind]string{
	{isText, isBool}: `eq "true"`, {isText, isList}: `splitList ","`, {isText, isInt}: "int", {isFloat, isInt}: "int",
	{isInt, isText}: "toString", {isFloat, isText}: "toString", {isBool, isText}: "toString",
}

// kindsTaken gives the kinds that the arguments of a call are to be of, by their roles, or else by
// the type of the function; nil where neither tells.
func kindsTaken(name string, n int) (kinds []kind) {
	if o, ok := orderNamed(name); ok {
		for _, role := range o.spread(o.ours, n) {
			kinds = append(kinds, roleNamed[role].takes)
		}
		return kinds
	}
	if t := signatures()[name]; t != nil && t.NumIn() > 0 && !named(name) {
		for i := range n {
			kinds = append(kinds, parameterKind(name, t, i))
		}
	}
	return kinds
}

// parameterKind gives the kind of parameter i of a function.
func parameterKind(name string, t reflect.Type, i int) kind {
	last := t.NumIn() - 1
	switch {
	case strings.HasSuffix(name, "Quote"):
		return isPrinted
	case strings.HasPrefix(name, "dotenv"), strings.HasPrefix(name, "dockerEnv"):
		return isMap
	case t.IsVariadic() && i >= last:
		return kindOfType(t.In(last).Elem())
	}
	return kindOfType(t.In(min(i, last)))
}

// checkArguments notes an argument of a kind that its function does not take, where no other order
// of the arguments is meant.
func (f *finder) checkArguments(c, before *parse.CommandNode, args []operand, s *scope) {
	id := c.Args[0].(*parse.IdentifierNode)
	if f.reported[id] || f.typeTests > 0 {
		return
	}
	_, roles := orderNamed(id.Ident)
	for i, takes := range kindsTaken(id.Ident, len(args)) {
		if takes&args[i].kind == 0 && f.isReached(args[i], roles) {
			f.reported[id] = true
			f.faults = append(f.faults, f.mismatch(c, before, args, i, takes, s))
			return
		}
	}
}

// isReached reports that nothing keeps a call with such an argument from being reached, as far as
// is known: one of vars may be what a condition around it is about.
func (f *finder) isReached(a operand, roles bool) bool {
	return a.literal || computed(a) || roles && f.conditional == 0
}

// mismatch says what is wrong with argument i of a call, and what makes of it what the call takes.
func (f *finder) mismatch(c, before *parse.CommandNode, args []operand, i int, takes kind, s *scope) *fault.Fault {
	a, id, from := args[i], c.Args[0].(*parse.IdentifierNode), maker(c, before, i)
	what := fmt.Sprintf("%s takes %s here, and %s", id.Ident, kindWords[takes], describe(a, calledBy(from)))
	converter := converters[[2]kind{a.kind, takes}]
	switch {
	case calledBy(from) == "split" && takes == isList:
		f.t.rewritten.replacements[from.Args[0]] = "splitList"
	case converter != "" && (!a.literal || takes == isText):
		f.t.rewritten.conversions[c] = conversion{i, converter}
	default:
		return s.text.fault(int(id.Pos), what, pieceOf(a.value).alternatives(id.Ident, args, i)...)
	}
	return f.t.rewritten.fault(s.text, id, what)
}

// describe says what an argument is, given the function that makes it, "" where none does.
func describe(a operand, maker string) string {
	if p := pieceOf(a.value); p != nil {
		return p.describe()
	}
	if maker != "" {
		return maker + " gives " + kindWords[a.kind]
	}
	return "this is " + kindWords[a.kind]
}

// through shows how texts in a list or a map go through a function, text by text.
var through = map[shape]string{
	textList: "{{ range %[1]s %[2]s }}{{ . | %[3]s }}{{ end }}, or {{ %[1]s %[2]s | join \",\" | %[3]s }}",
	textMap:  "{{ range $name, $text := %[1]s %[2]s }}{{ $name }}={{ $text | %[3]s }}{{ end }}",
	pairList: "{{ range %[1]s %[2]s }}{{ .Key }}={{ .Value | %[3]s }}{{ end }}",
}

// alternatives says what fits a function that does not take the piece as argument i.
func (p *piece) alternatives(function string, args []operand, i int) []string {
	if !p.isNamed() {
		return nil
	}
	if form := through[p.shape]; form != "" && len(args) == 1 {
		return []string{fmt.Sprintf(form, p.caller(), p.quotedName(), function)}
	}
	if p.function == "secret" && slices.Contains([]string{"index", "get"}, function) {
		if key, ok := args[i+1].text(); ok {
			return []string{fmt.Sprintf("{{ %s }}", p.call("secret", key))}
		}
	}
	return p.decodeHints()
}

// maker gives the command that makes argument i of another, to which the last may be piped from the
// one before; nil where none does.
func maker(c, before *parse.CommandNode, i int) *parse.CommandNode {
	if i+1 >= len(c.Args) {
		return before
	}
	if p, ok := c.Args[i+1].(*parse.PipeNode); ok {
		return last(p)
	}
	return nil
}
