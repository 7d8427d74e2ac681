package rewrite

import (
	"reflect"
	"text/template/parse"
)

// eachNode calls a function with a node and with all below it.
func eachNode(n parse.Node, do func(parse.Node)) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return
	}
	do(n)
	for _, child := range children(n) {
		eachNode(child, do)
	}
}

func children(n parse.Node) (list []parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		return n.Nodes
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.IfNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.WithNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.RangeNode:
		return []parse.Node{n.Pipe, n.List, n.ElseList}
	case *parse.TemplateNode:
		return []parse.Node{n.Pipe}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			list = append(list, c)
		}
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	}
	return list
}
