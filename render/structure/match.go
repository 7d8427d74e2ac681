package structure

import (
	"bytes"
	"strings"

	"github.com/rendered/rendered/render/format"
)

// maxSteps bounds how many parts of two trees are compared.
const maxSteps = 4_000_000

// A matcher compares the tree of a file that has words in the place of values with that of the file
// itself.
type matcher struct {
	*document
	steps int
}

// node reports that the file has the part that is meant. Where it takes too long to say, it has.
func (m *matcher) node(meant, is format.Node) bool {
	if m.steps++; m.steps > maxSteps {
		return true
	}
	if meant.Kind == format.Leaf {
		return m.leaf(meant, is)
	}
	if meant.Kind != is.Kind || meant.Tag != is.Tag && !strings.Contains(meant.Tag, m.prefix) || meant.Text != is.Text {
		return false
	}
	if meant.Kind == format.Entry && (meant.Nodes[0].Tag == yamlMerge) != (is.Nodes[0].Tag == yamlMerge) {
		return false
	}
	return m.nodes(meant, is)
}

// yamlMerge is the tag of a key that takes in another map's entries.
const yamlMerge = "!!merge"

// leaf compares a text. Without a word in it it is the same. A word may have become any text, but
// what is written without quotes reads as it was printed. One that is all of its place may have
// become a map or a list of its own.
func (m *matcher) leaf(meant, is format.Node) bool {
	if !strings.Contains(meant.Text, m.prefix) {
		return is.Kind == format.Leaf && meant.Text == is.Text && meant.Tag == is.Tag
	}
	i, only := m.word(meant.Text)
	if only && m.bare(i, meant) {
		switch is.Kind {
		case format.Leaf:
			return meant.Style != format.Plain || is.Style != format.Plain || m.reads(meant.Text, is.Text)
		case format.List, format.Map:
			return m.values[i].begins || bracketed(m.text(i))
		}
		return false
	}
	if is.Kind != format.Leaf || !alike(meant.Style, is.Style) || meant.Style == format.Markup && meant.Tag != is.Tag {
		return false
	}
	return meant.Style != format.Plain || m.reads(meant.Text, is.Text)
}

// alike reports that a text between two styles of quotes, as " and """ of TOML, is one between
// quotes.
func alike(meant, is format.Style) bool {
	between := func(s format.Style) bool { return s == format.Quoted || s == format.Block }
	return meant == is || between(meant) && between(is)
}

// bare reports that a word which is all of a leaf has no quotes of the file around it.
func (m *matcher) bare(i int, leaf format.Node) bool {
	return leaf.Style == format.Plain || leaf.Style == format.Quoted && m.values[i].quoted
}

// reads reports that a text is what the words in another stand for.
func (m *matcher) reads(meant, is string) bool {
	if name, _, ok := strings.Cut(meant, "="); ok && m.format.String() == "ini" && strings.Contains(m.printed(name), "=") {
		return false // a name that ends sooner
	}
	return strings.TrimSpace(m.printed(meant)) == strings.TrimSpace(is)
}

// bracketed reports that a value brings the brackets of its map or list.
func bracketed(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// nodes compares what lies in two parts, in order. A wild part stands for any number.
func (m *matcher) nodes(meant, is format.Node) bool {
	if meant.Kind == format.List && meant.Flow && len(meant.Nodes) == len(is.Nodes) {
		return m.each(meant.Nodes, is.Nodes)
	}
	i, j, wild, from := 0, 0, -1, 0
	for j < len(is.Nodes) {
		switch {
		case i < len(meant.Nodes) && m.wild(meant.Nodes[i], meant) >= 0:
			wild, from = i, j
			i++
		case i < len(meant.Nodes) && m.node(meant.Nodes[i], is.Nodes[j]):
			i, j = i+1, j+1
		case wild >= 0:
			from++
			i, j = wild+1, from
		default:
			return false
		}
	}
	for i < len(meant.Nodes) && m.wild(meant.Nodes[i], meant) >= 0 {
		i++
	}
	return i == len(meant.Nodes)
}

// each compares what lies in two lists, one by one.
func (m *matcher) each(meant, is []format.Node) bool {
	for i := range meant {
		if !m.node(meant[i], is[i]) {
			return false
		}
	}
	return true
}

// wild gives the number of the value that may be any number of entries, elements or documents here,
// and -1 where there is none: one that begins its line, or stands in brackets.
func (m *matcher) wild(n, around format.Node) int {
	switch n.Kind {
	case format.Entry:
		i, only := m.word(n.Nodes[0].Text)
		if !only || n.Nodes[0].Kind != format.Leaf || around.Kind == format.Element {
			return -1
		}
		switch {
		case len(n.Nodes) == 1 || n.Nodes[1].Tag == "!!null" && n.Nodes[1].Text == "":
			if m.values[i].begins && m.values[i].ends || around.Flow {
				return i
			}
		case n.Nodes[1].Kind == format.Leaf:
			if j, only := m.word(n.Nodes[1].Text); only && i == j {
				return i
			}
		}
	case format.Leaf:
		i, only := m.word(n.Text)
		if !only || around.Kind != format.List && around.Kind != format.Element {
			return -1
		}
		if m.values[i].begins && n.Style != format.Quoted || m.bare(i, n) && around.Flow {
			return i
		}
	case format.Element:
		if i, only := m.word(strings.TrimSpace(n.Tag)); only && len(n.Nodes) == 0 {
			return i
		}
	}
	return -1
}
