package render

import (
	"slices"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A Spot is a place in a template, with its line, or what is around it on a long one, and how many
// characters of the line stand before that.
type Spot struct {
	Place fault.Place
	Line  string
	Cut   int

	whole string
}

// LineBegins reports that the whole line begins so, behind blanks.
func (s Spot) LineBegins(with string) bool {
	return strings.HasPrefix(strings.TrimLeft(s.whole, " \t"), with)
}

// Fault says what is wrong there.
func (s Spot) Fault(what string, hints ...string) *fault.Fault {
	return &fault.Fault{Place: s.Place, Line: s.Line, Cut: s.Cut, What: what, Hints: hints}
}

// Literal finds what a pattern matches in the text between actions, which is printed as it stands.
func (t *Template) Literal(pattern *lazyregexp.Regexp) (found []Spot) {
	for at, n := range t.nodes() {
		text, ok := n.(*parse.TextNode)
		if !ok {
			continue
		}
		for _, m := range pattern.FindAllIndex(text.Text, -1) {
			found = append(found, at.spot(int(text.Pos)+m[0]))
		}
	}
	return found
}

// Mentions finds what a pattern matches anywhere in the template itself, also in its comments.
func (t *Template) Mentions(pattern *lazyregexp.Regexp) (found []Spot) {
	for _, m := range pattern.FindAllStringIndex(t.Main.Body, -1) {
		found = append(found, t.texts[0].spot(m[0]))
	}
	return found
}

// Keys finds the keys that a dict writes down for one of the functions and for which wanted holds.
func (t *Template) Keys(functions []string, wanted func(function, key string) bool) (found []Spot) {
	for at, n := range t.nodes() {
		p, ok := n.(*parse.PipeNode)
		if !ok {
			continue
		}
		var before *parse.CommandNode
		for _, c := range p.Cmds {
			dict := maker(c, before, 0)
			if slices.Contains(functions, calledBy(c)) && calledBy(dict) == "dict" {
				found = append(found, at.keys(dict, func(key string) bool { return wanted(calledBy(c), key) })...)
			}
			before = c
		}
	}
	return found
}

// keys gives the keys that a dict writes down and for which wanted holds.
func (t Text) keys(dict *parse.CommandNode, wanted func(key string) bool) (found []Spot) {
	for i := 1; i < len(dict.Args); i += 2 {
		if key, ok := dict.Args[i].(*parse.StringNode); ok && wanted(key.Text) {
			found = append(found, t.spot(int(key.Pos)))
		}
	}
	return found
}

// Unended gives the end of the main template where it stands in the middle of a line that has text
// of its own. A template that is nothing but an action prints a value as it is.
func (t *Template) Unended() (Spot, bool) {
	body := t.Main.Body
	begin := strings.LastIndexByte(body, '\n') + 1
	literal, at := false, begin
	for _, a := range t.scanner(body).actions() {
		if a.end > begin {
			literal = literal || strings.TrimSpace(body[at:max(a.at, at)]) != ""
			at = a.end
		}
	}
	if !literal && strings.TrimSpace(body[at:]) == "" {
		return Spot{}, false
	}
	return t.Main.spot(len(body)), true
}
