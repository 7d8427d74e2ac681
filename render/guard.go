package render

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"text/template/parse"
	"time"
)

// Nothing outside a template can stop {{range 1000000000000}}{{end}}, so every template body and every body of a range begins
// with a call of ours, put there after parsing as html/template puts its escapers.

const (
	tickFunction  = "_tick"
	printFunction = "_print"
)

// timeLimit is how long one template's execution may take, lookups not counted. Tests shorten it.
var timeLimit = 10 * time.Second

// DefaultMaxSize is how many bytes a template may print where Options do not say.
const DefaultMaxSize = 16 << 20

// guard puts the ticks in, and lets nothing be printed that is no text.
func (t *Template) guard() {
	for _, name := range slices.Sorted(maps.Keys(t.trees)) {
		tree := t.trees[name]
		at := t.text(tree)
		inspect(tree.Root, func(n parse.Node) bool {
			if a, ok := n.(*parse.ActionNode); ok && len(a.Pipe.Decl) == 0 {
				t.printed(a.Pipe, at)
			}
			return true
		})
		inspect(tree.Root, func(n parse.Node) bool {
			if r, ok := n.(*parse.RangeNode); ok {
				t.tick(r.List, at, int(r.Pos))
			}
			return true
		})
		t.tick(tree.Root, at, int(tree.Root.Pos))
	}
	for i, s := range t.sites[1:] {
		number(s.call, i+1)
	}
}

// siteMark is the text of the arguments that are ours.
const siteMark = "_site"

// number gives a call its number as its first argument.
func number(c *parse.CommandNode, i int) {
	n := &parse.NumberNode{NodeType: parse.NodeNumber, Pos: c.Pos, IsInt: true, Int64: int64(i), Text: siteMark}
	c.Args = slices.Insert(c.Args, 1, parse.Node(n))
}

// printed lets printFunction have the last word in a pipeline, as html/template has its escapers.
// Where it notes what it prints it gets the number of the action.
func (t *Template) printed(p *parse.PipeNode, at *Text) {
	pos := p.Cmds[len(p.Cmds)-1].Position()
	c := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{parse.NewIdentifier(printFunction).SetPos(pos)}}
	if t.Placed {
		number(c, len(t.inserts))
		t.inserts = append(t.inserts, insert{position{at, int(p.Pos)}, p.String(), leastIn(p)})
	}
	p.Cmds = append(p.Cmds, c)
}

func (t *Template) tick(body *parse.ListNode, at *Text, offset int) {
	if body == nil {
		return
	}
	number := strconv.Itoa(len(t.ticks))
	t.ticks = append(t.ticks, position{at, offset})
	call := parse.New(tickFunction)
	call.Mode = parse.SkipFuncCheck
	call, err := call.Parse("{{"+tickFunction+" "+number+"}}", "", "", make(map[string]*parse.Tree))
	if err != nil {
		panic(err) // the text above is constant but for a number
	}
	body.Nodes = append(slices.Clone(call.Root.Nodes), body.Nodes...)
}

// A stop is why an execution was ended from outside, and where it was.
type stop struct {
	at   position
	what string
}

func (s *stop) Error() string { return s.what }

// tick ends an execution that goes on for too long.
func (r *run) tick(number int) (string, error) {
	if r.ctx.Err() != nil {
		return "", &stop{r.t.ticks[number], "the render was stopped"}
	}
	if spent := time.Since(r.begun) - r.waited; spent > timeLimit {
		return "", &stop{r.t.ticks[number], fmt.Sprintf("the template runs for more than %v; does this end?", timeLimit)}
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
