package structure

import (
	"strings"

	"github.com/rendered/rendered/render/format"
)

// A sight is where the words came out in a file that has them in the place of values.
type sight struct {
	out  map[int]appearance // by value; those that came out nowhere are not there
	wild map[int]bool       // words in whose place there may be any number of entries or elements
}

// An appearance is what a word stands in.
type appearance struct {
	within Within
	held   bool // it stands between quotes of the file, or in a text of several lines or of markup
	part   bool // it is not all of the text in which it stands
}

func newSight() *sight { return &sight{make(map[int]appearance), make(map[int]bool)} }

func (m *matcher) sight(tree format.Node) *sight {
	s := newSight()
	s.look(m, tree, format.Node{})
	return s
}

func (s *sight) look(m *matcher, n, around format.Node) {
	if i, ok := m.wild(n, around); ok {
		s.wild[i] = true
	}
	for _, i := range m.words(n.Text) {
		a := m.appearance(i, n, around)
		a.held = a.held || s.out[i].held
		s.out[i] = a
	}
	for _, below := range n.Nodes {
		s.look(m, below, n)
	}
}

// appearance says what the word of a value stands in, which is in the text of a node.
func (m *matcher) appearance(i int, n, around format.Node) (a appearance) {
	text := n.Text
	if m.format.String() == "ini" { // its leaves are lines
		text = text[strings.IndexAny(text, "=:")+1:]
	}
	text = strings.TrimSpace(text)
	a.part = len(strings.Trim(text, `"'`)) > len(m.token(i))
	_, only := m.word(n.Text)
	switch bare := only && m.bare(i, n); {
	case bare && around.Kind == format.List && around.Flow:
		a.within = List
	case !bare && n.Style != format.Plain:
		a.held = true
		a.within = map[format.Style]Within{format.Quoted: Quotes, format.Block: Block, format.Markup: Bare}[n.Style]
	case m.format.String() == "properties": // it knows no quotes
	case strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'"):
		a.within = Quotes
	}
	return a
}

// add takes over what another sight has.
func (s *sight) add(o *sight) {
	for i := range o.wild {
		s.wild[i] = true
	}
	for i, other := range o.out {
		a, known := s.out[i]
		if !known {
			a.within = other.within
		}
		a.part = a.part || other.part
		s.out[i] = a
	}
}
