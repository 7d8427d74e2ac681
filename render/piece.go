package render

import (
	"slices"
	"strconv"
	"text/template/parse"

	"github.com/rendered/rendered/render/fault"
	"github.com/rendered/rendered/sources"
)

// A piece is what a call of a lookup function gives, or what lies at a path in it, as it is: no function made anything of it.
type piece struct {
	function string      // that gave it
	ref      sources.Ref // that it asked for; the zero Ref where only the render can tell
	keys     []string    // that the call was given
	path     []string    // names that were followed from there
	shape    shape
}

// A shape is what the template alone tells of a value's type.
type shape int

const (
	anyValue shape = iota // of JSON, or of a tree of parameters
	oneText
	textList
	textMap
)

// anyName stands in a path for a name or a number that only the render knows.
const anyName = "*"

// gives says what the lookup functions give; those that are not here give one text.
var gives = map[string]shape{"secretMap": anyValue, "paramsTree": anyValue, "params": textMap, "paramList": textList}

// given gives the value of a call of a lookup function.
func (f *finder) given(id *parse.IdentifierNode, args []any) unknown {
	fn := lookupFunctions[id.Ident]
	p := &piece{function: id.Ident, shape: oneText}
	if s, ok := gives[id.Ident]; ok {
		p.shape = s
	}
	if fn.name != "" {
		args = []any{fn.name}
	}
	if fn.arg >= len(args) {
		return unknown{p}
	}
	if name, ok := args[fn.arg].(string); ok {
		p.ref, _ = f.t.ref(fn.kind, name)
	}
	for _, key := range args[fn.arg+1:] {
		switch key := key.(type) {
		case string:
			p.keys = append(p.keys, key)
		case int:
			p.keys = append(p.keys, strconv.Itoa(key))
		default:
			p.keys = append(p.keys, anyName)
		}
	}
	return unknown{p}
}

// at gives the part at a name.
func (p *piece) at(name string) unknown {
	if p == nil || p.shape == oneText {
		return unknown{}
	}
	inner := *p
	inner.path = append(slices.Clone(p.path), name)
	if p.shape != anyValue {
		inner.shape = oneText
	}
	return unknown{&inner}
}

// String names the part as errors name lookups: secret prod/db "password".
func (p *piece) String() string {
	text := p.function
	if p.ref != (sources.Ref{}) {
		text = p.ref.String()
	}
	for _, key := range slices.Concat(p.keys, p.path) {
		if key == anyName {
			break
		}
		text += " " + strconv.Quote(key)
	}
	return text
}

// An Insertion is an action that prints what a lookup gave, or a part of it, as it is: no function has quoted it for the place where it
// stands.
type Insertion struct {
	Place fault.Place
	Line  string // the text of that line
	Of    string // "secret prod/db \"password\"": what it prints

	action *parse.ActionNode
}

// Bare gives the insertions that the main template can reach, in the order in which they stand. An action in a partial that prints a
// lookup in one of its calls is among them.
func (t *Template) Bare() []Insertion {
	var list []Insertion
	t.eachNode(func(_ *Text, n parse.Node) {
		if a, ok := n.(*parse.ActionNode); ok {
			if i, ok := t.bare[a]; ok {
				list = append(list, i)
			}
		}
	})
	return list
}

// inserts notes an action that prints a part of a lookup as it is.
func (f *finder) inserts(n *parse.ActionNode, value any, s scope) {
	v, ok := value.(unknown)
	if !ok || v.piece == nil || len(n.Pipe.Decl) > 0 {
		return
	}
	f.prints(n, v.piece, s)
	if f.t.bare == nil {
		f.t.bare = make(map[*parse.ActionNode]Insertion)
	}
	if _, known := f.t.bare[n]; !known {
		at := s.text.fault(int(n.Pipe.Pos), "")
		f.t.bare[n] = Insertion{Place: at.Place, Line: at.Line, Of: v.piece.String(), action: n}
	}
}
