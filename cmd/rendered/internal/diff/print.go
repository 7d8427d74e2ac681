package diff

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/render/swap"
)

// Print prints what would change, and says of what it could not find out why. It prints nothing
// where nothing would change.
func (d Diff) Print(out, remarks io.Writer) {
	for _, s := range d.Services {
		for _, f := range s.Files {
			f.print(out)
		}
		if len(s.WouldRun) > 0 {
			printRuns(out, s.WouldRun)
		}
		if s.Paused != "" {
			console.Say(out, fmt.Sprintf("%s is %s: nothing changes until it is resumed", s.Service, s.Paused))
		}
		if s.RolledBack != "" {
			console.Say(out, fmt.Sprintf("%s had this change, which was rolled back: %s", s.Service, s.RolledBack))
			console.Say(out, "  "+s.retried)
		}
		if !s.HeldUntil.IsZero() {
			console.Say(out, fmt.Sprintf("%s is held: nothing is written before %s", s.Service, s.HeldUntil.Local().Format(time.DateTime)))
		}
		for _, f := range s.Failures {
			console.Say(remarks, "error: "+f)
		}
	}
	if files, services := d.Files(); files > 0 {
		fmt.Fprintf(out, "%s in %s would change\n", console.Count(files, "file"), console.Count(services, "service"))
	}
}

func (f File) print(w io.Writer) {
	sign := "~"
	switch f.State {
	case swap.NotThere:
		sign = "+"
	case swap.Removed:
		sign = "-"
	}
	head := sign + " " + f.Path
	notes := f.notes()
	if len(notes) > 0 && console.Columns(head+"    "+notes[0]) <= console.Width(w) {
		head, notes = head+"    "+notes[0], notes[1:]
	}
	fmt.Fprintln(w, head)
	for _, note := range notes {
		console.Say(w, "    "+note)
	}
	for _, h := range f.Hunks {
		if h.OldLines+h.NewLines > 0 {
			fmt.Fprintf(w, "    @@ -%d,%d +%d,%d @@\n", h.OldStart, h.OldLines, h.NewStart, h.NewLines)
		}
		for _, l := range h.Lines {
			sign := l.Sign
			if sign == remark || sign == cut {
				sign += " "
			}
			fmt.Fprintln(w, "    "+sign+l.Text)
		}
	}
}

// notes say what is to be known of the file beside its lines.
func (f File) notes() (list []string) {
	for _, r := range f.Refs {
		list = append(list, fmt.Sprintf("%s %s → %s", r.Ref, cmp.Or(console.Version(r.From), "?"), console.Version(r.To)))
	}
	switch {
	case f.State == swap.Removed:
		list = append(list, f.Old.Mode+" "+f.Old.Owner)
	case f.Old == nil:
		list = append(list, f.New.Mode+" "+f.New.Owner)
	case f.Old.Mode != f.New.Mode && f.Old.Owner != f.New.Owner:
		list = append(list, fmt.Sprintf("%s %s → %s %s", f.Old.Mode, f.Old.Owner, f.New.Mode, f.New.Owner))
	case f.Old.Mode != f.New.Mode:
		list = append(list, f.Old.Mode+" → "+f.New.Mode)
	case f.Old.Owner != f.New.Owner:
		list = append(list, f.Old.Owner+" → "+f.New.Owner)
	}
	if f.Foreign {
		list = append(list, "was not written by rendered: the file that is there is backed up")
	}
	if f.Gone {
		list = append(list, "was written before, and is gone")
	}
	if f.ACL {
		list = append(list, "its access control list is taken away")
	}
	if f.File != "" {
		list = append(list, "leads to "+f.File)
	}
	if f.InPlace {
		list = append(list, "written in place")
	}
	return list
}

// printRuns prints what would run, in a line where that has room.
func printRuns(w io.Writer, list []string) {
	line := "would run: " + strings.Join(list, "; ")
	if console.Columns(line) > console.Width(w) {
		line = "would run:\n    " + strings.Join(list, "\n    ")
	}
	console.Say(w, line)
}
