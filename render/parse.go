package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/rendered/rendered/render/fault"
)

// parse reads text i into t.trees. Its parse name is its number: the names that come back in text/template's messages are then
// ours, whatever a file is called.
func (t *Template) parse(i int) *fault.Fault {
	text := &t.texts[i]
	set, err := t.parseText(strconv.Itoa(i), text.Body)
	if err != nil {
		return t.syntaxFault(text, err)
	}
	for name, tree := range set {
		if name == strconv.Itoa(i) {
			name = text.Name
			tree.Name = name
		}
		if old := t.trees[name]; old != nil && !parse.IsEmptyTree(old.Root) {
			if parse.IsEmptyTree(tree.Root) {
				continue
			}
			return text.fault(int(tree.Root.Pos), fmt.Sprintf("template %q is defined a second time; the first is in %s", name, t.text(old).Name))
		}
		t.trees[name] = tree
	}
	return nil
}

func (t *Template) parseText(name, body string) (map[string]*parse.Tree, error) {
	left, right := t.delims()
	set := make(map[string]*parse.Tree)
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck // we look for all unknown functions ourselves, with their columns
	_, err := tree.Parse(body, left, right, set)
	return set, err
}

// text gives the text that a tree was parsed from.
func (t *Template) text(tree *parse.Tree) *Text {
	i, err := strconv.Atoi(tree.ParseName)
	if err != nil || i >= len(t.texts) {
		return &t.texts[0]
	}
	return &t.texts[i]
}

var syntaxError = regexp.MustCompile(`(?s)^template: \d+:(\d+): (.*)$`)

// syntaxFault gives a parse error its column, which text/template does not know.
func (t *Template) syntaxFault(text *Text, err error) *fault.Fault {
	m := syntaxError.FindStringSubmatch(err.Error())
	if m == nil {
		return text.fault(0, "not a template: "+err.Error())
	}
	line, _ := strconv.Atoi(m[1])
	what, _, _ := strings.Cut(m[2], "\n")
	if what == "unexpected EOF" {
		at, keyword := t.unclosed(text.Body)
		return text.fault(at, keyword+" has no {{end}}")
	}
	return text.fault(t.actionAt(text.Body, line, err), what, syntaxHints(what)...)
}

// syntaxHints explains what the parser says where somebody left out the quotes, or took the wrong ones.
func syntaxHints(what string) []string {
	for _, words := range []string{"bad character", "malformed character constant", "unterminated character constant", "bad number syntax"} {
		if strings.Contains(what, words) {
			return []string{`a name stands in double quotes, as in {{ secret "prod/db" "password" }}`}
		}
	}
	return nil
}

// maxTries bounds how often a text is parsed again to find the column of an error. A line with more actions was made by a machine.
const maxTries = 64

// actionAt finds the action that a parse error of a line is about: the first of that line with which the text up to its end
// gives the same error. Without one it is the line's first byte that is not blank.
func (t *Template) actionAt(body string, line int, err error) int {
	left, right := t.delims()
	start := Text{Body: body}.offset(line, 0)
	end := len(body)
	if n := strings.IndexByte(body[start:], '\n'); n >= 0 {
		end = start + n
	}
	tried := 0
	for at := start; ; {
		n := strings.Index(body[at:end], left)
		if n < 0 || tried == maxTries {
			break
		}
		tried++
		at += n
		stop := len(body)
		if n := strings.Index(body[at:], right); n >= 0 {
			stop = at + n + len(right)
		}
		if _, e := t.parseText(syntaxName(err), body[:stop]); e != nil && e.Error() == err.Error() {
			return at
		}
		at += len(left)
	}
	return start + len(body[start:end]) - len(strings.TrimLeft(body[start:end], " \t"))
}

// syntaxName gives the parse name in the text of a parse error.
func syntaxName(err error) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "template: "), ":")
	return name
}

var keyword = regexp.MustCompile(`^-?\s*(if|range|with|define|block|end)\b`)

// unclosed finds the innermost block that was begun and not ended.
func (t *Template) unclosed(body string) (at int, what string) {
	left, right := t.delims()
	type block struct {
		at   int
		what string
	}
	open := []block{{0, "a block"}}
	for from := 0; ; {
		n := strings.Index(body[from:], left)
		if n < 0 {
			break
		}
		at := from + n
		from = at + len(left)
		if m := keyword.FindStringSubmatch(body[from:]); m != nil {
			switch {
			case m[1] != "end":
				open = append(open, block{at, m[1]})
			case len(open) > 1:
				open = open[:len(open)-1]
			}
		}
		if n := strings.Index(body[from:], right); n >= 0 {
			from += n
		}
	}
	last := open[len(open)-1]
	return last.at, last.what
}
