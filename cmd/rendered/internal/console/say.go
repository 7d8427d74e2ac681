package console

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// What a line begins with that says how bad it is.
const (
	errorMark   = "error: "
	warningMark = "warning: "
)

var marks = map[string]printable.Color{errorMark: printable.Red, warningMark: printable.Yellow}

// excerpt is a line that fault.Fault.Text shows of a file, or the one below it with the caret.
var excerpt = lazyregexp.New(`^(?: *\d+ | {6})\| `)

// Say prints text for people, at once. On a terminal a line that is wider than it is broken at
// blanks, of an excerpt of a file what is about its caret is shown, and "error:" and "warning:"
// have their colors.
func Say(w io.Writer, text string) { sayAt(w, "", text) }

// sayAt is Say with a prefix, below which nothing else stands.
func sayAt(w io.Writer, prefix, text string) {
	text = strings.TrimSuffix(text, "\n")
	if IsTerminal(w) {
		text = fitted(text, Width(w)-len(prefix))
	}
	var spans []printable.Span
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			prefix = strings.Repeat(" ", len(prefix))
		}
		spans = append(spans, printable.Span{Text: prefix})
		for mark, color := range marks {
			if rest, is := strings.CutPrefix(line, mark); is {
				spans = append(spans, printable.Span{Color: color, Text: strings.TrimSpace(mark)})
				line = " " + rest
			}
		}
		spans = append(spans, printable.Span{Text: line + "\n"})
	}
	printable.Print(w, spans...)
}

// fitted breaks the lines of a text that are wider than it may be.
func fitted(text string, width int) string {
	var lines []string
	rest := strings.Split(text, "\n")
	for i := 0; i < len(rest); i++ {
		if excerpt.MatchString(rest[i]) && i+1 < len(rest) && excerpt.MatchString(rest[i+1]) {
			lines = append(lines, about(rest[i], rest[i+1], width)...)
			i++
			continue
		}
		lines = append(lines, hung(rest[i], width)...)
	}
	return strings.Join(lines, "\n")
}

// hung breaks a line at blanks, where it is wider than it may be. What is broken off is indented by
// four more.
func hung(line string, width int) []string {
	return wrapped(line, width, len(line)-len(strings.TrimLeft(line, " "))+4)
}

// about gives of a line of a file and its caret what fits: as many columns as the number of the
// line takes, at least.
func about(line, caret string, width int) []string {
	const gutter = len("    1 | ")
	width = max(width, 2*gutter)
	line, caret = strings.ReplaceAll(line, "\t", "    "), strings.ReplaceAll(caret, "\t", "    ")
	shown, at := []rune(line), utf8.RuneCountInString(caret)
	if max(len(shown), at) <= width {
		return []string{line, caret}
	}
	room := width - gutter
	from := max(min(at-gutter-room/2, len(shown)-gutter-room), 0)
	window := shown[gutter+from : min(gutter+from+room, len(shown))]
	if from > 0 {
		window[0] = '…'
	}
	if gutter+from+room < len(shown) {
		window[len(window)-1] = '…'
	}
	below := string([]rune(caret)[:gutter]) + strings.Repeat(" ", max(at-gutter-from-1, 0)) + "^"
	return []string{string(shown[:gutter]) + string(window), below}
}

// Filled gives a text as wide as it may be: lines that are not indented make paragraphs. Those that
// are stand for themselves.
func Filled(text string, width int) string {
	var lines []string
	open := false // the last line goes on
	for line := range strings.SplitSeq(text, "\n") {
		flows := line != "" && !strings.HasPrefix(line, " ")
		if flows && open {
			lines[len(lines)-1] += " " + line
		} else {
			lines = append(lines, line)
		}
		open = flows
	}
	return Fitted(strings.Join(lines, "\n"), width)
}

// described is what begins a line of a list whose words are explained on its right.
var described = lazyregexp.New(`^ +\S.*?(?:  +)`)

// Fitted breaks the lines of a text that are wider than they may be. What is broken off of a list
// whose words are explained on their right stays there.
func Fitted(text string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if left := Columns(described.FindString(line)); left <= width/2 {
			indent = max(indent, left)
		}
		lines = append(lines, wrapped(line, width, indent)...)
	}
	return strings.Join(lines, "\n")
}
