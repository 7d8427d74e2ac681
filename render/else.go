package render

import (
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// Where there is nothing below a path a lookup of it is an error, and no empty map. Whoever writes
// an else to a range over one has a list in mind that may be empty.

// DeadElses gives each range over the parameters under a path whose else is never reached, in the
// order in which the main template reaches them. They render, and are no faults.
func (t *Template) DeadElses() fault.List { return t.deadElses }

// checkElse notes an else that is never reached.
func (f *finder) checkElse(n *parse.RangeNode, value any, s *scope) {
	p, c := pieceOf(value), last(n.Pipe)
	if n.ElseList == nil || p == nil || len(p.path) > 0 || f.reported[n] || calledBy(c) != p.function {
		return
	}
	const what = " is an error where there is no parameter under the path, so that this else is never reached"
	switch p.function {
	case "params":
		f.reported[n] = true
		f.t.rewritten.in = n.Pipe
		f.t.rewritten.replacements[c.Args[0]] = "paramsOr dict"
		f.t.deadElses = append(f.t.deadElses, f.t.rewritten.fault(s.text, c, p.function+what))
	case "paramsTree":
		f.reported[n] = true
		failed := s.text.fault(int(c.Pos), p.function+what)
		failed.Hints = p.ifNamed("{{ if paramsExist " + p.quotedName() + " }} asks before")
		f.t.deadElses = append(f.t.deadElses, failed)
	}
}
