package render

import (
	"maps"
	"reflect"
	"slices"
	"text/template"
	"text/template/parse"
)

// Folding finds out before the first render what a template will ask for, where that depends on literals, vars, env and
// hostname only. What it cannot know is unknown; it never guesses.

// unknown is what only a render can tell.
type unknown struct {
	piece *piece       // what it is a part of and as it is, where the template alone tells that; nil: of nothing that is known
	made  reflect.Type // what the function that makes it gives; nil is any
}

// none is the absence of a piped argument.
type none struct{}

// A scope is what names stand for at one place of a template.
type scope struct {
	text     *Text
	dot      any
	vars     map[string]any  // by name with its $; changed only by inner blocks' own copies
	assigned map[string]bool // variables that some = changes; their value depends on the way taken
}

func newScope(text *Text, tree *parse.Tree, dot any) scope {
	if dot == nil {
		dot = unknown{}
	}
	s := scope{text: text, dot: dot, vars: map[string]any{"$": dot}, assigned: make(map[string]bool)}
	inspect(tree.Root, func(n parse.Node) bool {
		if p, ok := n.(*parse.PipeNode); ok && p.IsAssign {
			for _, v := range p.Decl {
				s.assigned[v.Ident[0]] = true
			}
		}
		return true
	})
	return s
}

// inner gives the scope of a block: what it declares ends with it.
func (s scope) inner() scope {
	s.vars = maps.Clone(s.vars)
	return s
}

// with gives the scope of a block whose dot is value.
func (s scope) with(value any) scope {
	s = s.inner()
	s.dot = value
	return s
}

func (s scope) set(name string, value any) {
	if s.assigned[name] {
		value = unknown{}
	}
	s.vars[name] = value
}

// constant gives the value of a node that calls nothing.
func (s scope) constant(n parse.Node) any {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text
	case *parse.BoolNode:
		return n.True
	case *parse.NumberNode:
		switch {
		case n.IsInt:
			return int(n.Int64)
		case n.IsFloat:
			return n.Float64
		}
	case *parse.DotNode:
		return s.dot
	case *parse.FieldNode:
		return field(s.dot, n.Ident)
	case *parse.VariableNode:
		if v, ok := s.vars[n.Ident[0]]; ok {
			return field(v, n.Ident[1:])
		}
	}
	return unknown{}
}

// field follows a path of names through maps.
func field(value any, path []string) any {
	for _, name := range path {
		switch v := value.(type) {
		case map[string]any:
			var ok bool
			if value, ok = v[name]; !ok {
				return unknown{}
			}
		case unknown:
			value = v.piece.at(name)
		default:
			return unknown{}
		}
	}
	return value
}

// A folder calls functions that depend on nothing but their arguments and this machine.
type folder struct {
	env      func(string) (string, bool)
	hostname string
	pure     template.FuncMap
}

func (f *folder) call(name string, args []any) any {
	switch name {
	case "list", "tuple":
		return args
	case "dict":
		if m, ok := foldDict(args); ok {
			return m
		}
		return unknown{}
	case "index", "get":
		if name == "get" && len(args) > 2 {
			break // it may be the default
		}
		if v, ok := element(args); ok {
			return v
		}
	}
	if slices.ContainsFunc(args, partlyUnknown) {
		return unknown{}
	}
	switch {
	case name == "hostname" && len(args) == 0:
		return f.hostname
	case name == "env" && len(args) == 1 && f.env != nil:
		if key, ok := args[0].(string); ok {
			if value, ok := f.env(key); ok {
				return value
			}
		}
		return unknown{}
	}
	if fn, ok := f.pure[name]; ok {
		return apply(reflect.ValueOf(fn), args)
	}
	return unknown{}
}

// element follows names and numbers into what a lookup gives, as index and get do.
func element(args []any) (any, bool) {
	if len(args) < 2 {
		return nil, false
	}
	value := args[0]
	for _, key := range args[1:] {
		name, known := key.(string)
		number, counted := key.(int)
		switch v := value.(type) {
		case unknown:
			if !known {
				name = anyName
			}
			value = v.piece.at(name)
		case []any:
			if !counted || number < 0 || number >= len(v) {
				return nil, false
			}
			value = v[number]
		case map[string]any:
			if value, known = v[name]; !known {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return value, true
}

// foldDict makes a map whose values may be unknown: what a partial is called with often holds a secret beside what its refs are made
// of.
func foldDict(args []any) (map[string]any, bool) {
	if len(args)%2 != 0 {
		return nil, false
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		key, ok := args[i].(string)
		if !ok {
			return nil, false
		}
		m[key] = args[i+1]
	}
	return m, true
}

func partlyUnknown(value any) bool {
	switch v := value.(type) {
	case unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, partlyUnknown)
	case map[string]any:
		for _, e := range v {
			if partlyUnknown(e) {
				return true
			}
		}
	}
	return false
}

// apply calls fn where the arguments fit as they are. A call that fails is left to the render, which knows how to say so.
func apply(fn reflect.Value, args []any) (result any) {
	t := fn.Type()
	if len(args) < t.NumIn() && !(t.IsVariadic() && len(args) == t.NumIn()-1) || len(args) > t.NumIn() && !t.IsVariadic() {
		return unknown{}
	}
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		want := t.In(min(i, t.NumIn()-1))
		if t.IsVariadic() && i >= t.NumIn()-1 {
			want = want.Elem()
		}
		in[i] = reflect.ValueOf(a)
		if !in[i].IsValid() || !in[i].Type().AssignableTo(want) {
			return unknown{}
		}
	}
	defer func() {
		if recover() != nil {
			result = unknown{}
		}
	}()
	out := fn.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return unknown{}
	}
	return out[0].Interface()
}
