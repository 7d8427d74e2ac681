// Package fault says what is wrong, where, and what to do about it.
//
// A Fault is what a person reads when a config, a template or a value cannot be used. None of its
// parts ever holds a value that came from a lookup: whoever makes one leaves the value out.
package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Place is a position in a file that a person edits. The zero Place is unknown.
type Place struct {
	File   string // as the user would name it: a path, that of a template as the config writes it
	Line   int    // 1-based; 0 when only the file is known
	Column int    // 1-based, in characters; 0 when only the line is known
}

// String gives file:line:column, as compilers do, leaving out what is not known.
func (p Place) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Fault is one thing that is wrong.
type Fault struct {
	Place Place
	// What is one clause in lower case, without a full stop. A ref and a path of keys belong here,
	// values never.
	What  string
	Line  string   // the text of the line at Place, for display under a caret; "" shows none
	Cut   int      // how many characters of the line stand before Line, which is an excerpt then
	Hints []string // what to do about it, a line each; may be empty
	Err   error    // the cause, for errors.As; its text is not printed
	// Rule names what finds it, where a config can allow what that finds; "": it cannot.
	Rule string
}

// Error gives "place: what" on one line.
func (f *Fault) Error() string {
	if p := f.Place.String(); p != "" {
		return p + ": " + f.What
	}
	return f.What
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Text gives the fault as it stands on a terminal: the line of Error, the line of the file with a
// caret under the column, then the hints, indented. It ends with a newline.
func (f *Fault) Text() string {
	var b strings.Builder
	b.WriteString(f.Error())
	b.WriteByte('\n')
	if f.Line != "" && f.Place.Line > 0 {
		before := max(f.Place.Column-1-f.Cut, 0)
		line, begin := Excerpt(f.Line, width(f.Line, before))
		if begin > 0 {
			before -= utf8.RuneCountInString(f.Line[:begin]) - utf8.RuneCountInString(Left)
		}
		fmt.Fprintf(&b, "%5d | %s\n", f.Place.Line, line)
		if f.Place.Column > 0 {
			fmt.Fprintf(&b, "      | %s^\n", blank(line, before))
		}
	}
	for _, h := range f.Hints {
		fmt.Fprintf(&b, "  %s\n", h)
	}
	return b.String()
}

// Left stands for what an excerpt leaves out of a line.
const Left = "…"

const (
	longest = 600 // bytes of a line that is shown whole
	around  = 200 // bytes that are shown on each side of a place in a longer one
)

// Excerpt gives what is shown of a line for a place in it, which is a number of bytes, and with how
// many bytes less it begins: all of a line, or what is around the place in a long one, with Left on
// each side that is cut.
func Excerpt(line string, at int) (shown string, begin int) {
	if len(line) <= longest {
		return line, 0
	}
	begin, end := max(at-around, 0), min(at+around, len(line))
	for begin > 0 && !utf8.RuneStart(line[begin]) {
		begin--
	}
	for end < len(line) && !utf8.RuneStart(line[end]) {
		end++
	}
	shown = line[begin:end]
	if begin > 0 {
		shown = Left + shown
	}
	if end < len(line) {
		shown += Left
	}
	return shown, begin
}

// width gives how many bytes the first n characters of a line are.
func width(line string, n int) int {
	for at := range line {
		if n--; n < 0 {
			return at
		}
	}
	return len(line)
}

// blank gives white space as wide as the first n characters of line: tabs stay tabs, so that a
// caret lines up.
func blank(line string, n int) string {
	var b strings.Builder
	for _, r := range line {
		if n--; n < 0 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	if n > 0 {
		b.WriteString(strings.Repeat(" ", n))
	}
	return b.String()
}

// A List is several faults found together. It is an error where it holds at least one.
type List []*Fault

// Error gives one fault a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, f := range l {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the faults, for errors.As.
func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, f := range l {
		errs[i] = f
	}
	return errs
}

// Sort orders the faults by file, line and column, keeping the order of those at one place.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b *Fault) int {
		return cmp.Or(
			cmp.Compare(a.Place.File, b.Place.File),
			cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column))
	})
}

// Unique gives the list without those that say the same as one before.
func (l List) Unique() List {
	seen := make(map[string]bool)
	var list List
	for _, f := range l {
		if text := f.Error(); !seen[text] {
			seen[text] = true
			list = append(list, f)
		}
	}
	return list
}

// Err gives the list as an error, nil where it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}
