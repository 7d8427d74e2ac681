package structure

import (
	"bytes"
	"slices"
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
	if meant.Kind != is.Kind || meant.Text != is.Text || merges(meant) != merges(is) {
		return false
	}
	return (meant.Tag == is.Tag || strings.Contains(meant.Tag, m.prefix)) && m.nodes(meant, is)
}

// merges reports that an entry of YAML takes in another map's entries.
func merges(n format.Node) bool { return n.Kind == format.Entry && n.Nodes[0].Tag == "!!merge" }

// leaf compares a text. Without a word in it it is the same. A word may have become any text, but
// what is written without quotes reads as it was printed.
func (m *matcher) leaf(meant, is format.Node) bool {
	if i, only := m.word(meant.Text); only && m.bare(i, meant) {
		return m.became(i, meant, is)
	}
	switch {
	case is.Kind != format.Leaf:
		return false
	case !strings.Contains(meant.Text, m.prefix):
		return meant.Text == is.Text && meant.Tag == is.Tag
	case meant.Style == format.Plain:
		return is.Style == format.Plain && m.reads(meant.Text, is.Text)
	case meant.Style == format.Markup:
		return is.Style == format.Markup && meant.Tag == is.Tag
	}
	return is.Style == format.Quoted || is.Style == format.Block // as " and """ of TOML
}

// became compares what a value is with the word in its place, which is all of a leaf: the value may
// be a map or a list of its own.
func (m *matcher) became(i int, meant, is format.Node) bool {
	switch is.Kind {
	case format.Leaf:
		return meant.Style != format.Plain || is.Style != format.Plain || m.reads(meant.Text, is.Text)
	case format.List, format.Map:
		return m.values[i].begins || bracketed(m.text(i))
	}
	return false
}

// bare reports that a word which is all of a leaf has no quotes of the file around it.
func (m *matcher) bare(i int, leaf format.Node) bool {
	return leaf.Style == format.Plain || leaf.Style == format.Quoted && m.values[i].quoted
}

// reads reports that a text is what the words in another stand for.
func (m *matcher) reads(meant, is string) bool {
	none := func(int) {}
	if name, _, ok := strings.Cut(meant, "="); ok && m.format.String() == "ini" && strings.Contains(m.printed(name, none), "=") {
		return false // a name that ends sooner
	}
	return strings.TrimSpace(m.printed(meant, none)) == strings.TrimSpace(is)
}

// bracketed reports that a value brings the brackets of its map or list.
func bracketed(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// nodes compares what lies in two parts, in order.
func (m *matcher) nodes(meant, is format.Node) bool {
	if meant.Kind == format.List && meant.Flow && len(meant.Nodes) == len(is.Nodes) {
		return slices.EqualFunc(meant.Nodes, is.Nodes, m.node)
	}
	return m.glob(meant, is.Nodes)
}

// glob compares the parts of a node with others, where a wild part stands for any number.
func (m *matcher) glob(meant format.Node, is []format.Node) bool {
	wild := func(i int) (ok bool) {
		if i < len(meant.Nodes) {
			_, ok = m.wild(meant.Nodes[i], meant)
		}
		return ok
	}
	i, last, from := 0, -1, 0
	for j := 0; j < len(is); {
		switch {
		case wild(i):
			last, from = i, j
			i++
		case i < len(meant.Nodes) && m.node(meant.Nodes[i], is[j]):
			i, j = i+1, j+1
		case last >= 0:
			from++
			i, j = last+1, from
		default:
			return false
		}
	}
	for wild(i) {
		i++
	}
	return i == len(meant.Nodes)
}

// wild gives the value whose word may be any number of entries, elements or documents here: one
// that begins its line, or stands in brackets.
func (m *matcher) wild(n, around format.Node) (i int, ok bool) {
	switch n.Kind {
	case format.Entry:
		i, ok = m.word(n.Nodes[0].Text)
		ok = ok && m.wildEntry(i, n, around)
	case format.Leaf:
		i, ok = m.word(n.Text)
		ok = ok && m.wildLeaf(i, n, around)
	case format.Element:
		i, ok = m.word(strings.TrimSpace(n.Tag))
		ok = ok && m.wildElement(i, n)
	}
	return i, ok
}

// wildEntry reports that an entry whose key is a word has no value, or the same word for one.
func (m *matcher) wildEntry(i int, n, around format.Node) bool {
	switch key := n.Nodes[0]; {
	case key.Kind != format.Leaf || around.Kind == format.Element:
		return false
	case len(n.Nodes) == 1 || n.Nodes[1].Tag == "!!null" && n.Nodes[1].Text == "":
		return m.values[i].begins && m.values[i].ends || around.Flow
	}
	value := n.Nodes[1]
	return value.Kind == format.Leaf && value.Text == n.Nodes[0].Text
}

// wildElement reports that an element whose name is a word stands for a value that begins its line.
// Else the value is the name alone, of an element of the file.
func (m *matcher) wildElement(i int, n format.Node) bool {
	return len(n.Nodes) == 0 && m.values[i].begins
}

// wildLeaf reports that a leaf which is a word is one of several.
func (m *matcher) wildLeaf(i int, n, around format.Node) bool {
	if around.Kind != format.List && around.Kind != format.Element {
		return false
	}
	return m.values[i].begins && n.Style != format.Quoted || m.bare(i, n) && around.Flow
}
