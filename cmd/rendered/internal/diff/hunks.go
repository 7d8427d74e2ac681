package diff

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// A Hunk is some lines that differ, with those around them.
type Hunk struct {
	OldStart int    `json:"old_start"` // line, from 1; 0 where there is none before it
	OldLines int    `json:"old_lines"`
	NewStart int    `json:"new_start"`
	NewLines int    `json:"new_lines"`
	Lines    []Line `json:"lines"`
}

// A Line is what is shown of a line, or of several that are hidden as one.
type Line struct {
	Sign string `json:"sign"` // " ", "-", "+"; "\\" is a remark, "…" what is left out
	Text string `json:"text"`

	pieces []piece
	hidden int // bytes, of a line that is hidden because it stands on disk alone; 0: it is not
}

const (
	removed = "-"
	added   = "+"
	remark  = `\`
	cut     = "…"
)

// noEnd is what diff(1) says of a last line that does not end.
const noEnd = "No newline at end of file"

// hunks compares two files by their units. Of those on disk it shows the lines that are in the new
// one where nothing is hidden.
func hunks(old, new []unit) (list []Hunk) {
	public := make(map[string]bool)
	for _, u := range new {
		if u.public {
			public[strings.TrimSuffix(u.text, "\n")] = true
		}
	}
	w := walk{old: old, new: new, public: public}
	numbers := make(map[string]int)
	for line := range bytes.Lines(diff.Diff("old", numbered(old, numbers), "new", numbered(new, numbers))) {
		switch line[0] {
		case '@':
			list = append(list, w.begin(string(line)))
		case ' ', '-', '+':
			if len(list) > 0 { // else it is of the head
				w.step(&list[len(list)-1], string(line[:1]))
			}
		}
	}
	for i := range list {
		list[i].merge()
	}
	return list
}

// numbered gives a line for each unit: a number that equal ones have in common.
func numbered(list []unit, numbers map[string]int) []byte {
	var b []byte
	for _, u := range list {
		n, known := numbers[u.text]
		if !known {
			n = len(numbers)
			numbers[u.text] = n
		}
		b = append(strconv.AppendInt(b, int64(n), 10), '\n')
	}
	return b
}

// A walk goes through the units of two files.
type walk struct {
	old, new         []unit
	public           map[string]bool // lines
	oldAt, newAt     int             // units
	oldLine, newLine int             // before these
}

// begin goes to the beginning of a hunk: @@ -1,2 +3,4 @@, in units.
func (w *walk) begin(head string) Hunk {
	var o, oldCount, n, newCount int
	_, _ = fmt.Sscanf(head, "@@ -%d,%d +%d,%d @@", &o, &oldCount, &n, &newCount)
	for to := o - min(oldCount, 1); w.oldAt < to; w.oldAt++ {
		w.oldLine += w.old[w.oldAt].lines
	}
	for to := n - min(newCount, 1); w.newAt < to; w.newAt++ {
		w.newLine += w.new[w.newAt].lines
	}
	return Hunk{OldStart: w.oldLine + min(oldCount, 1), NewStart: w.newLine + min(newCount, 1)}
}

// step takes the next unit into a hunk: of the old file, the new one, or both.
func (w *walk) step(h *Hunk, sign string) {
	var u unit
	if sign != added {
		u = w.old[w.oldAt]
		h.OldLines, w.oldLine, w.oldAt = h.OldLines+u.lines, w.oldLine+u.lines, w.oldAt+1
		if text := strings.TrimSuffix(u.text, "\n"); w.public[text] {
			u.pieces = []piece{{text: text}}
		}
	}
	if sign != removed {
		u = w.new[w.newAt]
		h.NewLines, w.newLine, w.newAt = h.NewLines+u.lines, w.newLine+u.lines, w.newAt+1
	}
	line := Line{Sign: sign, pieces: u.pieces}
	if sign == removed && u.pieces == nil {
		line.hidden = len(u.text)
	}
	h.Lines = append(h.Lines, line)
	if !strings.HasSuffix(u.text, "\n") {
		h.Lines = append(h.Lines, Line{Sign: remark, pieces: []piece{{noEnd, true}}})
	}
}

// merge makes one line of those in a row that are hidden because they stand on disk alone.
func (h *Hunk) merge() {
	var lines []Line
	size := 0
	for i, l := range h.Lines {
		if l.hidden == 0 {
			lines = append(lines, l)
			continue
		}
		size += l.hidden
		if i+1 == len(h.Lines) || h.Lines[i+1].hidden == 0 {
			lines = append(lines, Line{Sign: removed, pieces: []piece{{hiddenOnDisk(int64(size)), true}}})
			size = 0
		}
	}
	h.Lines = lines
}

func hiddenOnDisk(size int64) string { return "‹on disk, " + count(size, "byte") + "›" }

// count gives a number of something, with commas between thousands.
func count(n int64, noun string) string {
	digits := strconv.FormatInt(n, 10)
	text := ""
	for len(digits) > 3 {
		digits, text = digits[:len(digits)-3], ","+digits[len(digits)-3:]+text
	}
	if n != 1 {
		noun += "s"
	}
	return digits + text + " " + noun
}
