package console

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// New gives a writer to w that escapes what a terminal would obey. What is said through it has
// colors where they are wanted. Failed, which may be nil, is told of each write that fails.
func New(w io.Writer, wanted *Colors, failed func(error)) io.Writer {
	p := printable.Writer{Writer: w, Failed: failed}
	p.Colored = sync.OnceValue(func() bool { return wanted.on(p) })
	return p
}

// Colors says when there are any. It is the value of a flag.
type Colors string

const (
	Auto   Colors = "auto" // on a terminal that can show them, without NO_COLOR (no-color.org)
	Always Colors = "always"
	Never  Colors = "never"
)

// Choices are all that Colors can be.
var Choices = []string{string(Auto), string(Always), string(Never)}

// Set sets it to one of the Choices.
func (c *Colors) Set(name string) error {
	if !slices.Contains(Choices, name) {
		return fmt.Errorf("it is one of %s", strings.Join(Choices, ", "))
	}
	*c = Colors(name)
	return nil
}

func (c *Colors) String() string { return string(*c) }

// Type names what a flag takes.
func (c *Colors) Type() string { return "WHEN" }

// on tells whether what is written to w has colors.
func (c *Colors) on(w io.Writer) bool {
	switch *c {
	case Always:
		return true
	case Never:
		return false
	}
	return IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// IsTerminal tells whether what is written to w is shown on a terminal.
func IsTerminal(w io.Writer) bool {
	f := printable.File(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// plainWidth is how many columns there are where nobody says.
const plainWidth = 80

// Width gives how many columns what is written to w has.
func Width(w io.Writer) int {
	if f := printable.File(w); f != nil {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return plainWidth
}

// A Line is one line of a terminal that is written anew again and again.
type Line struct {
	terminal io.Writer
	shown    int // columns
}

// NewLine gives a line of the terminal that w is; nil where it is none.
func NewLine(w io.Writer) *Line {
	if !IsTerminal(w) {
		return nil
	}
	return &Line{terminal: w}
}

// Printf puts a text in the place of what stands on the line, as much of it as fits. The cursor
// stays behind it.
func (l *Line) Printf(format string, args ...any) {
	l.show(fmt.Sprintf(format, args...))
}

func (l *Line) show(text string) {
	runes := []rune(printable.Escape(text))
	runes = runes[:min(len(runes), Width(l.terminal)-1)]
	rest := max(l.shown-len(runes), 0)
	l.shown = len(runes)
	fmt.Fprintf(printable.File(l.terminal), "\r%s%s%s", string(runes), strings.Repeat(" ", rest), strings.Repeat("\b", rest))
}

// Clear leaves the line empty. A nil line has nothing to clear.
func (l *Line) Clear() {
	if l != nil && l.shown > 0 {
		l.show("")
		fmt.Fprint(printable.File(l.terminal), "\r")
	}
}

const (
	showAfter = time.Second
	showEvery = 200 * time.Millisecond
)

// During does something that may take long. From its first second on the terminal that w is shows
// on a line what says gives, which is told for how long it has been done; nothing is left of it.
func During(w io.Writer, says func(since time.Duration) string, do func()) {
	line := NewLine(w)
	if line == nil {
		do()
		return
	}
	over := make(chan struct{})
	var shown sync.WaitGroup
	shown.Go(func() {
		begun := time.Now()
		pause := time.NewTimer(showAfter)
		defer pause.Stop()
		for {
			select {
			case <-over:
				line.Clear()
				return
			case <-pause.C:
			}
			line.Printf("%s", says(time.Since(begun)))
			pause.Reset(showEvery)
		}
	})
	defer shown.Wait()
	defer close(over)
	do()
}

// wrapped breaks a line at blanks where it is too wide; what has no blank is left as it is. What is
// broken off is indented. A width below 1 is 1.
func wrapped(line string, width, indent int) (lines []string) {
	width = max(width, 1)
	lead := len(line) - len(strings.TrimLeft(line, " "))
	for Columns(line) > width {
		at := strings.LastIndexByte(line[:within(line, width+1)], ' ')
		if at <= lead {
			if at = strings.IndexByte(line[lead:], ' ') + lead; at < lead {
				break
			}
		}
		lines = append(lines, strings.TrimRight(line[:at], " "))
		line = strings.Repeat(" ", indent) + strings.TrimLeft(line[at:], " ")
		lead = indent
	}
	return append(lines, line)
}
