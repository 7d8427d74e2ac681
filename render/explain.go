package render

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/render/funcs"
)

// executed is the head of an error of text/template: the number of the text, the line, the byte
// column, the template, the action's own source, and then what went wrong, which may quote values.
var executed = lazyregexp.New(`(?s)^template: (\d+):(\d+):(\d+): executing ".*?" at <.*?>: (.*)$`)

// explain makes a fault of an execution's error. Of text/template's message only the position is
// used, and of what follows only fixed phrases and names that stand in the template.
func (r *run) explain(err error) *fault.Fault {
	if in, ok := errors.AsType[*included](err); ok {
		return r.explain(in.err)
	}
	if s, ok := errors.AsType[*stop](err); ok {
		return s.at.text.fault(s.at.offset, s.what)
	}
	if errors.Is(err, errTooLarge) {
		return &fault.Fault{
			Place: fault.Place{File: r.t.Main.shown()},
			What:  "the output is larger than " + sized(r.t.maxSize()),
			Hints: []string{"does the template end? max_size: 64MiB of the file lets it be larger"},
		}
	}
	text, offset, message := r.position(err)
	if e, ok := unwrap(err); ok {
		f := text.fault(offset, e.what, e.hints...)
		f.Err = e.cause
		return f
	}
	if e, ok := errors.AsType[funcs.Error](err); ok {
		return text.fault(offset, e.Error())
	}
	if e, ok := errors.AsType[funcs.Nothing](err); ok {
		what, hints := r.explainNull(r.pathAt(text, offset), e)
		return text.fault(offset, what, hints...)
	}
	if e, ok := errors.AsType[*funcs.KeyError](err); ok {
		return text.fault(offset, r.explainKeys(r.pathAt(text, offset), e))
	}
	return r.reword(text, offset, message)
}

// position gives where an execution ended, and what its error says.
func (r *run) position(err error) (text *Text, offset int, message string) {
	m := executed.FindStringSubmatch(err.Error())
	if m == nil {
		return r.t.texts[0].Text, 0, ""
	}
	line, _ := strconv.Atoi(m[2])
	column, _ := strconv.Atoi(m[3])
	text = r.t.textNamed(m[1])
	return text, text.offset(line, column), m[4]
}

// A phrase is one of text/template's messages: how it begins, and what it means.
var phrases = []struct {
	pattern *lazyregexp.Regexp
	meaning string
}{
	{lazyregexp.New(`^range can't iterate over|^can't use .* iterate over|^range over`), "this is not a list or a map, so range cannot go over it"},
	{lazyregexp.New(`^if/with can't use`), "if and with cannot decide over this"},
	{lazyregexp.New(`^wrong number of args for (\w+): want (at least \d+|\d+) got (\d+)$`), "$1 takes $2 arguments, here it gets $3"},
	{lazyregexp.New(`^exceeded maximum template depth`), "templates call each other without end"},
	{lazyregexp.New(`^error calling (\w+): `), "$1 does not accept these arguments"},
	{lazyregexp.New(`^invalid value; expected|^can't handle|^expected \w+; found`), "a value of this type does not fit here"},
	{lazyregexp.New(`^can't give argument to non-function`), "only a function takes arguments"},
	{lazyregexp.New(`^undefined variable: (\$\w+)`), "variable $1 is not declared here"},
	{lazyregexp.New(`^nil is not a command`), "nil alone prints nothing"},
	{lazyregexp.New(`^can't print`), "this cannot be printed"},
}

var noField = lazyregexp.New(`^(?:map has no entry for key|nil data|can't evaluate field|nil pointer)`)

// reword says in our words what a message of text/template's means.
func (r *run) reword(text *Text, offset int, message string) *fault.Fault {
	path := r.pathAt(text, offset)
	var what string
	var hints []string
	switch {
	case noField.MatchString(message):
		what, hints = r.explainField(path, message)
		if i := slices.IndexFunc(path, func(n parse.Node) bool { return fieldsOf(n) != nil }); i >= 0 {
			offset = start(path[i])
		}
	case strings.Contains(message, "iterate over"):
		what = meaning(message)
		for _, n := range path {
			if over, ok := n.(*parse.RangeNode); ok { // text/template stands at its last argument
				offset = int(over.Pipe.Cmds[0].Position())
			}
		}
	default:
		if what, hints = r.wrongType(path, message); what == "" {
			what = meaning(message)
		}
	}
	return text.fault(offset, what, hints...)
}

// meaning says what a message means, whatever it is about.
func meaning(message string) string {
	for _, p := range phrases {
		if m := p.pattern.FindStringSubmatchIndex(message); m != nil {
			return string(p.pattern.ExpandString(nil, p.meaning, message, m))
		}
	}
	return "this cannot be executed"
}

// pathAt gives the nodes around a byte of a text.
func (r *run) pathAt(text *Text, offset int) []parse.Node {
	var best []parse.Node
	for _, tree := range r.t.trees {
		if r.t.text(tree) != text {
			continue
		}
		if path := pathTo(tree.Root, offset); len(path) > len(best) {
			best = path
		}
	}
	return best
}

// sized writes a number of bytes as a config does.
func sized(n int) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
