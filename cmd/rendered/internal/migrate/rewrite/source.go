// Package rewrite makes templates of ours of those of other programs: calls are rewritten in the
// parse tree, and everything else of a text stays as it is, comments and white space, too.
package rewrite

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
)

// A segment is one action of a template's text, from its left delimiter to behind its right one.
type segment struct {
	start, end int
	inside     int  // where what stands between the delimiters begins, white space left out
	behind     int  // where it ends, white space left out
	trims      bool // it takes the white space before it away
}

// A source is a template's text with its actions.
type source struct {
	text        string
	left, right string
	actions     []segment
	lines       []int                           // where each line begins
	counted     struct{ line, pos, column int } // the last place that was asked for
}

// newSource finds the actions of a text that was parsed, as text/template does.
func newSource(text, left, right string) *source {
	s := &source{text: text, left: left, right: right, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	for at := 0; ; {
		next := strings.Index(text[at:], left)
		if next < 0 {
			return s
		}
		a := s.action(at + next)
		s.actions = append(s.actions, a)
		at = a.end
	}
}

// action gives the action that begins at a left delimiter.
func (s *source) action(start int) segment {
	a := segment{start: start, inside: start + len(s.left)}
	if rest := s.text[a.inside:]; len(rest) > 1 && rest[0] == '-' && strings.ContainsRune(" \t\r\n", rune(rest[1])) {
		a.trims = true
		a.inside++
	}
	a.inside += len(s.text[a.inside:]) - len(strings.TrimLeft(s.text[a.inside:], " \t\r\n"))
	a.behind = s.endOfAction(a.inside)
	a.end = min(a.behind+len(s.right), len(s.text))
	content := s.text[a.inside:a.behind]
	if trimmed, ok := strings.CutSuffix(content, "-"); ok && strings.TrimRight(trimmed, " \t\r\n") != trimmed {
		content = trimmed
	}
	a.behind = a.inside + len(strings.TrimRight(content, " \t\r\n"))
	return a
}

// endOfAction gives where the right delimiter of an action is: not within a comment, a text in
// quotes or a character.
func (s *source) endOfAction(at int) int {
	if strings.HasPrefix(s.text[at:], "/*") {
		if n := strings.Index(s.text[at:], "*/"); n >= 0 {
			at += n + 2
		}
	}
	for at < len(s.text) && !strings.HasPrefix(s.text[at:], s.right) {
		switch c := s.text[at]; c {
		case '"', '\'', '`':
			at = s.endOfQuotes(at+1, c)
		default:
			at++
		}
	}
	return at
}

// endOfQuotes gives what stands behind a text in quotes.
func (s *source) endOfQuotes(at int, quote byte) int {
	for ; at < len(s.text); at++ {
		switch {
		case s.text[at] == '\\' && quote != '`':
			at++
		case s.text[at] == quote:
			return at + 1
		}
	}
	return at
}

// around gives the action that a position of the parse tree is in.
func (s *source) around(pos int) (segment, bool) {
	i, _ := slices.BinarySearchFunc(s.actions, pos, func(a segment, pos int) int { return cmp.Compare(a.end-1, pos) })
	if i == len(s.actions) || s.actions[i].start > pos {
		return segment{}, false
	}
	return s.actions[i], true
}

// place gives a position as a person finds it.
func (s *source) place(file string, pos int) fault.Place {
	pos = min(pos, len(s.text))
	line, _ := slices.BinarySearch(s.lines, pos+1)
	from, column := s.lines[line-1], 1
	if s.counted.line == line && s.counted.pos <= pos {
		from, column = s.counted.pos, s.counted.column
	}
	column += utf8.RuneCountInString(s.text[from:pos])
	s.counted.line, s.counted.pos, s.counted.column = line, pos, column
	return fault.Place{File: file, Line: line, Column: column}
}

// An edit puts a text in the place of another.
type edit struct {
	start, end int
	text       string
}

// apply gives the text after edits, none of which overlap. Of those at one place the first stands
// first.
func (s *source) apply(edits []edit) string {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(s.text[at:e.start] + e.text)
		at = e.end
	}
	return b.String() + s.text[at:]
}
