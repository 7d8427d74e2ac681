package render

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// lookupFunctions says for each lookup function what its ref names and which argument it is.
var lookupFunctions = map[string]struct {
	kind sources.Kind
	arg  int
	name string // what it names where no argument does
}{
	"secret":      {sources.Secret, 0, ""},
	"secretMap":   {sources.Secret, 0, ""},
	"secretBytes": {sources.Secret, 0, ""},
	"secretOr":    {sources.Secret, 1, ""},
	"param":       {sources.Param, 0, ""},
	"paramList":   {sources.Param, 0, ""},
	"paramOr":     {sources.Param, 1, ""},
	"params":      {sources.Params, 0, ""},
	"paramsTree":  {sources.Params, 0, ""},
	"file":        {sources.File, 0, ""},
	"imds":        {sources.IMDS, 0, ""},
	"awsRegion":   {sources.Own, 0, "region"},
	"awsAccount":  {sources.Own, 0, "account"},
}

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

// A finder walks the trees that the main template can reach, as an execution would, and notes the lookups. Both branches of a
// condition are walked: which one is taken may depend on a value.
type finder struct {
	t          *Template
	folder     folder
	faults     fault.List
	seen       map[*parse.IdentifierNode]map[sources.Ref]bool // noted already: a node may be walked with several dots
	active     map[string]bool                                // templates being walked, against recursion
	noted      map[parse.Node]bool                            // faults that were
	conditions map[parse.Node]bool                            // pipelines and names that decide; false: a trap, and noted
	steps      int
	depth      int
	told       int // conditions around that ask what a value is
	maybe      int // branches around: what stands there may never be executed
}

// maxDepth bounds it where blocks stand in blocks.
const maxDepth = 1000

// maxSteps bounds the walk where vars are ranged over; what lies beyond is found by the render.
const maxSteps = 100_000

// findLookups fills t.lookups. A ref that is known and can name nothing is a fault.
func (t *Template) findLookups() fault.List {
	f := &finder{
		t:          t,
		folder:     folder{env: t.Env, hostname: t.Hostname, pure: funcs.Map()},
		seen:       make(map[*parse.IdentifierNode]map[sources.Ref]bool),
		active:     make(map[string]bool),
		noted:      make(map[parse.Node]bool),
		conditions: make(map[parse.Node]bool),
	}
	f.template(t.Main.Name, t.Vars)
	return f.faults
}

func (f *finder) template(name string, dot any) {
	tree := f.t.trees[name]
	if tree == nil || f.active[name] {
		return
	}
	f.active[name] = true
	f.list(tree.Root, newScope(f.t.text(tree), tree, dot))
	delete(f.active, name)
}

func (f *finder) list(l *parse.ListNode, s scope) {
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

func (f *finder) node(n parse.Node, s scope) {
	switch n := n.(type) {
	case *parse.ActionNode:
		f.inserts(n, f.pipe(n.Pipe, s), s)
	case *parse.TemplateNode:
		dot := any(nil)
		if n.Pipe != nil {
			dot = f.pipe(n.Pipe, s)
		}
		if f.t.trees[n.Name] == nil {
			f.noTemplate(n, s.text)
		}
		f.template(n.Name, dot)
	case *parse.IfNode:
		s = s.inner()
		f.decides(n.Pipe)
		f.pipe(n.Pipe, s)
		f.asks(n.Pipe, func() {
			f.branch(n.List, s)
			f.branch(n.ElseList, s)
		})
	case *parse.WithNode:
		s = s.inner()
		value := f.pipe(n.Pipe, s)
		f.asks(n.Pipe, func() {
			f.branch(n.List, s.with(value))
			f.branch(n.ElseList, s)
		})
	case *parse.RangeNode:
		f.ranged(n, s.inner())
	}
}

// branch walks what may never be executed.
func (f *finder) branch(l *parse.ListNode, s scope) {
	f.maybe++
	f.list(l, s)
	f.maybe--
}

// ranged walks the body of a range once for each element where they are known, else once.
func (f *finder) ranged(n *parse.RangeNode, s scope) {
	over := f.pipe(n.Pipe, s)
	f.goesOver(n, over, s)
	each := func(key, elem any) {
		s := s.with(elem)
		switch d := n.Pipe.Decl; len(d) {
		case 1:
			s.set(d[0].Ident[0], elem)
		case 2:
			s.set(d[0].Ident[0], key)
			s.set(d[1].Ident[0], elem)
		}
		f.branch(n.List, s)
	}
	switch over := over.(type) {
	case []any:
		for i, e := range over {
			each(int64(i), e)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(over)) {
			each(k, over[k])
		}
	case unknown:
		each(unknown{}, over.piece.at(anyName))
	default:
		each(unknown{}, unknown{})
	}
	f.branch(n.ElseList, s)
}

// pipe walks a pipeline, notes its lookups, declares its variables and gives its value where that is known.
func (f *finder) pipe(p *parse.PipeNode, s scope) any {
	value := any(none{})
	for i, c := range p.Cmds {
		var before *parse.CommandNode
		if i > 0 {
			before = p.Cmds[i-1]
		}
		value = f.command(c, before, value, s)
	}
	f.judges(p, value, s)
	for _, v := range p.Decl {
		s.set(v.Ident[0], value)
	}
	return value
}

// command walks a command whose last argument is piped into it by the command before, none{} where
// nothing is.
func (f *finder) command(c, before *parse.CommandNode, piped any, s scope) any {
	id, call := c.Args[0].(*parse.IdentifierNode)
	if !call {
		f.noted[c.Args[0]] = len(c.Args) > 1 // a fault already, whatever it is
		value := f.arg(c.Args[0], s)
		for _, a := range c.Args[1:] {
			f.arg(a, s)
		}
		return value
	}
	var args []any
	maybe := f.maybe
	for _, a := range c.Args[1:] {
		args = append(args, f.arg(a, s))
		if _, inner := a.(*parse.PipeNode); !inner { // which has been judged
			f.judges(a, args[len(args)-1], s)
		}
		if id.Ident == "and" || id.Ident == "or" {
			f.maybe++ // the rest is executed where this does not decide
		}
	}
	f.maybe = maybe
	if piped != (none{}) {
		args = append(args, piped)
	}
	if _, ok := lookupFunctions[id.Ident]; ok {
		f.note(c, args, s.text)
		given := f.given(id, args)
		f.asksVault(id, given.piece, s)
		if given.piece.shape == oneText {
			f.uses(given.piece)
		}
		return given
	}
	operands := f.operands(c, before, args)
	f.ordered(c, operands, s)
	f.takes(id, args, s)
	f.unfit(c, before, operands, s)
	result := f.folder.call(id.Ident, args)
	if v, ok := result.(unknown); !ok || v.piece == nil { // else it is a piece still
		for _, a := range args {
			if v, ok := a.(unknown); ok {
				f.uses(v.piece)
			}
		}
		if t := signatures()[id.Ident]; ok && t != nil {
			result = unknown{made: t.Out(0)}
		}
	}
	return result
}

func (f *finder) arg(n parse.Node, s scope) any {
	switch n := n.(type) {
	case *parse.PipeNode:
		return f.pipe(n, s)
	case *parse.IdentifierNode: // a function without arguments, in the place of an argument
		return f.folder.call(n.Ident, nil)
	case *parse.ChainNode:
		value := f.arg(n.Node, s)
		f.follows(value, n.Field, n, s)
		return field(value, n.Field)
	case *parse.FieldNode:
		f.hasField(s, s.dot, n.Ident, n)
		f.follows(s.dot, n.Ident, n, s)
	case *parse.VariableNode:
		f.hasField(s, s.vars[n.Ident[0]], n.Ident[1:], n)
		f.follows(s.vars[n.Ident[0]], n.Ident[1:], n, s)
	}
	return s.constant(n)
}

// note records the lookup that a call makes.
func (f *finder) note(c *parse.CommandNode, args []any, text *Text) {
	id := c.Args[0].(*parse.IdentifierNode)
	fn := lookupFunctions[id.Ident]
	at := text.fault(int(id.Pos), "")
	l := Lookup{Function: id.Ident, Place: at.Place, Line: at.Line}
	if fn.name != "" {
		args = []any{fn.name}
	}
	if fn.arg < len(args) {
		if name, ok := args[fn.arg].(string); ok {
			ref, err := f.t.ref(fn.kind, name)
			if err != nil {
				f.faults = append(f.faults, text.fault(int(id.Pos), fmt.Sprintf("%s %q: %v", fn.kind, name, err)))
				return
			}
			l.Ref = ref
			f.answerable(ref, id, text)
		}
		if fn.arg == 1 && swapped(args) && !f.noted[id] {
			f.noted[id] = true
			o, _ := orderNamed(id.Ident)
			f.t.rewritten.order(c, places(o.spread(o.ours, len(args)), o.spread(o.abroad[0], len(args))))
			f.faults = append(f.faults, f.t.rewritten.fault(text, id, o.words(id.Ident)))
		}
	}
	if f.seen[id] == nil {
		f.seen[id] = make(map[sources.Ref]bool)
	}
	if !f.seen[id][l.Ref] {
		f.seen[id][l.Ref] = true
		f.t.lookups = append(f.t.lookups, l)
	}
}
