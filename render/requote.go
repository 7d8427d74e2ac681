package render

import (
	"bytes"
	"fmt"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/structure"
)

// Most quote functions write the quotes, too. Between quotes that the template has already, what is
// read is another text, or no text at all, which an error of the format calls something else.

// quoteMarks are the quotes that functions write.
var quoteMarks = map[string]string{
	"toJson": `"`, "toPrettyJson": `"`, "yamlQuote": `"`, "tomlQuote": `"`, "hclQuote": `"`, "nginxQuote": `"`, "pgbouncerQuote": `"`,
	"envQuote": `"`, "iniQuote": `"`, "phpIniQuote": `"`, "mycnfQuote": `"`, "gitQuote": `"`, "quote": `"`,
	"shellQuote": `'`, "phpQuote": `'`, "squote": `'`, "dotenvQuote": `'"`,
}

// A Requoting is an action between quotes whose last function writes quotes.
type Requoting struct {
	Spot
	Function string
	Call     string // the action
	Ends     bool   // the quotes that the function writes end those around it
}

// Requoted gives the requotings that the main template can reach, in the order in which they stand.
// What toJson makes of a value that may be a number is none.
func (t *Template) Requoted() (list []Requoting) {
	for text, n := range t.nodes() {
		body, ok := n.(*parse.ListNode)
		if !ok {
			continue
		}
		for i := 1; i < len(body.Nodes)-1; i++ {
			a, _ := body.Nodes[i].(*parse.ActionNode)
			mark := markAround(body.Nodes[i-1], body.Nodes[i+1])
			if a == nil || mark == 0 || len(a.Pipe.Decl) > 0 {
				continue
			}
			name := calledBy(last(a.Pipe))
			if marks := quoteMarks[name]; marks != "" && (!strings.HasSuffix(name, "Json") || takesText(a.Pipe)) {
				list = append(list, Requoting{text.spot(int(a.Pipe.Pos)), name, a.Pipe.String(), strings.IndexByte(marks, mark) >= 0})
			}
		}
	}
	return list
}

// markAround gives the quote with which one node ends and another begins; 0 where they do not.
func markAround(before, after parse.Node) byte {
	head, _ := before.(*parse.TextNode)
	tail, _ := after.(*parse.TextNode)
	if head == nil || tail == nil || len(head.Text) == 0 || len(tail.Text) == 0 || tail.Text[0] != head.Text[len(head.Text)-1] {
		return 0
	}
	return mark(tail.Text[0])
}

// mark gives a character that is a quote, and 0 for another one.
func mark(c byte) byte {
	if c == '"' || c == '\'' {
		return c
	}
	return 0
}

// takesText reports that the last function of a pipe takes what a lookup gives as text.
func takesText(p *parse.PipeNode) bool {
	c := last(p)
	switch {
	case len(c.Args) == 1 && len(p.Cmds) > 1:
		c = p.Cmds[len(p.Cmds)-2]
	case len(c.Args) == 2:
		inner, _ := c.Args[1].(*parse.PipeNode)
		if inner == nil {
			return false
		}
		c = last(inner)
	}
	name := calledBy(c)
	return name == "env" || name == "envOr" || lookupFunctions[name].kind != "" && lookupFunctions[name].gives == oneText
}

// A standing is how a printed text that has quotes of its own stands between others.
type standing byte

const (
	outside standing = iota
	wholly           // it is all that stands there
	partly
)

// standings gives how each of the printed texts stands. The quotes that count are those between
// them, which the template has.
func (o Output) standings() []standing {
	list := make([]standing, len(o.printed))
	open, at := false, 0
	for i, in := range o.printed {
		open = opens(o.Content[at:in.start], open)
		at = in.end
		switch {
		case !o.hasQuotes(in) || in.start == 0 || in.end == len(o.Content):
		case mark(o.Content[in.end]) != 0 && o.Content[in.end] == o.Content[in.start-1]:
			list[i] = wholly
		case open:
			list[i] = partly
		}
	}
	return list
}

// opens reports that a " is open where a text ends, on its last line, if one is or is not where it
// begins.
func opens(text []byte, open bool) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			open = false
		case '"':
			open = !open
		case '\\':
			i++
		}
	}
	return open
}

// hasQuotes reports that a function has written quotes, or brackets, around what was printed.
func (o Output) hasQuotes(in printedSpan) bool {
	name := calledBy(last(o.prints[in.action].node.Pipe))
	marks := quoteMarks[name]
	if marks != "" && strings.HasSuffix(name, "Json") {
		marks += "[{"
	}
	return strings.IndexByte(marks, o.Content[in.start]) >= 0
}

// requoted gives the action that has printed quotes between quotes on the line of an error: the
// last one that begins before it. YAML's errors have no column, and those about a list or a map
// have the line where it begins: there it is the first one from that line on.
func (o Output) requoted(err *format.Error) (in printAction, how standing) {
	offset := min(max(err.Offset, 0), len(o.Content))
	from := bytes.LastIndexByte(o.Content[:offset], '\n') + 1
	for i, stands := range o.standings() {
		s := o.printed[i]
		if stands == outside || s.end <= from {
			continue
		}
		if err.Column == 0 {
			return o.prints[s.action], stands
		}
		if s.start <= offset+1 {
			in, how = o.prints[s.action], stands
		}
	}
	return in, how
}

// requotedFault says that a file does not have its format because of quotes between quotes; nil
// where that is not why.
func (o Output) requotedFault(f format.Format, err *format.Error) *fault.Fault {
	in, how := o.requoted(err)
	if how == outside || err.Limit {
		return nil
	}
	what := fmt.Sprintf("%s; %s writes quotes between quotes here; file not written", err.Error(), calledBy(last(in.node.Pipe)))
	hints := o.template.keepHints(f, in.unquoted(), &structure.Breach{Within: structure.Quotes, Part: how == partly})
	failed := in.at.text.fault(in.at.offset, what, hints[:1]...)
	failed.Err = err
	return failed
}

// unquoted gives the pipe without a function in whose place that of a format can stand.
func (in printAction) unquoted() string {
	name := calledBy(last(in.node.Pipe))
	if name == "quote" || name == "squote" || name == "toJson" && takesText(in.node.Pipe) {
		return strings.TrimSuffix(in.pipe, " | "+name)
	}
	return in.pipe
}
