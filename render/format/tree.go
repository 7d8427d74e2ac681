package format

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

// trees are the readers of ordered trees. PEM has none.
var trees = map[string]func([]byte) (Node, *Error){
	"json":   jsonTree,
	"yaml":   yamlTree,
	"toml":   tomlTree,
	"ini":    iniTree,
	"dotenv": dotenvTree,
	"xml":    xmlTree,
}

// maxTreeMarks is how many characters that begin or end a node a text may have that is made a tree
// of. A node takes 300 bytes.
const maxTreeMarks = 400_000

// treeMarks counts them, up to one more than there may be.
func treeMarks(data []byte) (n int) {
	for _, c := range data {
		switch c {
		case '\n', ',', ':', '=', '[', '{', '<', '.':
			if n++; n > maxTreeMarks {
				return n
			}
		}
	}
	return n
}

// Tree parses data into a tree whose root is a list or a map of all that stands in the file. It is
// not as strict as Check is, and bounded as it. The error is a *Error.
func (f Format) Tree(data []byte) (tree Node, err error) {
	read, ok := trees[f.name]
	if !ok {
		return Node{}, &Error{Format: f.name}
	}
	if treeMarks(data) > maxTreeMarks {
		return Node{}, &Error{Format: checks[f.name].title, What: "there is too much in it", Limit: true}
	}
	defer func() {
		if recover() != nil {
			err = &Error{Format: checks[f.name].title, What: gaveUp, Limit: true}
		}
	}()
	tree, e := read(data)
	if e != nil {
		e.Format = checks[f.name].title
		return Node{}, e
	}
	return tree, nil
}

// entry gives a key and its value.
func entry(key string, style Style, value ...Node) Node {
	return Node{Kind: Entry, Nodes: append([]Node{{Text: key, Style: style}}, value...)}
}
