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
	if t.before > 0 {
		offset, t.Body = max(offset-t.before, 0), strings.TrimSuffix(t.Body[t.before:], eachTail)
	}
	offset = min(max(offset, 0), len(t.Body))
	start := strings.LastIndexByte(t.Body[:offset], '\n') + 1
	line, _, _ := strings.Cut(t.Body[start:], "\n")
	return &fault.Fault{
		Place: fault.Place{
			File:   t.shown(),
			Line:   t.Line + strings.Count(t.Body[:start], "\n") + 1,
			Column: t.Column + utf8.RuneCountInString(t.Body[start:offset]) + 1,
		},
		What:  what,
		Line:  strings.Repeat(" ", t.Column) + strings.TrimRight(line, "\r"),
		Hints: hints,
	}
}
