package render

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// ref reads the text of a ref as a function of this template means it.
func (t *Template) ref(kind sources.Kind, text string) (sources.Ref, error) {
	if kind == sources.File && text != "" {
		if !filepath.IsAbs(text) {
			text = filepath.Join(t.Dir, text)
		}
		text = filepath.Clean(text)
	}
	return sources.ParseRef(kind, text)
}

// A finder walks the trees that the main template can reach, as an execution would, and notes the
// lookups. Both branches of a condition are walked: which one is taken may depend on a value.
type finder struct {
	t      *Template
	faults fault.List
	// seen has what is noted already: a node may be walked with several dots.
	seen map[asking]bool
	// active are the templates being walked, against recursion.
	active   map[string]bool
	reported map[parse.Node]bool // faults that were
	// conditions are pipelines and names that decide; false: a trap, and noted.
	conditions map[parse.Node]bool
	// assigned counts for each template how often a variable is changed.
	assigned    map[string]map[string]int
	steps       int
	depth       int
	typeTests   int // conditions around that ask what a value is
	conditional int // branches around: what stands there may never be executed
}

// An asking is a call of a lookup function that asks for a ref.
type asking struct {
	function *parse.IdentifierNode
	ref      sources.Ref
}

// maxDepth bounds it where blocks stand in blocks.
const maxDepth = 1000

// maxSteps bounds the walk where vars are ranged over; what lies beyond is found by the render.
const maxSteps = 100_000

// findLookups fills t.lookups. A ref that is known and can name nothing is a fault.
func (t *Template) findLookups() fault.List {
	f := &finder{
		t:          t,
		seen:       make(map[asking]bool),
		active:     make(map[string]bool),
		reported:   make(map[parse.Node]bool),
		conditions: make(map[parse.Node]bool),
		assigned:   make(map[string]map[string]int),
	}
	f.template(t.Main.Name, t.dot())
	return f.faults
}

func (f *finder) template(name string, dot any) {
	tree := f.t.trees[name]
	if tree == nil || f.active[name] {
		return
	}
	f.active[name] = true
	if f.assigned[name] == nil {
		f.assigned[name] = assignments(tree)
	}
	f.list(tree.Root, newScope(f.t.text(tree), dot, f.assigned[name]))
	delete(f.active, name)
}

func (f *finder) list(l *parse.ListNode, s *scope) {
	if l == nil {
		return
	}
	if f.depth++; f.depth > maxDepth {
		f.depth--
		return
	}
	defer func() { f.depth-- }()
	s = s.inner()
	for _, n := range l.Nodes {
		if f.steps++; f.steps > maxSteps {
			return
		}
		f.node(n, s)
	}
}

func (f *finder) node(n parse.Node, s *scope) {
	switch n := n.(type) {
	case *parse.ActionNode:
		value := f.action(n.Pipe, s)
		f.recordConstant(n, value)
		f.recordPrinted(n, value, s)
	case *parse.TemplateNode:
		f.called(n, s)
	case *parse.IfNode:
		s = s.inner()
		f.markConditions(n.Pipe)
		f.action(n.Pipe, s)
		f.withTypeTest(n.Pipe, func() {
			f.branch(n.List, s)
			f.branch(n.ElseList, s)
		})
	case *parse.WithNode:
		s = s.inner()
		value := f.action(n.Pipe, s)
		f.withTypeTest(n.Pipe, func() {
			f.branch(n.List, s.with(value))
			f.branch(n.ElseList, s)
		})
	case *parse.RangeNode:
		f.ranged(n, s.inner())
	}
}

// called walks a template that another calls.
func (f *finder) called(n *parse.TemplateNode, s *scope) {
	dot := any(nil)
	if n.Pipe != nil {
		dot = f.action(n.Pipe, s)
	}
	if f.t.trees[n.Name] == nil {
		f.undefinedTemplate(n, n.Name, s.text)
	}
	f.template(n.Name, dot)
}

// branch walks what may never be executed.
func (f *finder) branch(l *parse.ListNode, s *scope) {
	f.conditional++
	f.list(l, s)
	f.conditional--
}

// ranged walks the body of a range once for each element where they are known, else once.
func (f *finder) ranged(n *parse.RangeNode, s *scope) {
	over := f.action(n.Pipe, s)
	f.checkRanged(n, over, s)
	f.checkElse(n, over, s)
	list := reflect.ValueOf(over)
	switch m, known := over.(map[string]any); {
	case known:
		for _, k := range slices.Sorted(maps.Keys(m)) {
			f.iteration(n, k, m[k], s)
		}
	case list.Kind() == reflect.Slice:
		for i := range list.Len() {
			f.iteration(n, i, list.Index(i).Interface(), s)
		}
	default:
		elem := pieceOf(over).at(anyName)
		if f.t.ranged == nil {
			f.t.ranged = elem
		}
		f.iteration(n, unknown{}, elem, s)
	}
	f.branch(n.ElseList, s)
}

// iteration walks the body of a range for one element.
func (f *finder) iteration(n *parse.RangeNode, key, elem any, s *scope) {
	if f.steps++; f.steps > maxSteps {
		return
	}
	s = s.with(elem)
	switch len(n.Pipe.Decl) {
	case 1:
		s.set(n.Pipe, 0, elem)
	case 2:
		s.set(n.Pipe, 0, key)
		s.set(n.Pipe, 1, elem)
	}
	f.branch(n.List, s)
}

// action walks the pipeline of an action.
func (f *finder) action(p *parse.PipeNode, s *scope) any {
	f.t.rewritten.in = p
	return f.pipe(p, s)
}

// pipe walks a pipeline, notes its lookups, declares its variables and gives its value where that
// is known.
func (f *finder) pipe(p *parse.PipeNode, s *scope) any {
	value := any(none{})
	for i, c := range p.Cmds {
		var before *parse.CommandNode
		if i > 0 {
			before = p.Cmds[i-1]
		}
		value = f.command(c, before, value, s)
	}
	f.checkCondition(p, value, s)
	for i := range p.Decl {
		s.set(p, i, value)
	}
	return value
}

// command walks a command whose last argument is piped into it by the command before, none{} where
// nothing is.
func (f *finder) command(c, before *parse.CommandNode, piped any, s *scope) (value any) {
	if calledBy(c) == "" {
		f.reported[c.Args[0]] = len(c.Args) > 1 // a fault already, whatever it is
		value = f.arg(c.Args[0], s)
		f.args(c, s)
	} else {
		args := f.args(c, s)
		if piped != (none{}) {
			args = append(args, piped)
		}
		for i, a := range args {
			f.recordKnown(c, i, a)
		}
		value = f.call(c, before, args, s)
	}
	f.recordPiece(c, value)
	return value
}

// args walks the arguments that are written.
func (f *finder) args(c *parse.CommandNode, s *scope) (args []any) {
	conditional := f.conditional
	for _, a := range c.Args[1:] {
		args = append(args, f.arg(a, s))
		if _, inner := a.(*parse.PipeNode); !inner { // which has been judged
			f.checkCondition(a, args[len(args)-1], s)
		}
		if name := calledBy(c); name == "and" || name == "or" {
			f.conditional++ // the rest is executed where this does not decide
		}
	}
	f.conditional = conditional
	return args
}

// call walks a call whose arguments are walked, and gives its value.
func (f *finder) call(c, before *parse.CommandNode, args []any, s *scope) any {
	name := calledBy(c)
	if _, ok := lookupFunctions[name]; ok {
		p := f.lookup(c, before, args, s.text)
		f.checkVaultArguments(c, p, s)
		if p.isText() {
			f.recordUse(p)
		}
		return unknown{piece: p}
	}
	operands := f.operands(c, before, args)
	if name == "include" {
		f.checkOrder(c, operands, s)
		f.included(c, args, s)
		return unknown{made: signatures()[name].Out(0)}
	}
	f.checkVariable(c, operands, s)
	f.checkOrder(c, operands, s)
	f.checkArguments(c, before, operands, s)
	result := f.t.fold(name, args)
	if pieceOf(result) != nil {
		return result // it is a piece still
	}
	for _, a := range args {
		f.recordUse(pieceOf(a))
	}
	if t := signatures()[name]; t != nil && result == (any)(unknown{}) {
		return unknown{made: t.Out(0)}
	}
	return result
}

func (f *finder) arg(n parse.Node, s *scope) any {
	switch n := n.(type) {
	case *parse.PipeNode:
		return f.pipe(n, s)
	case *parse.IdentifierNode: // a function without arguments, in the place of an argument
		return f.t.fold(n.Ident, nil)
	case *parse.ChainNode:
		value := f.arg(n.Node, s)
		f.checkFields(value, n, s)
		return field(value, n.Field)
	case *parse.DotNode:
		f.recordPiece(n, s.dot)
		return s.dot
	case *parse.FieldNode:
		f.checkFields(s.dot, n, s)
		return field(s.dot, n.Ident)
	case *parse.VariableNode:
		value := s.variable(n.Ident[0])
		f.checkFields(value, n, s)
		return field(value, n.Ident[1:])
	}
	return literal(n)
}

// lookup notes the lookup that a call makes, and gives what that gives.
func (f *finder) lookup(c, before *parse.CommandNode, args []any, text *Text) *piece {
	id := c.Args[0].(*parse.IdentifierNode)
	fn := lookupFunctions[id.Ident]
	p := &piece{function: id.Ident, shape: fn.gives}
	if fn.name != "" {
		args = []any{fn.name}
	}
	if fn.arg < len(args) {
		if name, ok := args[fn.arg].(string); ok && !f.names(c, p, name, text) {
			return p
		}
		if fn.arg > 0 {
			p.fallback, _ = args[0].(string)
			f.checkDefault(c, args, text)
		}
		p.keys = keyNames(args[fn.arg+1:])
	}
	if !f.seen[asking{id, p.ref}] {
		f.seen[asking{id, p.ref}] = true
		written := fn.name != "" || isWritten(c, before, fn.arg)
		l := Lookup{text.spot(int(id.Pos)), id.Ident, fn.kind, p.ref, written, p.isTruth()}
		f.t.lookups = append(f.t.lookups, l)
		f.previousLookup(l)
	}
	return p
}

// isWritten reports whether an argument of a call, into which the command before it may be piped,
// is a text that stands in the template.
func isWritten(c, before *parse.CommandNode, arg int) bool {
	var n parse.Node
	switch {
	case arg+1 < len(c.Args):
		n = c.Args[arg+1]
	case before != nil && len(before.Args) == 1:
		n = before.Args[0]
	}
	_, written := n.(*parse.StringNode)
	return written
}

// names notes the name of a lookup, and reports whether it may be one.
func (f *finder) names(c *parse.CommandNode, p *piece, name string, text *Text) bool {
	fn := lookupFunctions[p.function]
	ref, err := f.t.refFor(p.function, name)
	if err != nil {
		f.reportOnce(c, text.fault(int(c.Pos), fmt.Sprintf("%s %q: %v", fn.kind, name, err)))
		return false
	}
	p.ref = ref
	f.t.known[argument{c, fn.arg, name}] = &ref
	f.checkAnswerable(ref, c.Args[0].(*parse.IdentifierNode), text)
	return true
}

// checkDefault notes a default and a name that stand in each other's place.
func (f *finder) checkDefault(c *parse.CommandNode, args []any, text *Text) {
	id := c.Args[0].(*parse.IdentifierNode)
	switch {
	case f.reported[id]:
		return
	case !swapped(args):
		if id.Ident == "paramsOr" && kindOf(args[0])&isMap == 0 {
			f.reportOnce(id, text.fault(int(id.Pos), "paramsOr takes a map as the default; {{ dict }} is an empty one"))
		}
		return
	}
	o, _ := orderNamed(id.Ident)
	f.t.rewritten.orders[c] = permutation(o.spread(o.ours, len(args)), o.spread(o.foreign[0], len(args)))
	f.reportOnce(id, f.t.rewritten.fault(text, id, o.describe(id.Ident)))
}
