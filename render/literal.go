package render

import (
	"regexp"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/fault"
)

// A Spot is a place in a template, with its line.
type Spot struct {
	Place fault.Place
	Line  string
}

// Literal finds what a pattern matches in the text between actions, which is printed as it stands.
func (t *Template) Literal(pattern *regexp.Regexp) (found []Spot) {
	t.eachNode(func(at *Text, n parse.Node) {
		text, ok := n.(*parse.TextNode)
		if !ok {
			return
		}
		for _, m := range pattern.FindAllIndex(text.Text, -1) {
			f := at.fault(int(text.Pos)+m[0], "")
			found = append(found, Spot{f.Place, f.Line})
		}
	})
	return found
}

// Unended gives the end of the main template where it stands in the middle of a line that has text of its own. A template that is nothing but
// an action prints a value as it is.
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
	f := t.Main.fault(len(body), "")
	return Spot{f.Place, f.Line}, true
}
