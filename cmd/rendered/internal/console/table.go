package console

import (
	"io"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// A Table has rows of cells. The last cell of a row may have several lines, and is broken where it
// is wider than what is left of the terminal. Where little is left it stands below the others. A
// row of one cell, in a table of more, is a line of its own.
type Table [][]string

// leastWidth is what the last column has at least beside the others.
const leastWidth = 30

// Print prints the table.
func (t Table) Print(w io.Writer) { t.PrintColored(w, nil) }

// PrintColored prints the table, with the color that the first word of a cell gets by the cell's
// text and its column, which counts from 0.
func (t Table) PrintColored(w io.Writer, color func(column int, cell string) printable.Color) {
	width, left := Width(w), t.left()
	l := layout{widths: t.widths(), left: left, room: width - left, color: color}
	if l.color == nil {
		l.color = func(int, string) printable.Color { return printable.Plain }
	}
	if l.below = l.room < leastWidth; l.below {
		l.left, l.room = 2*gap, width-2*gap
	}
	for _, row := range t {
		if len(row) < len(t[0]) || left > width {
			Say(w, strings.ReplaceAll(strings.Join(row, strings.Repeat(" ", gap)), "\n", "\n"+strings.Repeat(" ", 2*gap)))
		} else {
			printable.Print(w, trimmed(l.lines(row))...)
		}
	}
}

// A layout is how the rows of a table are written.
type layout struct {
	widths []int // of all columns but the last
	left   int   // where lines of the last one begin that stand alone
	room   int   // for it
	below  bool  // it stands below the others
	color  func(column int, cell string) printable.Color
}

// lines gives the lines of a row.
func (l layout) lines(row []string) []printable.Span {
	last := len(row) - 1
	spans := heads(row[:last], l.widths, l.color)
	text := broken(row[last], l.room)
	if l.below && row[last] != "" {
		text = append([]string{""}, text...)
	}
	color := l.color(last, row[last])
	for i, line := range text {
		if i > 0 {
			color = printable.Plain
			spans = append(spans, printable.Span{Text: strings.Repeat(" ", l.left)})
		}
		spans = append(append(spans, firstWord(line, color)...), printable.Span{Text: "\n"})
	}
	return spans
}

// left gives how wide all columns but the last are.
func (t Table) left() (sum int) {
	for _, width := range t.widths() {
		sum += width + gap
	}
	return sum
}

// Fits tells whether the last column of the table stands beside the others on w.
func (t Table) Fits(w io.Writer) bool { return t.left()+leastWidth <= Width(w) }

// firstWord gives a text whose first word has a color.
func firstWord(text string, color printable.Color) []printable.Span {
	n := strings.IndexAny(text, ", ")
	if color == printable.Plain || n < 0 {
		n = len(text)
	}
	return []printable.Span{{Color: color, Text: text[:n]}, {Text: text[n:]}}
}

// gap is what is between two columns.
const gap = 2

// heads gives all cells of a row but the last.
func heads(cells []string, widths []int, color func(int, string) printable.Color) (spans []printable.Span) {
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]+gap-Columns(cell))
		spans = append(append(spans, firstWord(cell, color(i, cell))...), printable.Span{Text: pad})
	}
	return spans
}

// trimmed takes the blanks before the ends of lines away.
func trimmed(spans []printable.Span) []printable.Span {
	end := true
	for i := len(spans) - 1; i >= 0; i-- {
		s := &spans[i]
		switch {
		case s.Text == "\n":
			end = true
		case end:
			s.Text = strings.TrimRight(s.Text, " ")
			end = s.Text == ""
		}
	}
	return spans
}

// widths gives those of all columns but the last.
func (t Table) widths() []int {
	widths := make([]int, len(t[0])-1)
	for _, row := range t {
		for i := range min(len(widths), len(row)-1) {
			widths[i] = max(widths[i], Columns(row[i]))
		}
	}
	return widths
}

// broken breaks lines where they are too wide. What was broken is indented.
func broken(text string, width int) (lines []string) {
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, wrapped(line, width, 2)...)
	}
	return lines
}
