package render

import (
	"errors"
	"iter"
	"reflect"
	"slices"
	"text/template/parse"
)

// Folding finds out before the first render what a template will ask for, where that depends on
// literals, vars, env and hostname only. What it cannot know is unknown; it never guesses.

// unknown is what only a render can tell.
type unknown struct {
	// piece is what it is a part of and as it is, where the template alone tells that; nil: it is a
	// part of nothing that is known.
	piece *piece
	made  reflect.Type // what the function that makes it gives; nil is any
}

// none is the absence of a piped argument.
type none struct{}

// A scope is what names stand for at one place of a template.
type scope struct {
	text     *Text
	dot      any
	vars     *variable
	assigned map[string]int // how many = change a variable; its value depends on the way taken
}

// A variable is one of a scope.
type variable struct {
	name  string // with its $
	value any
	outer *variable // declared before it
}

// newScope gives the scope of a template's body.
func newScope(text *Text, dot any, assigned map[string]int) *scope {
	if dot == nil {
		dot = unknown{}
	}
	return &scope{text: text, dot: dot, vars: &variable{name: "$", value: dot}, assigned: assigned}
}

// assignments counts how often each variable of a tree is changed.
func assignments(tree *parse.Tree) map[string]int {
	assigned := make(map[string]int)
	for n := range nodes(tree.Root) {
		if p, ok := n.(*parse.PipeNode); ok && p.IsAssign {
			for _, v := range p.Decl {
				assigned[v.Ident[0]]++
			}
		}
	}
	return assigned
}

// inner gives the scope of a block: what it declares ends with it.
func (s *scope) inner() *scope {
	block := *s
	return &block
}

// with gives the scope of a block whose dot is value.
func (s *scope) with(value any) *scope {
	s = s.inner()
	s.dot = value
	return s
}

// variable gives the value of a variable.
func (s *scope) variable(name string) any {
	for v := s.vars; v != nil; v = v.outer {
		if v.name == name {
			return v.value
		}
	}
	return unknown{}
}

// set gives a variable of a pipeline its value. Where another pipeline may have done so before the
// variable is used, that is unknown.
func (s *scope) set(p *parse.PipeNode, i int, value any) {
	name := p.Decl[i].Ident[0]
	if n := s.assigned[name]; n > 1 || n == 1 && !p.IsAssign {
		value = unknown{}
	}
	s.vars = &variable{name, value, s.vars}
}

// literal gives the value of a node that is written down.
func literal(n parse.Node) any {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text
	case *parse.BoolNode:
		return n.True
	case *parse.NumberNode:
		if n.IsInt {
			return int(n.Int64)
		} else if n.IsFloat {
			return n.Float64
		}
	}
	return unknown{}
}

// field follows a path of names through maps.
func field(value any, path []string) any {
	for _, name := range path {
		value = at(value, name)
	}
	return value
}

// at gives what is at a name in a map, or at a number in a list.
func at(value, key any) any {
	if v, ok := value.(unknown); ok {
		name, ok := key.(string)
		if !ok {
			name = anyName
		}
		return v.piece.at(name)
	}
	switch key := key.(type) {
	case string:
		m, _ := value.(map[string]any)
		if e, ok := m[key]; ok {
			return e
		}
	case int:
		if list, _ := value.([]any); key >= 0 && key < len(list) {
			return list[key]
		}
	}
	return unknown{}
}

// holders are the functions whose results hold their arguments, known or not: what a partial is
// called with often holds a secret beside what its refs are made of.
var holders = []string{"list", "tuple", "dict"}

// fold calls a function that depends on nothing but its arguments and this machine.
func (t *Template) fold(name string, args []any) any {
	if slices.Contains(holders, name) || !slices.ContainsFunc(args, partlyUnknown) {
		return apply(t.function(name), args)
	}
	if len(args) < 2 || name != "index" && (name != "get" || len(args) > 2) { // of three, it may be the default
		return unknown{}
	}
	value := args[0]
	for _, key := range args[1:] {
		value = at(value, key)
	}
	return value
}

var errNotSet = errors.New("not set")

// function gives what a template calls by a name; nil where only the render can.
func (t *Template) function(name string) any {
	switch name {
	case "hostname":
		return func() string { return t.Hostname }
	case "envOr":
		return t.envOr
	case "env":
		return func(name string) (string, error) {
			value, ok := t.env(name)
			if !ok {
				return "", errNotSet
			}
			return value, nil
		}
	}
	return callable()[name]
}

// env gives a variable of the environment.
func (t *Template) env(name string) (string, bool) {
	if t.Env == nil {
		return "", false
	}
	return t.Env(name)
}

func partlyUnknown(value any) bool {
	for v := range leaves(value) {
		if _, ok := v.(unknown); ok {
			return true
		}
	}
	return false
}

// leaves gives what is in lists and maps and is neither; of another value itself.
func leaves(value any) iter.Seq[any] {
	return func(yield func(any) bool) { eachLeaf(value, yield) }
}

func eachLeaf(value any, yield func(any) bool) bool {
	switch v := value.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !eachLeaf(e, yield) })
	case map[string]any:
		for _, e := range v {
			if !eachLeaf(e, yield) {
				return false
			}
		}
		return true
	}
	return yield(value)
}

// apply calls fn where the arguments fit as they are. A call that fails, or panics as reflect does
// where they do not fit, is left to the render, which knows how to say so.
func apply(fn any, args []any) (result any) {
	defer func() {
		if recover() != nil {
			result = unknown{}
		}
	}()
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		if in[i] = reflect.ValueOf(a); a == nil {
			in[i] = reflect.Zero(reflect.TypeFor[any]())
		}
	}
	out := reflect.ValueOf(fn).Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return unknown{}
	}
	return out[0].Interface()
}
