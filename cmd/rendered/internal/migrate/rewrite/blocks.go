package rewrite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// What begins a block: if, with, range and template.

// ifNode rewrites a condition. Of a value that is asked for and then read it makes one lookup.
func (r *rewriter) ifNode(n *parse.IfNode, s scope) {
	if key, ok := r.asked(n); ok && r.readsAlone(n.List, key) && !r.elseIf(n) {
		a, found := r.src.around(int(n.Pipe.Position()))
		if found && strings.HasPrefix(r.src.text[a.inside:], "if") && r.header(n.Pipe, func() string { return r.optional(n.Pipe, key, s) }) {
			r.edits = append(r.edits, edit{a.inside, a.inside + len("if"), "with"})
			inner := s.within(shape{kind: oneText})
			inner.current = key
			r.list(n.List, inner)
			r.list(n.ElseList, s.within(s.dot))
			return
		}
	}
	r.testHeader(n.Pipe, s, isEmpty)
	inner := s.within(s.dot)
	inner.current = s.current
	r.list(n.List, inner)
	r.list(n.ElseList, s.within(s.dot))
}

// elseIf reports that a condition goes on with an else if, which a with does not.
func (r *rewriter) elseIf(n *parse.IfNode) bool {
	if n.ElseList == nil || len(n.ElseList.Nodes) != 1 {
		return false
	}
	next, is := n.ElseList.Nodes[0].(*parse.IfNode)
	if !is {
		return false
	}
	a, found := r.src.around(int(next.Pipe.Position()))
	return found && strings.HasPrefix(r.src.text[a.inside:], "else")
}

// listsSomething is the question whether a list of what is below a path is empty.
var listsSomething = lazyregexp.New(`^(?:keys \(paramsTree ("[^"]*")\)|paramChildren ("[^"]*"))$`)

// A question says what an action does with what it tests: an if asks whether it is empty, a with
// makes it the dot, too.
type question bool

const (
	isEmpty    question = false
	becomesDot question = true
)

// testHeader rewrites what an action tests; it gives nothing where that is refused.
func (r *rewriter) testHeader(p *parse.PipeNode, s scope, q question) (v value) {
	r.testing = true
	defer func() { r.testing = false }()
	if !r.header(p, func() string {
		v = r.ask(p, r.pipeline(p, s, true), q)
		if r.refusal == nil && len(p.Decl) > 0 {
			s.vars[p.Decl[0].Ident[0]] = v.shape
		}
		return declaration(p) + v.text
	}) {
		return value{}
	}
	return v
}

// ask writes a list of what is below a path so that it may be empty where it is only tested.
func (r *rewriter) ask(p *parse.PipeNode, v value, q question) value {
	switch {
	case q == becomesDot && v.shape.kind == pairs:
		r.remark(p.Position(), emptyWhy)
	case q == isEmpty && len(p.Decl) == 0:
		v.text = listsSomething.ReplaceAllString(v.text, "paramsExist $1$2")
	}
	return v
}

// asked gives the path that a condition asks for, where it does nothing else.
func (r *rewriter) asked(n *parse.IfNode) (string, bool) {
	if r.o.Program.exists == "" || len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) != 1 || r.o.Backend != Parameters {
		return "", false
	}
	return calledWith(n.Pipe.Cmds[0], r.o.Program.exists)
}

// calledWith gives the text that is the only argument of a call of a function.
func calledWith(c *parse.CommandNode, name string) (string, bool) {
	if len(c.Args) != 2 {
		return "", false
	}
	id, called := c.Args[0].(*parse.IdentifierNode)
	text, written := c.Args[1].(*parse.StringNode)
	if !called || !written || id.Ident != name {
		return "", false
	}
	return text.Text, true
}

// readsAlone reports that the only thing that a list does with its dot, and with what changes it,
// is to read the value of a path.
func (r *rewriter) readsAlone(l *parse.ListNode, key string) bool {
	reads, alone := false, true
	eachNode(l, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.DotNode, *parse.FieldNode, *parse.RangeNode, *parse.WithNode, *parse.TemplateNode:
			alone = false
		case *parse.CommandNode:
			if text, ok := calledWith(n, r.o.Program.reads); ok && text == key {
				reads = true
			}
		}
	})
	return reads && alone
}

// optional writes the lookup of a value that may be missing.
func (r *rewriter) optional(p *parse.PipeNode, key string, s scope) string {
	path := r.path(value{text: fmt.Sprintf("%q", key), literal: key, written: whole}, p.Position())
	return `paramOr "" ` + path.text
}

func (r *rewriter) with(n *parse.WithNode, s scope) {
	inner := s.within(shape{})
	v := r.testHeader(n.Pipe, inner.withDot(s), becomesDot)
	inner.dot = v.shape
	r.list(n.List, inner)
	r.list(n.ElseList, s.within(s.dot))
}

// withDot gives a scope with the dot of another, and its own variables.
func (s scope) withDot(of scope) scope { return scope{dot: of.dot, vars: s.vars, current: of.current} }

func (r *rewriter) rangeNode(n *parse.RangeNode, s scope) {
	inner := s.within(shape{})
	var v value
	r.header(n.Pipe, func() string {
		v = r.pipeline(n.Pipe, s, false)
		if r.refusal != nil {
			return ""
		}
		return r.rangeOver(n, v, inner.vars, &inner.dot)
	})
	r.list(n.List, inner)
	r.list(n.ElseList, s.within(s.dot))
}

// rangeOver writes what range goes over, and notes what its variables and its dot are.
func (r *rewriter) rangeOver(n *parse.RangeNode, v value, vars map[string]shape, dot *shape) string {
	decl := n.Pipe.Decl
	switch v.shape.kind {
	case vaultSecret, onePathPair, onePair:
		r.whole(v, n.Pipe.Position())
	case vaultData:
		r.whole(v, n.Pipe.Position())
	case pathMap:
		return r.rangeOverMap(n, v, vars, dot)
	case pairs:
		if n.ElseList != nil {
			r.remark(n.Pipe.Position(), "a path with nothing below it is an error here, and its else is not reached; ask paramsExist before")
		} else {
			r.remark(n.Pipe.Position(), emptyWhy)
		}
	}
	*dot = v.shape.element()
	if len(decl) > 0 {
		vars[decl[len(decl)-1].Ident[0]] = *dot
	}
	return declaration(n.Pipe) + v.text
}

// rangeOverMap writes a range over a map, with variables for the key and the value.
func (r *rewriter) rangeOverMap(n *parse.RangeNode, v value, vars map[string]shape, dot *shape) string {
	decl := n.Pipe.Decl
	if len(decl) == 2 && usesVariable(n.List, decl[0].Ident[0]) {
		r.refuse(n.Pipe.Position(), "range over all below a path gives names and values here, and no numbers")
		return ""
	}
	if n.Pipe.IsAssign {
		r.refuse(n.Pipe.Position(), "range over all below a path has variables of its own here, and assigns to no others; write := instead of =")
		return ""
	}
	for _, d := range decl {
		if _, before := vars[d.Ident[0]]; !before && usesVariable(n.Pipe, d.Ident[0]) {
			r.refuse(n.Pipe.Position(), "%s is used before it is set", d.Ident[0])
			return ""
		}
	}
	number := r.unused(vars, "$name", "$value")
	key, text := "$name"+number, "$value"+number
	vars[key], vars[text] = shape{kind: oneText}, shape{kind: oneText}
	*dot = shape{kind: onePathPair, key: key, value: text, below: v.shape.below}
	if len(decl) > 0 {
		vars[decl[len(decl)-1].Ident[0]] = *dot
	}
	return key + ", " + text + " := " + v.text
}

// unused gives the number, "" first, behind which names are no variables of the template's.
func (r *rewriter) unused(vars map[string]shape, names ...string) string {
	for i, number := 2, ""; ; i, number = i+1, strconv.Itoa(i) {
		if !slices.ContainsFunc(names, func(name string) bool {
			_, is := vars[name+number]
			return is || strings.Contains(r.src.text, name+number)
		}) {
			return number
		}
	}
}

func usesVariable(in parse.Node, name string) (used bool) {
	eachNode(in, func(n parse.Node) {
		if v, ok := n.(*parse.VariableNode); ok && v.Ident[0] == name {
			used = true
		}
	})
	return used
}

func (r *rewriter) template(n *parse.TemplateNode, s scope) {
	r.queue = append(r.queue, n.Name)
	if n.Pipe == nil {
		return
	}
	var v value
	if r.header(n.Pipe, func() string {
		v = r.pipeline(n.Pipe, s, false)
		return v.text
	}) {
		r.templates[n.Name] = v.shape
	}
}
