package render

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

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
	oneText  shape = iota
	anyValue       // of JSON, or of a tree of parameters
	textList
	textMap
	trueOrFalse
	pairList // of maps with Key and Value
	onePair
	versionMap    // of secretVersions
	textOrNothing // one of these
)

// pairNames are what a pair has.
var pairNames = []string{"Key", "Value"}

// anyName stands in a path for a name or a number that only the render knows.
const anyName = "*"

// keyNames gives keys as far as they are known.
func keyNames(keys []any) (names []string) {
	for _, key := range keys {
		switch key := key.(type) {
		case string, int:
			names = append(names, fmt.Sprint(key))
		default:
			names = append(names, anyName)
		}
	}
	return names
}

// pieceOf gives the piece that a value is; nil where it is none.
func pieceOf(value any) *piece {
	v, _ := value.(unknown)
	return v.piece
}

func (p *piece) isText() bool { return p != nil && p.shape == oneText }

func (p *piece) isTruth() bool { return p != nil && p.shape == trueOrFalse }

// hasNoFields reports that a piece is no map.
func (p *piece) hasNoFields() bool {
	return p != nil && slices.Contains([]shape{oneText, textList, trueOrFalse, pairList, textOrNothing}, p.shape)
}

// hasNoField reports that a piece has no field of that name.
func (p *piece) hasNoField(name string) bool {
	switch {
	case p.hasNoFields():
		return true
	case p != nil && p.shape == onePair:
		return !slices.Contains(pairNames, name)
	case p != nil && p.shape == versionMap:
		return !slices.Contains(versionNames, name)
	}
	return false
}

// at gives the part at a name.
func (p *piece) at(name string) unknown {
	if p == nil || p.shape == oneText || p.shape == trueOrFalse || p.shape == textOrNothing {
		return unknown{}
	}
	if p.shape == versionMap {
		return p.version(name)
	}
	if p.shape == pairList && name != anyName {
		return unknown{}
	}
	inner := *p
	inner.path = append(slices.Clone(p.path), name)
	switch p.shape {
	case anyValue:
	case pairList:
		inner.shape = onePair
	case onePair:
		if inner.shape = oneText; name == "Key" {
			return unknown{made: reflect.TypeFor[string]()}
		}
	default:
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

// caller writes the function that gave it with what stands before the name.
func (p *piece) caller() string {
	if p.function == "paramsOr" {
		return "paramsOr dict"
	}
	return p.function
}

// A taking is a value of a secret that a template does something with.
type taking struct {
	secret sources.Ref
	key    string // the last of those that lead to it; "" where that is not known, or for all of it
}

// recordUse notes that a template does something with a value of a secret.
func (f *finder) recordUse(p *piece) {
	if p != nil && p.ref.Kind == sources.Secret {
		f.t.taken[taking{p.ref, p.last()}] = true
	}
}

// Used gives for each secret that the main template looks up the keys of the values that it takes,
// sorted. "" stands for one that is not known or the whole secret.
func (t *Template) Used() map[sources.Ref][]string {
	m := make(map[sources.Ref][]string)
	for taken := range t.taken {
		m[taken.secret] = append(m[taken.secret], taken.key)
	}
	for _, keys := range m {
		slices.Sort(keys)
	}
	return m
}

// An Insertion is an action that prints what a lookup gave, or a part of it, as it is: no function
// has quoted it for the place where it stands.
type Insertion struct {
	Spot
	Of    string // "secret prod/db \"password\"": what it prints
	Call  string // "secret \"prod/db\" \"password\"": the action
	Key   string // the last key that led to it; ""
	Alone bool   // the main template is nothing else: the value is the file
}

// Bare gives the insertions that the main template can reach, in the order in which they stand. An
// action in a partial that prints a lookup in one of its calls is among them.
func (t *Template) Bare() []Insertion {
	var list []Insertion
	for text, n := range t.nodes() {
		a, _ := n.(*parse.ActionNode)
		if p := t.bare[a]; p != nil {
			list = append(list, Insertion{text.spot(int(a.Pipe.Pos)), p.String(), a.Pipe.String(), p.last(), t.alone(a)})
		}
	}
	return list
}

// alone reports that the main template is nothing but an action and white space.
func (t *Template) alone(a *parse.ActionNode) bool {
	found := false
	for _, n := range t.trees[t.Main.Name].Root.Nodes {
		if n == parse.Node(a) {
			found = true
		} else if _, comment := n.(*parse.CommentNode); !comment && strings.TrimSpace(n.String()) != "" {
			return false
		}
	}
	return found
}

// recordPrinted notes an action that prints a part of a lookup as it is.
func (f *finder) recordPrinted(n *parse.ActionNode, value any, s *scope) {
	p := pieceOf(value)
	if p == nil || len(n.Pipe.Decl) > 0 || p.isTruth() {
		return
	}
	f.checkPrinted(n, p, s)
	f.recordUse(p)
	if f.t.bare[n] == nil {
		f.t.bare[n] = p
	}
}
