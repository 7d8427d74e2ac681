package render

import (
	"slices"
	"text/template/parse"
)

// inspect calls f with n and, where it returns true, with every node below it, in the order of the text.
func inspect(n parse.Node, f func(parse.Node) bool) {
	if n == nil || !f(n) {
		return
	}
	for _, c := range children(n) {
		inspect(c, f)
	}
}

// children gives the nodes directly below n. Typed nils are left out.
func children(n parse.Node) []parse.Node {
	var list []parse.Node
	switch n := n.(type) {
	case *parse.ListNode:
		list = n.Nodes
	case *parse.ActionNode:
		list = addPipe(nil, n.Pipe)
	case *parse.IfNode:
		list = branch(&n.BranchNode)
	case *parse.RangeNode:
		list = branch(&n.BranchNode)
	case *parse.WithNode:
		list = branch(&n.BranchNode)
	case *parse.TemplateNode:
		list = addPipe(nil, n.Pipe)
	case *parse.PipeNode:
		for _, v := range n.Decl {
			list = append(list, v)
		}
		for _, c := range n.Cmds {
			if !added(c) {
				list = append(list, c)
			}
		}
	case *parse.CommandNode:
		list = arguments(n)
	case *parse.ChainNode:
		list = []parse.Node{n.Node}
	}
	return list
}

// added reports that a command is none of the template's own.
func added(c *parse.CommandNode) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && id.Ident == printFunction
}

// arguments gives what a template wrote in a command, the function or value in front included.
func arguments(c *parse.CommandNode) []parse.Node {
	if len(c.Args) > 1 {
		if n, ok := c.Args[1].(*parse.NumberNode); ok && n.Text == siteMark {
			return slices.Delete(slices.Clone(c.Args), 1, 2)
		}
	}
	return c.Args
}

func branch(b *parse.BranchNode) []parse.Node {
	return addList(addList(addPipe(nil, b.Pipe), b.List), b.ElseList)
}

func addPipe(list []parse.Node, p *parse.PipeNode) []parse.Node {
	if p != nil {
		list = append(list, p)
	}
	return list
}

func addList(list []parse.Node, l *parse.ListNode) []parse.Node {
	if l != nil {
		list = append(list, l)
	}
	return list
}

// pathTo gives the nodes from root down to the last one that stands at the byte offset.
func pathTo(root parse.Node, offset int) []parse.Node {
	var path, best []parse.Node
	var visit func(parse.Node)
	visit = func(n parse.Node) {
		path = append(path, n)
		if int(n.Position()) == offset && n.Type() != parse.NodeList {
			best = append([]parse.Node(nil), path...)
		}
		for _, c := range children(n) {
			visit(c)
		}
		path = path[:len(path)-1]
	}
	visit(root)
	return best
}
