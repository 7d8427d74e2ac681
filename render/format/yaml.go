package format

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault/yamltext"
)

// checkYAML parses all documents, and looks for what a parser lets pass and a reader does not: keys
// that stand twice, aliases inside what they name, aliases of aliases that make much of little,
// values that are not what their tag says.
func checkYAML(data []byte) *Error {
	documents, failed := yamltext.Strict(data)
	if failed != nil {
		e := atLine(data, failed.Line, failed.Column, failed.What)
		e.Limit = failed.Limit
		return e
	}
	for _, d := range documents {
		c := yamlChecker{data: data, sizes: make(map[*yaml.Node]int)}
		if err := c.node(d); err != nil {
			return err
		}
	}
	return nil
}

// maxExpanded is how many nodes a document may be to a reader who puts in the place of each alias
// what it names.
const maxExpanded = 2 << 20

// A yamlChecker looks at the nodes of a document until something is wrong.
type yamlChecker struct {
	data     []byte
	expanded int // nodes so far, with all that aliases stand for
	// sizes is how many of them there are in what an alias may name, once all of it is counted.
	sizes map[*yaml.Node]int
}

func (c *yamlChecker) refuse(n *yaml.Node, what string) *Error {
	return atLine(c.data, n.Line, 0, what)
}

// node counts a node and what is in it.
func (c *yamlChecker) node(n *yaml.Node) *Error {
	before := c.expanded
	if err := c.itself(n); err != nil {
		return err
	}
	for _, part := range n.Content {
		if err := c.node(part); err != nil {
			return err
		}
	}
	if n.Anchor != "" {
		c.sizes[n] = c.expanded - before
	}
	return nil
}

// itself counts a node without what is in it.
func (c *yamlChecker) itself(n *yaml.Node) (err *Error) {
	size := 1
	switch n.Kind {
	case yaml.AliasNode:
		known := false
		if size, known = c.sizes[n.Alias]; !known {
			return c.refuse(n, "an alias stands inside what it names")
		}
	case yaml.ScalarNode:
		err = c.tagged(n)
	case yaml.MappingNode:
		err = c.keys(n)
	}
	if c.expanded += size; err == nil && c.expanded > maxExpanded {
		err = c.refuse(n, fmt.Sprintf("aliases of aliases make more than %d nodes of it", maxExpanded))
		err.Limit = true
	}
	return err
}

// keys wants no text to be a key twice, and << to merge maps.
func (c *yamlChecker) keys(n *yaml.Node) *Error {
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			continue
		}
		if seen[key.Value] {
			return c.refuse(n.Content[i], "a key stands twice in one map")
		}
		seen[key.Value] = true
		if key.ShortTag() == "!!merge" && !merges(n.Content[i+1], true) {
			return c.refuse(key, "<< merges what is no map")
		}
	}
	return nil
}

// merges reports that a value is a map, or a list of maps.
func merges(n *yaml.Node, list bool) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if list && n.Kind == yaml.SequenceNode {
		return !slices.ContainsFunc(n.Content, func(part *yaml.Node) bool { return !merges(part, false) })
	}
	return n.Kind == yaml.MappingNode
}

// tagged wants a scalar to be what its tag says.
func (c *yamlChecker) tagged(n *yaml.Node) *Error {
	var value any
	switch {
	case n.Style&yaml.TaggedStyle == 0 || !yamltext.OwnTag(n) || n.Decode(&value) == nil:
		return nil
	case n.ShortTag() == "!!binary":
		return c.refuse(n, "a !!binary is not base64")
	}
	return c.refuse(n, "a value is not what its tag "+n.ShortTag()+" says")
}

func yamlTree(data []byte) (Node, *Error) {
	documents, err := yamltext.Documents(data)
	if err != nil {
		return Node{}, atLine(data, err.Line, err.Column, err.What)
	}
	root := Node{Kind: List}
	for _, d := range documents {
		if d.Kind == yaml.DocumentNode {
			root.Nodes = append(root.Nodes, yamlNodes(d.Content)...)
		} else {
			root.Nodes = append(root.Nodes, yamlNode(d))
		}
	}
	return root, nil
}

func yamlNodes(list []*yaml.Node) []Node {
	nodes := make([]Node, len(list))
	for i, n := range list {
		nodes[i] = yamlNode(n)
	}
	return nodes
}

func yamlNode(n *yaml.Node) Node {
	node := Node{Tag: n.ShortTag(), Flow: n.Style&yaml.FlowStyle != 0}
	if n.Anchor != "" {
		node.Tag += " &" + n.Anchor
	}
	switch n.Kind {
	case yaml.AliasNode:
		return Node{Kind: Alias, Text: n.Value}
	case yaml.SequenceNode:
		node.Kind, node.Nodes = List, yamlNodes(n.Content)
	case yaml.MappingNode:
		node.Kind, node.Nodes = Map, make([]Node, 0, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			node.Nodes = append(node.Nodes, Node{Kind: Entry, Nodes: yamlNodes(n.Content[i : i+2])})
		}
	default:
		node.Text, node.Style = n.Value, yamlStyle(n.Style)
	}
	return node
}

func yamlStyle(s yaml.Style) Style {
	switch {
	case s&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return Quoted
	case s&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return Block
	}
	return Plain
}
