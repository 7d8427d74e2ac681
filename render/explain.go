package render

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/funcs"
)

// executed is the head of an error of text/template: the number of the text, the line, the byte column, the template, the
// action's own source, and then what went wrong, which may quote values.
var executed = regexp.MustCompile(`(?s)^template: (\d+):(\d+):(\d+): executing ".*?" at <.*?>: (.*)$`)

// explain makes a fault of an execution's error. Of text/template's words only the position is used, and of what follows
// only fixed phrases and names that stand in the template.
func (r *run) explain(err error) *fault.Fault {
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
	text, offset, words := &r.t.texts[0], 0, ""
	if m := executed.FindStringSubmatch(err.Error()); m != nil {
		i, _ := strconv.Atoi(m[1])
		line, _ := strconv.Atoi(m[2])
		column, _ := strconv.Atoi(m[3])
		text = &r.t.texts[min(i, len(r.t.texts)-1)]
		offset, words = text.offset(line, column), m[4]
	}
	if e, ok := unwrap(err); ok {
		f := text.fault(offset, e.what, e.hints...)
		f.Err = e.cause
		return f
	}
	if e, ok := errors.AsType[funcs.Error](err); ok {
		return text.fault(offset, e.Error())
	}
	if e, ok := errors.AsType[funcs.Nothing](err); ok {
		what, hints := r.aboutNothing(r.pathAt(text, offset), e)
		return text.fault(offset, what, hints...)
	}
	if e, ok := errors.AsType[*funcs.KeyError](err); ok {
		return text.fault(offset, r.aboutKeys(r.pathAt(text, offset), e))
	}
	return r.reword(text, offset, words)
}

// A phrase is one of text/template's messages: how it begins, and what it means.
var phrases = []struct {
	pattern *regexp.Regexp
	meaning string
}{
	{regexp.MustCompile(`^range can't iterate over|^can't use .* iterate over|^range over`), "this is not a list or a map, so range cannot go over it"},
	{regexp.MustCompile(`^if/with can't use`), "if and with cannot decide over this"},
	{regexp.MustCompile(`^wrong number of args for (\w+): want (at least \d+|\d+) got (\d+)$`), "$1 takes $2 arguments, here it gets $3"},
	{regexp.MustCompile(`^exceeded maximum template depth`), "templates call each other without end"},
	{regexp.MustCompile(`^error calling (\w+): incompatible types for comparison`), "$1 compares values of one type only, and these differ"},
	{regexp.MustCompile(`^error calling (\w+): (?:invalid type for comparison|non-comparable)`), "$1 cannot compare such values"},
	{regexp.MustCompile(`^error calling (\w+): index out of range`), "$1: out of range"},
	{regexp.MustCompile(`^error calling (\w+): `), "$1 does not accept these arguments"},
	{regexp.MustCompile(`^invalid value; expected|^can't handle|^expected \w+; found`), "a value of this type does not fit here"},
	{regexp.MustCompile(`^can't give argument to non-function`), "only a function takes arguments"},
	{regexp.MustCompile(`^can't print`), "this cannot be printed"},
}

// reword says what text/template's words mean, in ours.
func (r *run) reword(text *Text, offset int, words string) *fault.Fault {
	path := r.pathAt(text, offset)
	if strings.HasPrefix(words, "map has no entry for key") || strings.HasPrefix(words, "nil data") || strings.HasPrefix(words, "can't evaluate field") || strings.HasPrefix(words, "nil pointer") {
		if i := slices.IndexFunc(path, func(n parse.Node) bool { return fieldsOf(n) != nil }); i >= 0 {
			offset = start(path[i])
		}
		what, hints := r.noField(path, words)
		return text.fault(offset, what, hints...)
	}
	if what, hints := r.wrongType(path, words); what != "" {
		return text.fault(offset, what, hints...)
	}
	if strings.Contains(words, "iterate over") {
		for _, n := range slices.Backward(path) {
			if over, ok := n.(*parse.RangeNode); ok {
				offset = int(over.Pipe.Cmds[0].Position()) // text/template stands at its last argument
				break
			}
		}
	}
	for _, p := range phrases {
		if m := p.pattern.FindStringSubmatchIndex(words); m != nil {
			what := string(p.pattern.ExpandString(nil, p.meaning, words, m))
			if strings.Contains(words, "iterate over") {
				return text.fault(offset, what, r.rangeHint(path)...)
			}
			return text.fault(offset, what)
		}
	}
	return text.fault(offset, "this cannot be executed")
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
