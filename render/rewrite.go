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
	orders  map[*parse.CommandNode][]int // from which places the arguments of a call are to be taken
	instead map[parse.Node]string        // what is to stand in the place of a node
	through map[*parse.CommandNode]conversion
	shown   []shown
}

// A shown is a fault that is to show the action in which its node stands.
type shown struct {
	fault *fault.Fault
	at    *Text
	node  parse.Node
}

func newRewriting() *rewriting {
	return &rewriting{make(map[*parse.CommandNode][]int), make(map[parse.Node]string), make(map[*parse.CommandNode]conversion), nil}
}

// order notes the order that the arguments of a call are to have; the last may be what is piped
// into it.
func (w *rewriting) order(c *parse.CommandNode, from []int) {
	w.orders[c] = from
}

// A conversion is a call that an argument is to go through.
type conversion struct {
	arg  int // the place of the argument; behind the last that is written it is what is piped
	call string
}

// convert notes the call that an argument of another is to go through.
func (w *rewriting) convert(c *parse.CommandNode, arg int, call string) {
	w.through[c] = conversion{arg, call}
}

// replace notes what is to stand in the place of a node.
func (w *rewriting) replace(n parse.Node, source string) {
	w.instead[n] = source
}

// fault makes a fault at a node whose hint is the action as it is to be.
func (w *rewriting) fault(at *Text, n parse.Node, what string) *fault.Fault {
	f := at.fault(int(n.Position()), what)
	w.shown = append(w.shown, shown{fault: f, at: at, node: n})
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
	for i, c := range p.Cmds {
		args := make([]string, len(c.Args))
		for j, a := range c.Args {
			args[j] = w.node(a)
		}
		if source, ok := w.instead[c]; ok {
			commands = append(commands, source)
			continue
		}
		if t, ok := w.through[c]; ok && t.arg+1 < len(args) {
			args[t.arg+1] = "(" + t.call + " " + args[t.arg+1] + ")"
		} else if ok {
			commands = append(commands, t.call)
		}
		if from, ok := w.orders[c]; ok {
			if len(from) == len(args) { // one of them is piped in
				before := strings.Join(commands, " | ")
				if i > 1 || len(p.Cmds[0].Args) > 1 {
					before = "(" + before + ")"
				}
				args, commands = append(args, before), nil
			}
			given := slices.Clone(args[1:])
			for j, place := range from {
				args[j+1] = given[place]
			}
		}
		commands = append(commands, strings.Join(args, " "))
	}
	return text + strings.Join(commands, " | ")
}

// node writes a part of a command as it is to be.
func (w *rewriting) node(n parse.Node) string {
	if source, ok := w.instead[n]; ok {
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
	_, right := t.delims()
	actions := make(map[*Text][]action)
	pipes := make(map[*Text][]*parse.PipeNode)
	if len(w.shown) > 0 {
		t.eachNode(func(at *Text, n parse.Node) {
			if p := pipeOf(n); p != nil {
				pipes[at] = append(pipes[at], p)
			}
		})
	}
	for _, s := range w.shown {
		if actions[s.at] == nil {
			actions[s.at] = t.scanner(s.at.Body).actions()
		}
		for _, a := range actions[s.at] {
			if pos := int(s.node.Position()); a.at <= pos && pos < a.end {
				s.fault.Hints = slices.Insert(s.fault.Hints, 0, w.action(s.at.Body[a.at:a.end], a.at, right, pipes[s.at]))
				break
			}
		}
	}
}

// action writes the action that begins at a byte as it is to be, given the pipelines of its text.
func (w *rewriting) action(source string, at int, right string, pipes []*parse.PipeNode) string {
	end := right
	if head := strings.TrimSuffix(source, right); strings.HasSuffix(head, "-") && blankByte(head[len(head)-2]) {
		end = "-" + right
	}
	for _, p := range pipes {
		if begin := int(p.Pos) - at; begin >= 0 && begin < len(source) {
			head := strings.Join(strings.Fields(source[:begin]), " ")
			if blankByte(source[begin-1]) {
				head += " "
			}
			return head + w.pipe(p) + " " + end
		}
	}
	return source
}

// pipeOf gives the pipeline of an action; nil of what is none.
func pipeOf(n parse.Node) *parse.PipeNode {
	switch n := n.(type) {
	case *parse.ActionNode:
		return n.Pipe
	case *parse.IfNode:
		return n.Pipe
	case *parse.RangeNode:
		return n.Pipe
	case *parse.WithNode:
		return n.Pipe
	case *parse.TemplateNode:
		return n.Pipe
	}
	return nil
}
