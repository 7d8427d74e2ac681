package format

import "bytes"

// A Node is a part of a parsed file, with its own parts in the order of the text. Comments, and
// blanks that mean nothing, are left out.
type Node struct {
	Kind  Kind
	Tag   string // the type of a leaf, the tag and anchor of YAML, the name of an element
	Text  string // of a leaf
	Style Style  // of a leaf
	Flow  bool   // a list or a map between brackets
	Nodes []Node
}

// A Kind is what a node is.
type Kind int

// The parts of an Entry are its key and its value; an entry of an INI file without = has a key
// alone. The parts of an Element are its attributes, each an Entry, and what stands between its
// tags. The parts of a Section are the names in its brackets.
const (
	Leaf Kind = iota
	List
	Map
	Entry
	Section
	Element
	Alias
)

// A Style is how a leaf is written.
type Style int

const (
	Plain  Style = iota // as it is, up to the end of its line or the next character with a meaning
	Quoted              // between quotes
	Block               // after | or > of YAML, or between three quotes of TOML
	Markup              // character data of XML
)

// entry gives a key and its value.
func entry(key string, style Style, value ...Node) Node {
	return Node{Kind: Entry, Nodes: append([]Node{{Text: key, Style: style}}, value...)}
}

// maxTreeMarks is how many characters that begin or end a node a text may have that is made a tree
// of. A node takes 300 bytes.
const maxTreeMarks = 400_000

// Tree parses data into a tree whose root is a list or a map of all that stands in the file. It is
// not as strict as Check is, and bounded as it. The error is a *Error.
func (f Format) Tree(data []byte) (tree Node, err error) {
	marks := 0
	for _, c := range []byte("\n,:=[{<.") {
		marks += bytes.Count(data, []byte{c})
	}
	switch read := syntaxes[f.name].tree; {
	case read == nil:
		err = &Error{Format: f.Title()}
	case marks > maxTreeMarks:
		err = &Error{Format: f.Title(), What: "there is too much in it", Limit: true}
	default:
		err = f.guard(func() (e *Error) { tree, e = read(data); return e })
	}
	if err != nil {
		return Node{}, err
	}
	return tree, nil
}
