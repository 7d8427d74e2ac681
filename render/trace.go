package render

import (
	"maps"
	"slices"
	"strconv"
	"text/template/parse"
)

// A tracer walks every tree once and notes where values go, whichever way an execution takes.
type tracer struct {
	dots   map[string]*origin // of the templates by name
	sites  []site             // by number; 0 is none
	calls  map[*parse.CommandNode]site
	values map[parse.Node]flow // of names, and of what is ranged over
}

// A site is a call in a template, with what its arguments may be made of.
type site struct {
	call *parse.CommandNode
	args []flow
}

// A frame is the variables of a block. What a block declares ends with it.
type frame struct {
	outer *frame
	names map[string]*origin
}

func (f *frame) inner() *frame { return &frame{outer: f} }

func (f *frame) find(name string) *origin {
	for ; f != nil; f = f.outer {
		if o, ok := f.names[name]; ok {
			return o
		}
	}
	return nil
}

func (f *frame) declare(name string, value flow) {
	if f.names == nil {
		f.names = make(map[string]*origin)
	}
	f.names[name] = &origin{from: []flow{value}}
}

// trace fills t.sites, t.calls and t.values.
func (t *Template) trace() {
	w := &tracer{
		dots:   make(map[string]*origin),
		sites:  make([]site, 1),
		calls:  make(map[*parse.CommandNode]site),
		values: make(map[parse.Node]flow),
	}
	for name := range t.trees {
		w.dots[name] = new(origin)
	}
	for _, name := range slices.Sorted(maps.Keys(t.trees)) {
		vars := new(frame)
		vars.declare("$", flow{of: w.dots[name]})
		w.list(t.trees[name].Root, flow{of: w.dots[name]}, vars)
	}
	t.sites, t.calls, t.values = w.sites, w.calls, w.values
}

func (w *tracer) list(l *parse.ListNode, dot flow, vars *frame) {
	if l == nil {
		return
	}
	vars = vars.inner()
	for _, n := range l.Nodes {
		w.node(n, dot, vars)
	}
}

func (w *tracer) node(n parse.Node, dot flow, vars *frame) {
	switch n := n.(type) {
	case *parse.ActionNode:
		w.pipe(n.Pipe, dot, vars)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			value := w.pipe(n.Pipe, dot, vars)
			if o := w.dots[n.Name]; o != nil {
				o.from = append(o.from, value)
			}
		}
	case *parse.IfNode:
		vars = vars.inner()
		w.pipe(n.Pipe, dot, vars)
		w.list(n.List, dot, vars)
		w.list(n.ElseList, dot, vars)
	case *parse.WithNode:
		vars = vars.inner()
		w.list(n.List, w.pipe(n.Pipe, dot, vars), vars)
		w.list(n.ElseList, dot, vars)
	case *parse.RangeNode:
		vars = vars.inner()
		over := w.commands(n.Pipe, dot, vars)
		w.values[n.Pipe] = over
		if d := n.Pipe.Decl; len(d) == 2 {
			w.set(n.Pipe, d[0], join(keyed, over), vars)
			w.set(n.Pipe, d[1], over.at("*"), vars)
		} else if len(d) == 1 {
			w.set(n.Pipe, d[0], over.at("*"), vars)
		}
		w.list(n.List, over.at("*"), vars)
		w.list(n.ElseList, dot, vars)
	}
}

// set declares a variable, or assigns to it.
func (w *tracer) set(p *parse.PipeNode, v *parse.VariableNode, value flow, vars *frame) {
	if o := vars.find(v.Ident[0]); o != nil && p.IsAssign {
		o.from = append(o.from, value)
		return
	}
	vars.declare(v.Ident[0], value)
}

func (w *tracer) pipe(p *parse.PipeNode, dot flow, vars *frame) flow {
	value := w.commands(p, dot, vars)
	for _, v := range p.Decl {
		w.set(p, v, value, vars)
	}
	return value
}

func (w *tracer) commands(p *parse.PipeNode, dot flow, vars *frame) flow {
	var value flow
	for i, c := range p.Cmds {
		var args []flow
		for _, a := range c.Args[1:] {
			args = append(args, w.arg(a, dot, vars))
		}
		if i > 0 {
			args = append(args, value)
		}
		if id, ok := c.Args[0].(*parse.IdentifierNode); ok {
			value = w.call(c, id.Ident, args)
		} else {
			value = w.arg(c.Args[0], dot, vars)
		}
	}
	return value
}

func (w *tracer) arg(n parse.Node, dot flow, vars *frame) flow {
	value := w.value(n, dot, vars)
	if fieldsOf(n) != nil {
		w.values[n] = value
	}
	return value
}

func (w *tracer) value(n parse.Node, dot flow, vars *frame) flow {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return dot.at(n.Ident...)
	case *parse.VariableNode:
		return flow{of: vars.find(n.Ident[0])}.at(n.Ident[1:]...)
	case *parse.PipeNode:
		return w.commands(n, dot, vars)
	case *parse.ChainNode:
		return w.arg(n.Node, dot, vars).at(n.Field...)
	}
	return flow{}
}

// call gives what a function's result is made of. Of one that is not known here that is every argument.
func (w *tracer) call(c *parse.CommandNode, name string, args []flow) flow {
	w.calls[c] = site{c, args}
	switch name {
	case "and", "or", "default", "coalesce", "ternary", "required", "deepCopy", "mustDeepCopy", "pick", "omit",
		"merge", "mustMerge", "mergeOverwrite", "mustMergeOverwrite":
		return join(taken, args...)
	case "first", "last", "mustFirst", "mustLast":
		return join(taken, args...).at("*")
	case "keys":
		return join(keyed, args...)
	case "fromJson", "mustFromJson":
		return join(parsed, args...)
	case "dict":
		return literalDict(c, args)
	case "list", "tuple":
		o := &origin{fields: make(map[string]*origin)}
		for i, a := range args {
			o.fields[strconv.Itoa(i)] = a.wrap()
		}
		return flow{of: o}
	case "get", "index":
		return part(c, args)
	}
	if !named(name) {
		return join(made, args...)
	}
	w.sites = append(w.sites, site{c, args})
	if name == "env" {
		return flow{}
	}
	o := &origin{site: len(w.sites) - 1}
	if lookupFunctions[name].arg == 1 && len(args) > 0 {
		o.from = []flow{join(made, args[0])} // the default
	}
	return flow{of: o}
}

// named reports that a function of ours gets a name that a template may compute.
func named(name string) bool {
	fn, ok := lookupFunctions[name]
	return ok && fn.name == "" || name == "env"
}

// literalDict gives the dict that a call makes, element by element where its keys are literals.
func literalDict(c *parse.CommandNode, args []flow) flow {
	o := &origin{fields: make(map[string]*origin)}
	for i := 0; i+1 < len(args); i += 2 {
		key, ok := word(c, i)
		if !ok {
			return join(made, args...)
		}
		o.fields[key] = join(taken, flow{of: o.fields[key]}, args[i+1]).of
	}
	return flow{of: o}
}

// part gives the flow of get MAP KEY [DEFAULT] and index VALUE KEY….
func part(c *parse.CommandNode, args []flow) flow {
	if len(args) == 0 {
		return flow{}
	}
	last := len(args)
	if name := c.Args[0].(*parse.IdentifierNode).Ident; name == "get" {
		last = min(2, last)
	}
	var path []string
	for i := 1; i < last; i++ {
		key, ok := word(c, i)
		if !ok {
			key = "*"
		}
		path = append(path, key)
	}
	return join(taken, append([]flow{args[0].at(path...)}, args[last:]...)...)
}

// word gives argument i of a call where it is a literal key.
func word(c *parse.CommandNode, i int) (string, bool) {
	if i+1 >= len(c.Args) {
		return "", false // piped in
	}
	switch n := c.Args[i+1].(type) {
	case *parse.StringNode:
		return n.Text, true
	case *parse.NumberNode:
		return strconv.FormatInt(n.Int64, 10), n.IsInt
	}
	return "", false
}
