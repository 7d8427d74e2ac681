package render

import (
	"fmt"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// checkUses finds functions whose result is not what it is used for: seq gives text, split a map,
// and merge changes nothing.
func (t *Template) checkUses() fault.List {
	var faults fault.List
	read := 0 // how often $_ is
	t.eachNode(func(_ *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.VariableNode:
			if n.Ident[0] == "$_" {
				read++
			}
		case *parse.PipeNode:
			read -= len(n.Decl) // they are nodes, too
			for _, v := range n.Decl {
				if v.Ident[0] != "$_" {
					read++
				}
			}
		}
	})
	t.eachNode(func(at *Text, n parse.Node) {
		switch n := n.(type) {
		case *parse.RangeNode:
			faults = append(faults, t.checkRange(at, n.Pipe)...)
		case *parse.ActionNode:
			if read == 0 {
				faults = append(faults, checkDropped(at, n.Pipe)...)
			}
		}
	})
	return faults
}

// last gives the function that gives a pipeline its value.
func last(p *parse.PipeNode) (*parse.CommandNode, *parse.IdentifierNode) {
	c := p.Cmds[len(p.Cmds)-1]
	id, _ := c.Args[0].(*parse.IdentifierNode)
	return c, id
}

func (t *Template) checkRange(at *Text, p *parse.PipeNode) fault.List {
	c, id := last(p)
	switch {
	case id == nil:
	case id.Ident == "seq":
		t.rewritten.replace(c, counted(p, c))
		return fault.List{t.rewritten.fault(at, id, "seq gives a text, as the program of that name does, and range goes over a list")}
	case id.Ident == "split":
		t.rewritten.replace(id, "splitList")
		return fault.List{t.rewritten.fault(at, id, "split gives a map, and range goes over its keys in the order _0, _1, _10, _2")}
	}
	return nil
}

// counted writes what gives the numbers of seq as a list: of those that are written down
// untilStep does, of others a list of texts.
func counted(p *parse.PipeNode, c *parse.CommandNode) string {
	var n []int64
	for _, a := range c.Args[1:] {
		if number, ok := a.(*parse.NumberNode); ok && number.IsInt {
			n = append(n, number.Int64)
		}
	}
	first, step := int64(1), int64(1)
	switch {
	case len(p.Cmds) > 1 || len(n) != len(c.Args)-1 || len(n) < 1 || len(n) > 3:
		return c.String() + ` | splitList " "`
	case len(n) > 1:
		first = n[0]
	}
	end := n[len(n)-1]
	if len(n) == 3 {
		step = n[1]
	} else if end < first {
		step = -1
	}
	if step < 0 {
		return fmt.Sprintf("untilStep %d %d %d", first, end-1, step)
	}
	return fmt.Sprintf("untilStep %d %d %d", first, end+1, step)
}

// checkDropped finds {{ $_ := merge $d … }}, by which Helm changes $d.
func checkDropped(at *Text, p *parse.PipeNode) fault.List {
	c, id := last(p)
	if id == nil || len(p.Decl) != 1 || p.Decl[0].Ident[0] != "$_" {
		return nil
	}
	switch id.Ident {
	case "merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite":
	default:
		return nil
	}
	hint := "{{ $all := " + c.String() + " }}, then $all"
	if len(c.Args) > 1 {
		if v, ok := c.Args[1].(*parse.VariableNode); ok && len(v.Ident) == 1 && v.Ident[0] != "$" {
			hint = "{{ " + v.Ident[0] + " = " + c.String() + " }}"
		}
	}
	return fault.List{at.fault(int(id.Pos), id.Ident+" changes none of its arguments, and what it gives is not used", hint)}
}
