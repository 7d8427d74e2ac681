package render

import (
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// checkUses finds functions whose result is not what it is used for: seq gives text, split a map,
// and merge, set and unset change nothing.
func (t *Template) checkUses(x *parsedText) (faults fault.List) {
	read := readsBlank(x)
	for n := range x.nodes() {
		switch n := n.(type) {
		case *parse.RangeNode:
			faults = append(faults, t.checkRange(x.Text, n.Pipe)...)
		case *parse.ActionNode:
			if !read {
				faults = append(faults, checkDropped(x.Text, n.Pipe)...)
			}
		}
	}
	return faults
}

// readsBlank reports that a text uses $_, which is a variable like any other.
func readsBlank(x *parsedText) bool {
	for n := range x.nodes() {
		c, ok := n.(*parse.CommandNode)
		if ok && slices.ContainsFunc(c.Args, func(a parse.Node) bool { v, ok := a.(*parse.VariableNode); return ok && v.Ident[0] == "$_" }) {
			return true
		}
	}
	return false
}

// last gives the command that gives a pipeline its value.
func last(p *parse.PipeNode) *parse.CommandNode { return p.Cmds[len(p.Cmds)-1] }

func (t *Template) checkRange(at *Text, p *parse.PipeNode) fault.List {
	c := last(p)
	t.rewritten.in = p
	switch calledBy(c) {
	case "seq":
		t.rewritten.replacements[c] = c.String() + ` | splitList " "`
		return fault.List{t.rewritten.fault(at, c, "seq gives a text, as the program of that name does, and range goes over a list; untilStep 1 4 1 is one of the numbers 1, 2 and 3")}
	case "split":
		t.rewritten.replacements[c.Args[0]] = "splitList"
		return fault.List{t.rewritten.fault(at, c, "split gives a map, and range goes over its keys in the order _0, _1, _10, _2")}
	}
	return nil
}

var merges = lazyregexp.New(`^(?:(?:merge|mustMerge)(?:Overwrite)?|set|unset)$`)

// ofVariable is a call whose first argument is a variable.
var ofVariable = lazyregexp.New(`^\w+ (\$\w+)(?: |$)`)

// checkDropped finds {{ $_ := merge $d … }} and {{ $_ := set $d … }}, by which Helm changes $d.
func checkDropped(at *Text, p *parse.PipeNode) fault.List {
	c := last(p)
	name := calledBy(c)
	if !merges.MatchString(name) || len(p.Decl) != 1 || p.Decl[0].Ident[0] != "$_" {
		return nil
	}
	hint := "{{ $all := " + c.String() + " }}, then $all"
	if m := ofVariable.FindStringSubmatch(c.String()); m != nil {
		hint = "{{ " + m[1] + " = " + c.String() + " }}"
	}
	return fault.List{at.fault(int(c.Pos), name+" changes none of its arguments, and what it gives is not used", hint)}
}
