package render

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
)

// A Text is what a template or a partial is made of, and where a person finds it.
type Text struct {
	Name  string // what {{template}} calls it: a base name
	Shown string // what errors call it; "": Name
	Body  string

	// Where Body stands inside another file (a config's content), they are added to the line and to
	// the column of a place.
	Line, Column int

	before int // bytes of Body that are ours, and shown to nobody; as many as of eachHead, or none

	lines *lineIndex // of Body, for many places in it; nil: it is made for each
}

// shown gives the name by which a person finds the text.
func (t Text) shown() string { return cmp.Or(t.Shown, t.Name) }

// offset gives the byte at a line and a column as text/template counts them: from 1, and bytes from
// 0.
func (t Text) offset(line, column int) int {
	at := 0
	for ; line > 1; line-- {
		n := strings.IndexByte(t.Body[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
	}
	return min(at+column, len(t.Body))
}

// fault says what is wrong at a byte of the body, and shows the line.
func (t Text) fault(offset int, what string, hints ...string) *fault.Fault {
	return t.spot(offset).Fault(what, hints...)
}

// spot gives the place of a byte of the body.
func (t Text) spot(offset int) Spot {
	lines := t.lines
	if t.before > 0 {
		offset, t.Body, lines = max(offset-t.before, 0), strings.TrimSuffix(t.Body[t.before:], eachTail), nil
	}
	if lines == nil {
		lines = new(lineIndex)
	}
	offset = min(max(offset, 0), len(t.Body))
	number, begin, end := lines.around(t.Body, offset)
	column := lines.characters(t.Body, begin, offset)
	s := Spot{Place: fault.Place{File: t.shown(), Line: t.Line + number, Column: t.Column + column + 1}}
	s.whole = strings.TrimRight(t.Body[begin:end], "\r")
	shown, left := fault.Excerpt(s.whole, offset-begin)
	if left == 0 {
		s.Line = strings.Repeat(" ", t.Column) + shown
		return s
	}
	s.Line, s.Cut = shown, t.Column+lines.characters(t.Body, begin, begin+left)-utf8.RuneCountInString(fault.Left)
	return s
}
