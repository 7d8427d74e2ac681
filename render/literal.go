package render

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
)

// A Spot is a place in a template, with its line.
type Spot struct {
	Place fault.Place
	Line  string
}

// spot gives the place of a byte.
func (t Text) spot(offset int) Spot {
	f := t.fault(offset, "")
	return Spot{f.Place, f.Line}
}

// Literal finds what a pattern matches in the text between actions, which is printed as it stands.
func (t *Template) Literal(pattern *regexp.Regexp) (found []Spot) {
	t.eachNode(func(at *Text, n parse.Node) {
		text, ok := n.(*parse.TextNode)
		if !ok {
			return
		}
		for _, m := range pattern.FindAllIndex(text.Text, -1) {
			found = append(found, at.spot(int(text.Pos)+m[0]))
		}
	})
	return found
}

// Keys finds the keys that a dict writes down for one of the functions and for which wanted holds.
func (t *Template) Keys(functions []string, wanted func(function, key string) bool) (found []Spot) {
	var at *Text
	keys := func(function string, c *parse.CommandNode) {
		if id, ok := c.Args[0].(*parse.IdentifierNode); !ok || id.Ident != "dict" {
			return
		}
		for i := 1; i < len(c.Args); i += 2 {
			if key, ok := c.Args[i].(*parse.StringNode); ok && wanted(function, key.Text) {
				found = append(found, at.spot(int(key.Pos)))
			}
		}
	}
	t.eachNode(func(text *Text, n parse.Node) {
		p, ok := n.(*parse.PipeNode)
		if !ok {
			return
		}
		at = text
		for i, c := range p.Cmds {
			id, ok := c.Args[0].(*parse.IdentifierNode)
			if !ok || !slices.Contains(functions, id.Ident) {
				continue
			}
			if i > 0 {
				keys(id.Ident, p.Cmds[i-1])
			}
			if args := arguments(c); len(args) > 1 {
				if inner, ok := args[1].(*parse.PipeNode); ok {
					keys(id.Ident, inner.Cmds[len(inner.Cmds)-1])
				}
			}
		}
	})
	return found
}

// Unended gives the end of the main template where it stands in the middle of a line that has text
// of its own. A template that is nothing but an action prints a value as it is.
func (t *Template) Unended() (Spot, bool) {
	body := t.Main.Body
	begin := strings.LastIndexByte(body, '\n') + 1
	literal := body[begin:]
	for _, a := range t.scanner(body).actions() {
		if a.end > begin {
			from := max(a.at, begin)
			literal = strings.Replace(literal, body[from:a.end], strings.Repeat(" ", a.end-from), 1)
		}
	}
	if strings.TrimSpace(literal) == "" {
		return Spot{}, false
	}
	return t.Main.spot(len(body)), true
}
