package render

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// A piece is what a call of a lookup function gives, or what lies at a path in it, as it is: no
// function made anything of it.
type piece struct {
	function string      // that gave it
	ref      sources.Ref // that it asked for; the zero Ref where only the render can tell
	keys     []string    // that the call was given
	fallback string      // the default that it was given, where that is a text that is known
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
		return unknown{piece: p}
	}
	if name, ok := args[fn.arg].(string); ok {
		p.ref, _ = f.t.ref(fn.kind, name)
	}
	if fn.arg > 0 {
		p.fallback, _ = args[0].(string)
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
	return unknown{piece: p}
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
	return unknown{piece: &inner}
}

// last gives the last key that led to it, where it is known; else "".
func (p *piece) last() string {
	keys := slices.Concat(p.keys, p.path)
	if len(keys) == 0 || keys[len(keys)-1] == anyName {
		return ""
	}
	return keys[len(keys)-1]
}

// String names the piece as errors name lookups: secret prod/db "password".
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

// uses notes that a template does something with a value of a secret.
func (f *finder) uses(p *piece) {
	if p == nil || p.ref.Kind != sources.Secret {
		return
	}
	if f.t.used == nil {
		f.t.used = make(map[sources.Ref]map[string]bool)
	}
	if f.t.used[p.ref] == nil {
		f.t.used[p.ref] = make(map[string]bool)
	}
	f.t.used[p.ref][p.last()] = true
}

// Used gives for each secret that the main template looks up the keys of the values that it takes,
// sorted. "" stands for one that is not known or the whole secret.
func (t *Template) Used() map[sources.Ref][]string {
	m := make(map[sources.Ref][]string, len(t.used))
	for ref, keys := range t.used {
		m[ref] = slices.Sorted(maps.Keys(keys))
	}
	return m
}

// An Insertion is an action that prints what a lookup gave, or a part of it, as it is: no function
// has quoted it for the place where it stands.
type Insertion struct {
	Place fault.Place
	Line  string // the text of that line
	Of    string // "secret prod/db \"password\"": what it prints
	Call  string // "secret \"prod/db\" \"password\"": the action
	Key   string // the last key that led to it; ""
	Alone bool   // the main template is nothing else: the value is the file

	action *parse.ActionNode
}

// Bare gives the insertions that the main template can reach, in the order in which they stand. An
// action in a partial that prints a lookup in one of its calls is among them.
func (t *Template) Bare() []Insertion {
	var list []Insertion
	t.eachNode(func(_ *Text, n parse.Node) {
		if a, ok := n.(*parse.ActionNode); ok {
			if i, ok := t.bare[a]; ok {
				i.Alone = t.alone(a)
				list = append(list, i)
			}
		}
	})
	return list
}

// alone reports that the main template is nothing but an action and white space.
func (t *Template) alone(a *parse.ActionNode) bool {
	found := false
	for _, n := range t.trees[t.Main.Name].Root.Nodes {
		if n == parse.Node(a) {
			found = true
		} else if _, comment := n.(*parse.CommentNode); !comment && strings.TrimSpace(n.String()) != "" && !ticks(n) {
			return false
		}
	}
	return found
}

// ticks reports that a node is ours.
func ticks(n parse.Node) bool {
	a, ok := n.(*parse.ActionNode)
	return ok && strings.HasPrefix(a.Pipe.String(), tickFunction)
}

// inserts notes an action that prints a part of a lookup as it is.
func (f *finder) inserts(n *parse.ActionNode, value any, s scope) {
	v, ok := value.(unknown)
	if !ok || v.piece == nil || len(n.Pipe.Decl) > 0 {
		return
	}
	f.prints(n, v.piece, s)
	f.uses(v.piece)
	if f.t.bare == nil {
		f.t.bare = make(map[*parse.ActionNode]Insertion)
	}
	if _, known := f.t.bare[n]; !known {
		at := s.text.fault(int(n.Pipe.Pos), "")
		f.t.bare[n] = Insertion{Place: at.Place, Line: at.Line, Of: v.piece.String(), Call: n.Pipe.String(), Key: v.piece.last(), action: n}
	}
}
