package outcome

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/render/swap"
)

// A Printer says what looks came to: results to Out, remarks to Remarks.
type Printer struct {
	Out, Remarks io.Writer
	Rehearsal    bool // nobody was told
}

// Print prints a line for each file that is new and each dependent, or that nothing changed.
func (p Printer) Print(o Outcome) {
	files, same := 0, 0
	for _, s := range o.Services {
		files += len(s.Files)
		same += p.service(s)
	}
	for _, n := range o.Notices {
		p.notice(n)
	}
	for _, s := range o.Paused {
		console.Say(p.Out, fmt.Sprintf("%-9s %s: %s", "skipped", s.Service, s.Text))
	}
	held := slices.ContainsFunc(o.Services, func(s Service) bool { return !s.HeldUntil.IsZero() })
	if same == files && !held && !o.Failed() && len(o.Services) > 0 {
		fmt.Fprintf(p.Out, "nothing changed: %s as %s should be\n", console.Count(files, "file"), map[bool]string{true: "it", false: "they"}[files == 1])
	}
}

// service gives how many files are as they were.
func (p Printer) service(s Service) (same int) {
	for _, f := range s.Files {
		if f.State == string(swap.Same) {
			same++
		} else {
			console.Say(p.Out, fmt.Sprintf("%-9s %s", f.State, f.Path))
		}
		if f.Backup != "" {
			console.Say(p.Out, "          the file that was there is backed up as "+f.Backup)
		}
	}
	for _, path := range s.Held {
		console.Say(p.Out, fmt.Sprintf("%-9s %s until %s", "held", path, s.HeldUntil.Local().Format(time.DateTime)))
	}
	for _, f := range s.Failures {
		console.Say(p.Remarks, "error: "+f.Lines())
	}
	return same
}

func (p Printer) notice(n Notice) {
	services := strings.Join(n.Services, " ")
	switch {
	case n.State == Refused:
		console.Say(p.Remarks, fmt.Sprintf("error: %s: %s: %s; still owed", services, n.Dependent, n.Failure))
		console.Hints(p.Remarks, n.Hints)
	case n.State == Owed:
		console.Say(p.Out, fmt.Sprintf("%-9s %s", "owed", n.Dependent))
	case p.Rehearsal:
		console.Say(p.Out, fmt.Sprintf("%-9s %s", "would", n.Dependent))
	default:
		console.Say(p.Out, fmt.Sprintf("%-9s %s (%v)", "told", n.Dependent, n.took()))
	}
	if n.Unrecorded != "" {
		console.Say(p.Remarks, fmt.Sprintf("error: %s: %s was told, and is told again: %s", services, n.Dependent, n.Unrecorded))
		console.Hints(p.Remarks, n.UnrecordedHints)
	}
	for line := range strings.Lines(n.Output) {
		console.Say(p.Remarks, "  | "+strings.TrimRight(line, "\n"))
	}
}
