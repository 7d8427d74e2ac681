package render

import (
	"iter"
	"slices"
	"text/template/parse"
)

// paths gives the way from a node to each of those below it, in the order of the text. Each is good
// until the next.
func paths(root parse.Node) iter.Seq[[]parse.Node] {
	return func(yield func([]parse.Node) bool) { walk([]parse.Node{root}, yield) }
}

func walk(path []parse.Node, yield func([]parse.Node) bool) bool {
	if !yield(path) {
		return false
	}
	for _, c := range children(path[len(path)-1]) {
		if !walk(append(path, c), yield) {
			return false
		}
	}
	return true
}

// nodes gives a node and every node below it, in the order of the text.
func nodes(root parse.Node) iter.Seq[parse.Node] { return ends(paths(root)) }

// ends gives the last node of each path.
func ends(paths iter.Seq[[]parse.Node]) iter.Seq[parse.Node] {
	return func(yield func(parse.Node) bool) {
		paths(func(path []parse.Node) bool { return yield(path[len(path)-1]) })
	}
}

// children gives the nodes directly below n. Typed nils are left out.
func children(n parse.Node) []parse.Node {
	switch n := n.(type) {
	case *parse.ListNode:
		return n.Nodes
	case *parse.ActionNode:
		return present(n.Pipe, nil, nil)
	case *parse.TemplateNode:
		return present(n.Pipe, nil, nil)
	case *parse.IfNode:
		return present(n.Pipe, n.List, n.ElseList)
	case *parse.RangeNode:
		return present(n.Pipe, n.List, n.ElseList)
	case *parse.WithNode:
		return present(n.Pipe, n.List, n.ElseList)
	case *parse.PipeNode:
		return append(asNodes(n.Decl), asNodes(n.Cmds)...)
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	}
	return nil
}

func present(p *parse.PipeNode, body, other *parse.ListNode) (list []parse.Node) {
	if p != nil {
		list = append(list, p)
	}
	for _, l := range []*parse.ListNode{body, other} {
		if l != nil {
			list = append(list, l)
		}
	}
	return list
}

func asNodes[N parse.Node](list []N) (nodes []parse.Node) {
	for _, n := range list {
		nodes = append(nodes, n)
	}
	return nodes
}

// pathTo gives the nodes from root down to the last one that stands at the byte offset.
func pathTo(root parse.Node, offset int) (last []parse.Node) {
	for path := range paths(root) {
		if n := path[len(path)-1]; int(n.Position()) == offset && n.Type() != parse.NodeList {
			last = slices.Clone(path)
		}
	}
	return last
}

func lastCommand(path []parse.Node) *parse.CommandNode {
	for _, n := range slices.Backward(path) {
		if c, ok := n.(*parse.CommandNode); ok {
			return c
		}
	}
	return nil
}

// fieldsOf gives the names that a node follows.
func fieldsOf(n parse.Node) []string {
	switch n := n.(type) {
	case *parse.FieldNode:
		return n.Ident
	case *parse.VariableNode:
		return n.Ident[1:]
	case *parse.ChainNode:
		return n.Field
	}
	return nil
}

// start gives the byte at which a node begins. A path of names has the position of its second name
// (parse.Tree.operand).
func start(n parse.Node) int {
	switch n := n.(type) {
	case *parse.FieldNode:
		if len(n.Ident) > 1 {
			return int(n.Pos) - len(".") - len(n.Ident[0])
		}
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			return int(n.Pos) - len(n.Ident[0])
		}
	}
	return int(n.Position())
}
