package render

import (
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// What is said about a call shows the whole action as it is to be, with all that is known to be
// wrong in it put right, so that it can stand in the place of the one that is there.

// A rewriting is what is to be changed in the actions of a template.
type rewriting struct {
	// orders says from which positions the arguments of a call are to be taken; the last may be
	// what is piped into it.
	orders       map[*parse.CommandNode][]int
	replacements map[parse.Node]string // what is to stand in the place of a node
	conversions  map[*parse.CommandNode]conversion
	in           *parse.PipeNode // what is walked
	shown        []shown
}

// A shown is a fault that is to show the action of a pipeline.
type shown struct {
	fault *fault.Fault
	at    *Text
	pipe  *parse.PipeNode
}

// A conversion is a call that an argument is to go through.
type conversion struct {
	arg  int // the position of the argument; behind the last that is written it is what is piped
	call string
}

// fault makes a fault at a node whose hint is the action as it is to be.
func (w *rewriting) fault(at *Text, n parse.Node, what string) *fault.Fault {
	f := at.fault(int(n.Position()), what)
	w.shown = append(w.shown, shown{f, at, w.in})
	return f
}

// pipe writes a pipeline as it is to be.
func (w *rewriting) pipe(p *parse.PipeNode) string {
	var decl []string
	for _, v := range p.Decl {
		decl = append(decl, v.String())
	}
	text := ""
	if len(decl) > 0 {
		text = strings.Join(decl, ", ") + map[bool]string{true: " = ", false: " := "}[p.IsAssign]
	}
	var commands []string
	for _, c := range p.Cmds {
		commands = w.command(c, commands)
	}
	return text + strings.Join(commands, " | ")
}

// command writes a command as it is to be behind those of its pipeline that are written.
func (w *rewriting) command(c *parse.CommandNode, before []string) []string {
	if source, ok := w.replacements[c]; ok {
		return append(before, source)
	}
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		args[i] = w.node(a)
	}
	if t, ok := w.conversions[c]; ok {
		before = t.convert(args, before)
	}
	from, ok := w.orders[c]
	if ok && len(from) == len(args) { // one of them is piped in
		args, before = append(args, inParens(strings.Join(before, " | "))), nil
	}
	given := slices.Clone(args[1:])
	for i, j := range from {
		args[i+1] = given[j]
	}
	return append(before, strings.Join(args, " "))
}

// convert has an argument go through the call: one of those that are written, or what is piped.
func (t conversion) convert(args, before []string) []string {
	if t.arg+1 == len(args) {
		return append(before, t.call)
	}
	args[t.arg+1] = "(" + t.call + " " + args[t.arg+1] + ")"
	return before
}

// inParens writes a pipeline as an argument.
func inParens(text string) string {
	if strings.Contains(text, " ") {
		return "(" + text + ")"
	}
	return text
}

// node writes a part of a command as it is to be.
func (w *rewriting) node(n parse.Node) string {
	if source, ok := w.replacements[n]; ok {
		return source
	}
	switch n := n.(type) {
	case *parse.PipeNode:
		return "(" + w.pipe(n) + ")"
	case *parse.ChainNode:
		return w.node(n.Node) + "." + strings.Join(n.Field, ".")
	}
	return n.String()
}

// show writes the hints of the faults that were noted.
func (w *rewriting) show(t *Template) {
	left, right := t.delims()
	for _, s := range w.shown {
		begin := int(s.pipe.Pos)
		at := max(strings.LastIndex(s.at.Body[:begin], left), 0)
		end := right
		if head, _ := strings.CutSuffix(s.at.Body[:t.scanner(s.at.Body).action(at).end], right); strings.HasSuffix(head, "-") && blankByte(head[len(head)-2]) {
			end = "-" + right
		}
		head := strings.Join(strings.Fields(s.at.Body[at:begin]), " ")
		if blankByte(s.at.Body[begin-1]) {
			head += " "
		}
		s.fault.Hints = slices.Insert(s.fault.Hints, 0, head+w.pipe(s.pipe)+" "+end)
	}
}
