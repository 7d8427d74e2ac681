package render

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"text/template/parse"
	"time"
)

// Nothing outside a template can stop {{range 1000000000000}}{{end}}, so every template body and
// every body of a range begins with a call of ours. As html/template puts its escapers in after
// parsing, so are these calls put into the trees that are executed, which are copies: all else
// looks at the trees as they were written.

const (
	tickFunction  = "_tick"
	enterFunction = "_enter"
	leaveFunction = "_leave"
	printFunction = "_print"
)

// timeLimit is how long one template's execution may take, lookups not counted. Tests shorten it.
var timeLimit = 10 * time.Second

// DefaultMaxSize is how many bytes a template may print where Options do not say.
const DefaultMaxSize = 16 << 20

// guarded gives a copy of a tree that ends in time, prints nothing but texts, and tells a function
// that is named which call it is.
func (r *run) guarded(at *Text, tree *parse.Tree) *parse.Tree {
	number := len(r.named)
	r.named = append(r.named, namedCalls(tree)...)
	written := printing(tree)
	tree = tree.Copy()
	for n := range nodes(tree.Root) {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				r.addPrint(n.Pipe, at, written[0])
				written = written[1:]
			}
		case *parse.ChainNode:
			n.Node = n.Node.Copy() // Tree.Copy leaves that of the tree as it is written
		case *parse.RangeNode:
			r.addTick(n.List, tickFunction, at, int(n.Pos))
			if r.t.notesItems {
				n.List.Nodes = append(n.List.Nodes, noteItem(n.Pos))
			}
		case *parse.CommandNode:
			if named(calledBy(n)) {
				n.Args = slices.Insert(n.Args, 1, numberNode(number))
				number++
			}
		}
	}
	r.addTick(tree.Root, enterFunction, at, int(tree.Root.Pos))
	tree.Root.Nodes = append(tree.Root.Nodes, silently(commandNode(tree.Root.Pos, leaveFunction)))
	return tree
}

// namedCalls gives the calls of functions that are named.
func namedCalls(tree *parse.Tree) (calls []*parse.CommandNode) {
	for n := range nodes(tree.Root) {
		if c, ok := n.(*parse.CommandNode); ok && named(calledBy(c)) {
			calls = append(calls, c)
		}
	}
	return calls
}

// printing gives the actions that print.
func printing(tree *parse.Tree) (actions []*parse.ActionNode) {
	for n := range nodes(tree.Root) {
		if a, ok := n.(*parse.ActionNode); ok && len(a.Pipe.Decl) == 0 {
			actions = append(actions, a)
		}
	}
	return actions
}

// addPrint lets printFunction have the last word in a pipeline, as html/template has its escapers.
// Where it notes what it prints it gets the number of the action, as which that of the tree as it
// is written is noted.
func (r *run) addPrint(p *parse.PipeNode, at *Text, written *parse.ActionNode) {
	c := commandNode(p.Cmds[len(p.Cmds)-1].Position(), printFunction)
	if r.t.notesPrints() {
		c.Args = append(c.Args, numberNode(len(r.prints)))
		r.prints = append(r.prints, printAction{position{at, int(p.Pos)}, written, p.String(), leastIn(p)})
	}
	p.Cmds = append(p.Cmds, c)
}

// addTick begins a body with a call of tickFunction, or of enterFunction.
func (r *run) addTick(body *parse.ListNode, function string, at *Text, offset int) {
	c := commandNode(parse.Pos(offset), function, numberNode(len(r.ticks)))
	r.ticks = append(r.ticks, position{at, offset})
	body.Nodes = slices.Insert(body.Nodes, 0, silently(c))
}

// silently makes an action of a call that prints nothing: what the call gives goes to a variable.
func silently(c *parse.CommandNode) parse.Node {
	variable := &parse.VariableNode{NodeType: parse.NodeVariable, Pos: c.Pos, Ident: []string{"$_"}}
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: c.Pos, Decl: []*parse.VariableNode{variable}, Cmds: []*parse.CommandNode{c}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: c.Pos, Pipe: pipe}
}

func commandNode(pos parse.Pos, function string, args ...parse.Node) *parse.CommandNode {
	name := parse.NewIdentifier(function).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: append([]parse.Node{name}, args...)}
}

func numberNode(i int) parse.Node {
	return &parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(i), Text: strconv.Itoa(i)}
}

// calledBy gives the name of the function that a command calls; "" where it calls none, or is nil.
func calledBy(c *parse.CommandNode) string {
	if c == nil {
		return ""
	}
	if id, ok := c.Args[0].(*parse.IdentifierNode); ok {
		return id.Ident
	}
	return ""
}

// named reports that a function of ours gets a name that a template may compute.
func named(name string) bool {
	fn, ok := lookupFunctions[name]
	return ok && fn.name == "" || name == "env"
}

// A stop is why an execution was ended from outside, and where it was.
type stop struct {
	at   position
	what string
}

func (s *stop) Error() string { return s.what }

// enter begins the body of a template, which leave ends.
func (r *run) enter(number int) (string, error) {
	if r.bodies++; r.bodies > maxBodies {
		return "", &stop{r.ticks[number], "templates call each other without end"}
	}
	return r.tick(number)
}

func (r *run) leave() string {
	r.bodies--
	return ""
}

// tick ends an execution that goes on for too long.
func (r *run) tick(number int) (string, error) {
	if r.ctx.Err() != nil {
		return "", &stop{r.ticks[number], "the render was stopped"}
	}
	if spent := time.Since(r.begun) - r.waited; spent > timeLimit {
		return "", &stop{r.ticks[number], fmt.Sprintf("the template runs for more than %v; does this end?", timeLimit)}
	}
	return "", nil
}

// waiting counts the time that f takes as spent on lookups.
func (r *run) waiting(f func()) {
	begun := time.Now()
	f()
	r.waited += time.Since(begun)
}

var errTooLarge = errors.New("too large")

// An output collects what a template prints, up to the limit.
type output struct {
	bytes.Buffer
	limit int
}

func (o *output) Write(p []byte) (int, error) {
	if len(p) > o.limit-o.Len() {
		return 0, errTooLarge
	}
	return o.Buffer.Write(p)
}
