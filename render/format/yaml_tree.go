package format

import (
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault/yamltext"
)

func yamlTree(data []byte) (Node, *Error) {
	documents, err := yamltext.Documents(data)
	if err != nil {
		return Node{}, atPlace(data, err.Line, err.Column, err.What)
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
		node.Text = n.Value
		switch {
		case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
			node.Style = Quoted
		case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			node.Style = Block
		}
	}
	return node
}
