package diff

import (
	"bytes"
	"strings"

	"github.com/rendered/rendered/render"
)

// A unit is what is compared as one: a line with its end, or, of a new file, the lines over which
// something hidden goes.
type unit struct {
	text   string
	pieces []piece // what of it is shown; none of the file on disk
	lines  int
	public bool // nothing in it is hidden
}

// A piece is what is shown of a part of a line: a text of the template's, or a label.
type piece struct {
	text  string
	label bool
}

// newUnits divides a new file. The parts of it that the template alone does not give are hidden by
// what label gives for them.
func newUnits(content []byte, parts []render.Part, label func(render.Part) string) (list []unit) {
	text := string(content)
	for start := 0; start < len(text); {
		end, hidden := lineEnd(text, start), 0
		for hidden < len(parts) && parts[hidden].Start < end {
			end = max(end, lineEnd(text, parts[hidden].End-1))
			hidden++
		}
		u := unit{text: text[start:end], public: hidden == 0}
		u.lines = countLines(u.text)
		u.pieces = pieces(text, start, end, parts[:hidden], label)
		list = append(list, u)
		start, parts = end, parts[hidden:]
	}
	return list
}

// pieces gives what is shown of a stretch of a text, without the end of its last line.
func pieces(text string, start, end int, hidden []render.Part, label func(render.Part) string) (list []piece) {
	add := func(text string) {
		if text != "" {
			list = append(list, piece{text: text})
		}
	}
	for _, p := range hidden {
		add(text[start:p.Start])
		list = append(list, piece{label(p), true})
		start = p.End
	}
	add(strings.TrimSuffix(text[start:max(start, end)], "\n"))
	return list
}

// oldUnits divides the file on disk: into lines, and where all lines of a unit of the new file
// stand there, into those.
func oldUnits(content []byte, of []unit) (list []unit) {
	long := make(map[string][]string) // texts of several lines, by the first
	for _, u := range of {
		if u.lines > 1 {
			first := u.text[:lineEnd(u.text, 0)]
			long[first] = append(long[first], u.text)
		}
	}
	text, budget := string(content), mostCompared
	for at := 0; at < len(text); {
		u := unit{text: text[at:lineEnd(text, at)], lines: 1}
		for _, whole := range long[u.text] {
			if budget -= len(whole); budget < 0 {
				break
			}
			if rest, ok := strings.CutPrefix(text[at:], whole); ok && (rest == "" || strings.HasSuffix(whole, "\n")) {
				u.text, u.lines = whole, countLines(whole)
				break
			}
		}
		list = append(list, u)
		at += len(u.text)
	}
	return list
}

// mostCompared bounds how many bytes are compared to find texts of several lines.
const mostCompared = 256 << 20

// lineEnd gives the byte after the line in which a byte stands.
func lineEnd(text string, at int) int {
	if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(text)
}

func countLines(text string) int {
	n := strings.Count(text, "\n")
	if !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}

// tooLarge tells whether a file is not compared line by line.
func tooLarge(content []byte) bool {
	return len(content) > mostBytes || bytes.Count(content, []byte("\n")) > mostLines
}

const (
	mostBytes = 16 << 20
	mostLines = 1 << 18
)
