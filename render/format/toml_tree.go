package format

// tomlTree gives the lines of a file as they stand: headers, and keys with their values. What they
// define together is not in it.
func tomlTree(data []byte) (Node, *Error) {
	root := Node{Kind: Map}
	err := readTOML(data, &treeBuilder{[]*Node{&root}})
	return root, err
}

// A treeBuilder adds nodes to the innermost part that is open. A nil one adds nothing.
type treeBuilder struct{ open []*Node }

// add adds a node, and gives it.
func (b *treeBuilder) add(n Node) *Node {
	around := b.open[len(b.open)-1]
	around.Nodes = append(around.Nodes, n)
	return &around.Nodes[len(around.Nodes)-1]
}

// leaf adds a leaf.
func (b *treeBuilder) leaf(n Node) {
	if b != nil {
		b.add(n)
	}
}

// into adds a node and opens it.
func (b *treeBuilder) into(n Node) {
	if b != nil {
		b.open = append(b.open, b.add(n))
	}
}

// out closes the innermost part.
func (b *treeBuilder) out() {
	if b != nil {
		b.open = b.open[:len(b.open)-1]
	}
}

// tomlLeaf gives a value that is no list and no table, as it is written.
func tomlLeaf(raw []byte) Node {
	if len(raw) == 0 || raw[0] != '"' && raw[0] != '\'' {
		return Node{Text: string(raw)}
	}
	n := 1
	style := Quoted
	if len(raw) >= 6 && raw[1] == raw[0] && raw[2] == raw[0] {
		n, style = 3, Block
	}
	return Node{Tag: "text", Text: string(raw[n : len(raw)-n]), Style: style}
}

// tomlName gives the key that some parts are.
func tomlName(parts []tomlPart) Node {
	nodes := tomlNames(parts)
	if len(nodes) == 1 {
		return nodes[0]
	}
	return Node{Kind: List, Nodes: nodes}
}

func tomlNames(parts []tomlPart) []Node {
	nodes := make([]Node, len(parts))
	for i, part := range parts {
		nodes[i] = Node{Text: string(part.text), Style: part.style}
	}
	return nodes
}
