package render

import (
	"iter"
	"slices"
	"text/template/parse"
)

// paths gives the way from a node to each of those below it, in the order of the text. Each is good
// until the next.
func paths(root parse.Node) iter.Seq[[]parse.Node] {
	return func(yield func([]parse.Node) bool) { walk(root, yield) }
}

func walk(root parse.Node, yield func([]parse.Node) bool) bool {
	var path []parse.Node
	var step func(parse.Node) bool
	step = func(n parse.Node) bool {
		path = append(path, n)
		goOn := yield(path) && children(n, step)
		path = path[:len(path)-1]
		return goOn
	}
	return step(root)
}

// nodes gives a node and every node below it, in the order of the text.
func nodes(root parse.Node) iter.Seq[parse.Node] { return ends(paths(root)) }

// ends gives the last node of each path.
func ends(paths iter.Seq[[]parse.Node]) iter.Seq[parse.Node] {
	return func(yield func(parse.Node) bool) {
		paths(func(path []parse.Node) bool { return yield(path[len(path)-1]) })
	}
}

// children calls yield with the nodes directly below n, until it is false. Typed nils are left out.
func children(n parse.Node, yield func(parse.Node) bool) bool {
	switch n := n.(type) {
	case *parse.ListNode:
		return all(n.Nodes, yield)
	case *parse.ActionNode:
		return present(n.Pipe, nil, nil, yield)
	case *parse.TemplateNode:
		return present(n.Pipe, nil, nil, yield)
	case *parse.IfNode:
		return present(n.Pipe, n.List, n.ElseList, yield)
	case *parse.RangeNode:
		return present(n.Pipe, n.List, n.ElseList, yield)
	case *parse.WithNode:
		return present(n.Pipe, n.List, n.ElseList, yield)
	case *parse.PipeNode:
		return all(n.Decl, yield) && all(n.Cmds, yield)
	case *parse.CommandNode:
		return all(n.Args, yield)
	case *parse.ChainNode:
		return yield(n.Node)
	}
	return true
}

func present(p *parse.PipeNode, body, other *parse.ListNode, yield func(parse.Node) bool) bool {
	return (p == nil || yield(p)) && (body == nil || yield(body)) && (other == nil || yield(other))
}

func all[N parse.Node](list []N, yield func(parse.Node) bool) bool {
	for _, n := range list {
		if !yield(n) {
			return false
		}
	}
	return true
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
