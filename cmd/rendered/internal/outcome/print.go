package outcome

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch"
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
	for _, h := range o.Health {
		p.health(h)
	}
	for _, s := range o.Paused {
		console.Say(p.Out, fmt.Sprintf("%-9s %s: %s", "skipped", s.Service, s.Text))
	}
	held := slices.ContainsFunc(o.Services, func(s Service) bool { return len(s.Held) > 0 })
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
		until := "until the gate opens"
		switch {
		case s.Halted != "":
			until = "until the fleet lets it"
		case s.Fleet != "":
			until = "and " + s.Fleet
		}
		if !s.HeldUntil.IsZero() {
			until = "until " + s.HeldUntil.Local().Format(time.DateTime)
		}
		console.Say(p.Out, fmt.Sprintf("%-9s %s %s", "held", path, until))
	}
	for _, why := range []string{s.Gate, s.Halted} {
		if why != "" {
			console.Say(p.Remarks, "error: "+s.Service+": "+why)
		}
	}
	for _, f := range s.Failures {
		console.Say(p.Remarks, "error: "+f.Lines())
	}
	return same
}

// health says whether a service is well with its change. Why a change was rolled back the failure
// of its files says.
func (p Printer) health(h Health) {
	switch h.State {
	case watch.Current:
		if !h.Failed() {
			console.Say(p.Out, fmt.Sprintf("%-9s %s (%v)", "well", h.Service, h.took()))
		}
	case watch.Unhealthy:
		not, stays := "not well", "  the new files stay: "+h.Stays
		if h.Stays == "" {
			not, stays = "not well with the old files, either", "  the change was rolled back"
		}
		console.Say(p.Remarks, fmt.Sprintf("error: %s: %s: %s", h.Service, not, h.Failure))
		console.Hints(p.Remarks, h.Hints)
		console.Say(p.Remarks, stays)
	case watch.RolledBack:
		console.Say(p.Out, fmt.Sprintf("%-9s %s, with the old files (%v)", "well", h.Service, h.took()))
	default:
		console.Say(p.Remarks, fmt.Sprintf("error: %s: not seen to be well yet: %s", h.Service, cmp.Or(h.Failure, "its dependents have yet to be told")))
		console.Hints(p.Remarks, h.Hints)
	}
	for line := range strings.Lines(h.Output) {
		console.Say(p.Remarks, "  | "+strings.TrimRight(line, "\n"))
	}
	for _, text := range []string{h.After, h.Unsaid} {
		if text != "" {
			console.Say(p.Remarks, "error: "+h.Service+": "+text)
		}
	}
}

// took gives how long it took to see it.
func (h Health) took() time.Duration {
	return time.Duration(h.Took * float64(time.Second)).Round(time.Millisecond)
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
