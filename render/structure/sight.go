package structure

import (
	"strings"

	"github.com/rendered/rendered/render/format"
)

// A sight is where the words came out in a file that has them in the place of values.
type sight struct {
	in   map[int]Within // what a word stands in; those that came out nowhere are not there
	held map[int]bool   // words that stand between quotes of the file, or in a text of several lines or of markup
	part map[int]bool   // words that are not all of the text in which they stand
	wild map[int]bool   // words in whose place there may be any number of entries or elements
}

func newSight() *sight {
	return &sight{make(map[int]Within), make(map[int]bool), make(map[int]bool), make(map[int]bool)}
}

func (m *matcher) sight(tree format.Node) *sight {
	s := newSight()
	s.look(m, tree, format.Node{})
	return s
}

func (s *sight) look(m *matcher, n, around format.Node) {
	if i := m.wild(n, around); i >= 0 {
		s.wild[i] = true
	}
	for _, i := range m.words(n.Text) {
		_, only := m.word(n.Text)
		text := n.Text
		if at := strings.IndexAny(text, "=:"); at >= 0 && m.format.String() == "ini" {
			text = text[at+1:] // its leaves are lines
		}
		text = strings.TrimSpace(text)
		s.part[i] = len(strings.Trim(text, `"'`)) > len(m.token(i))
		switch bare := only && m.bare(i, n); {
		case bare && around.Kind == format.List && around.Flow:
			s.in[i] = List
		case bare || n.Style == format.Plain:
			s.in[i] = Bare
			if text != "" && (text[0] == '"' || text[0] == '\'') {
				s.in[i] = Quotes
			}
		default:
			s.held[i] = true
			s.in[i] = map[format.Style]Within{format.Quoted: Quotes, format.Block: Block, format.Markup: Bare}[n.Style]
		}
	}
	for _, below := range n.Nodes {
		s.look(m, below, n)
	}
}

// add takes over what another sight has.
func (s *sight) add(o *sight) {
	for i := range o.wild {
		s.wild[i] = true
	}
	for i := range o.part {
		s.part[i] = s.part[i] || o.part[i]
	}
	for i, w := range o.in {
		if _, known := s.in[i]; !known {
			s.in[i] = w
		}
	}
}
