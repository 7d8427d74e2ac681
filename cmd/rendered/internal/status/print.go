package status

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/watch"
)

// Print prints a line for the daemon, what is wrong with its config, and a table of the services.
func (s Status) Print(w io.Writer, now time.Time) {
	console.Table{{s.Headline(now)}}.Print(w)
	s.Config.Print(w)
	for _, line := range s.Absences() {
		console.Say(w, line)
	}
	if len(s.Services) == 0 {
		return
	}
	t := console.Table{{"SERVICE", "STATE", "CHANGED", "LOOKED", "NEXT", "NOTE"}}
	// What needs somebody stands last, next to the prompt.
	states := s.states()
	urgency := func(svc *Service) int { return slices.Index(states, svc.State) }
	for _, svc := range slices.SortedStableFunc(slices.Values(s.Services), func(a, b *Service) int { return urgency(a) - urgency(b) }) {
		t = append(t, []string{svc.Name, string(svc.State), Since(now, svc.Changed), Since(now, svc.Looked), Until(now, svc.Next), strings.Join(svc.Notes(now), "\n")})
	}
	t.PrintColored(w, func(column int, cell string) printable.Color {
		if column != 1 {
			return printable.Plain
		}
		return colors[watch.State(cell)]
	})
}

// colors are those of states.
var colors = map[watch.State]printable.Color{watch.Current: printable.Green, watch.Owes: printable.Yellow, watch.Paused: printable.Yellow, watch.RolledBack: printable.Yellow, watch.Unhealthy: printable.Red, watch.Failing: printable.Red}

// Absences says which services are paused that the config in force does not have, a line each.
func (s Status) Absences() (list []string) {
	for _, p := range s.Absent {
		list = append(list, fmt.Sprintf("%s, which the config in force does not have, is %s", p.Service, p))
	}
	return list
}

// Headline says in a line how the daemon stands.
func (s Status) Headline(now time.Time) string {
	var list []string
	for _, c := range s.Counts() {
		list = append(list, c.String())
	}
	return fmt.Sprintf("rendered %s, up %s, config of %s; %s", s.Version, ago(now, s.Started), Moment(s.Config.Since), cmp.Or(strings.Join(list, ", "), "no services"))
}

// A Count is how many services are in a state.
type Count struct {
	State watch.State
	Of    int
}

// String gives "2 failing".
func (c Count) String() string {
	says := string(c.State)
	switch c.State {
	case watch.Waiting:
		says = "not yet looked at"
	case watch.Owes:
		says = "owing"
	}
	return fmt.Sprintf("%d %s", c.Of, says)
}

// states gives all that there are, the best first, and then those that only a newer daemon knows.
func (s Status) states() []watch.State {
	list := slices.Clone(watch.States)
	for _, svc := range s.Services {
		if !slices.Contains(list, svc.State) {
			list = append(list, svc.State)
		}
	}
	return list
}

// Counts gives how many services are in each state that one of them is in. What needs somebody is
// last.
func (s Status) Counts() (list []Count) {
	n := make(map[watch.State]int)
	for _, svc := range s.Services {
		n[svc.State]++
	}
	for _, state := range s.states() {
		if n[state] > 0 {
			list = append(list, Count{state, n[state]})
		}
	}
	return list
}

// Print prints what is wrong with the config; nothing where it is good.
func (c Config) Print(w io.Writer) {
	if c.Unusable != "" {
		console.Say(w, "the config on disk cannot be used, an older one is in force:")
		console.Hints(w, strings.Split(c.Unusable, "\n"))
	}
	for _, f := range c.Faulty {
		console.Say(w, f.Fate+":")
		console.Hints(w, f.Faults)
	}
}

// Notes says what a person has to know of a service, a line each.
func (s *Service) Notes(now time.Time) (list []string) {
	if s.Paused != nil {
		list = append(list, s.Paused.String())
	}
	list = append(list, s.held()...)
	if s.State == watch.Failing {
		list = append(list, s.failing()...)
		list = list[:len(list)-len(s.Hints)] // they are for a screen of their own
	}
	list = append(list, first(s.seen())...) // the rest is for a screen of its own
	if s.Rollout != nil && s.Rollout.After != "" {
		list = append(list, first(s.Rollout.undone())...)
	}
	list = append(list, s.turn()...)
	list = append(list, first(unindented(s.Unsaid))...)
	for _, d := range s.Dependents {
		if note := d.note(now); note != "" {
			list = append(list, note)
		}
	}
	return list
}

// first gives the first line, where there is one.
func first(lines []string) []string { return lines[:min(len(lines), 1)] }

// failing says what is wrong, since when, whose turn it is and what to do.
func (s *Service) failing() []string {
	list := []string{s.Failure}
	if !s.Failing.IsZero() {
		list[0] += ", since " + Moment(s.Failing)
	}
	if s.Turn != "" {
		list = append(list, "for "+s.Turn)
	}
	return append(list, s.Hints...)
}

// note says how a dependent stands; "" where there is nothing to say.
func (d Dependent) note(now time.Time) string {
	switch {
	case d.Owed && d.Window && d.Next.After(now):
		note := fmt.Sprintf("told from %s on", Moment(d.Next))
		if d.Failure != "" {
			note = d.Failure + "; " + note
		}
		return d.Name + ": " + note
	case d.Failure != "" && d.Next.After(now):
		return fmt.Sprintf("%s: %s; again %s", d.Name, d.Failure, Until(now, d.Next))
	case d.Failure != "":
		return fmt.Sprintf("%s: %s", d.Name, d.Failure)
	case d.Owed && d.Next.After(now):
		return fmt.Sprintf("%s: not told yet; %s", d.Name, Until(now, d.Next))
	case d.Owed:
		return d.Name + ": not told yet"
	case !d.Told.IsZero():
		return fmt.Sprintf("%s: told %s", d.Name, Since(now, d.Told))
	}
	return ""
}

// Print prints all that is known of the service.
func (s *Service) Print(w io.Writer, now time.Time) {
	var t console.Table
	for _, r := range s.Rows(now) {
		t = append(t, []string{r.Title, strings.Join(r.Lines, "\n")})
	}
	t.PrintColored(w, func(_ int, cell string) printable.Color {
		switch cell {
		case t[0][1], string(watch.Failing), string(watch.RolledBack), string(watch.Unhealthy):
			return colors[s.State]
		}
		return printable.Plain
	})
}

// A Row is what is known of a service in one respect, a line each.
type Row struct {
	Title string
	Lines []string
}

// Rows gives all that is known of the service. The first is titled by its name.
func (s *Service) Rows(now time.Time) []Row {
	next := ""
	if !s.Next.IsZero() {
		next = fmt.Sprintf(", next %s (%s)", Moment(s.Next), s.Schedule)
	}
	looked := "not looked at yet"
	if !s.Looked.IsZero() {
		looked = "looked at " + Since(now, s.Looked)
	}
	list := []Row{{s.Name, []string{fmt.Sprintf("%s, %s%s", s.State, looked, next)}}}
	rows := func(title string, lines []string) {
		if len(lines) > 0 {
			list = append(list, Row{title, lines})
		}
	}
	if s.Paused != nil {
		rows("paused", []string{s.Paused.Why, s.Paused.span()})
	}
	if s.State == watch.Failing {
		rows("failing", s.failing())
		well := "not since it is on record"
		if !s.Well.IsZero() {
			well = "last at " + Moment(s.Well)
		}
		rows("well", []string{well})
	}
	held := s.held()
	if len(held) > 0 && s.State != watch.Failing {
		held = append(held, s.Hints...)
	}
	rows("held", untitled("held ", held))
	files, certificates := s.written(now)
	rows("files", files)
	rows("from", s.read(now))
	told, owed := s.notices(now)
	rows("told", told)
	rows("owed", append(owed, s.again()...))
	seen, after := s.seen(), s.Rollout.undone()
	if s.Rollout != nil && s.Rollout.After != "" {
		after = append(after, s.turn()...)
	} else {
		seen = append(seen, s.turn()...)
	}
	rows("seen", seen)
	rows("after", untitled("after: ", after))
	rows("on_failure", untitled("on_failure: ", unindented(s.Unsaid)))
	rows("certificate", certificates)
	return list
}

// untitled takes from the first line what stands before it as the title of the row.
func untitled(title string, lines []string) []string {
	if len(lines) > 0 {
		lines[0] = strings.TrimPrefix(lines[0], title)
	}
	return lines
}

// written says how the files are written, and which certificates are in them.
func (s *Service) written(now time.Time) (files, certificates []string) {
	for _, f := range s.Files {
		files = append(files, f.line())
		if line := f.Certificate.line(now); line != "" && !slices.Contains(certificates, line) {
			certificates = append(certificates, line)
		}
	}
	return files, certificates
}

// read says which versions of what is looked up were read.
func (s *Service) read(now time.Time) (from []string) {
	for _, l := range s.Lookups {
		from = append(from, l.line(now))
	}
	if s.Computed > 0 {
		from = append(from, console.Count(s.Computed, "lookup")+" whose names are computed")
	}
	return from
}

// again says how those who refused are told at once.
func (s *Service) again() []string {
	if s.Paused != nil || !slices.ContainsFunc(s.Dependents, func(d Dependent) bool { return d.Owed && d.Failure != "" }) {
		return nil
	}
	return []string{"told at once by  rendered refresh " + s.Name + " --wait"}
}

// notices says of each dependent how it stands: those that were told, and those that are owed.
func (s *Service) notices(now time.Time) (told, owed []string) {
	for _, d := range s.Dependents {
		if d.Owed {
			owed = append(owed, d.note(now))
		} else {
			told = append(told, cmp.Or(d.note(now), d.Name+": not told since it is on record"))
		}
	}
	return told, owed
}

// line says who a certificate is for and how long; "" of none.
func (c *Certificate) line(now time.Time) string {
	if c == nil {
		return ""
	}
	return cmp.Or(strings.Join(c.Names, ", "), "for no host name") + "; " + c.Left(now)
}

// Left says how long the certificate is valid, or that it is no more; "" of none.
func (c *Certificate) Left(now time.Time) string {
	if c == nil {
		return ""
	}
	left := c.NotAfter.Sub(now)
	switch {
	case left < 0:
		return "ended " + Moment(c.NotAfter)
	case left < 48*time.Hour:
		return "ends " + Moment(c.NotAfter)
	}
	return fmt.Sprintf("%d days left", left/(24*time.Hour))
}

// Certificate gives that of the service's files which ends first; nil where they hold none.
func (s *Service) Certificate() (first *Certificate) {
	for _, f := range s.Files {
		if c := f.Certificate; c != nil && (first == nil || c.NotAfter.Before(first.NotAfter)) {
			first = c
		}
	}
	return first
}

// span says since when a service is paused, until when, and by whom.
func (p *Pause) span() string {
	text := "since " + Moment(p.Since)
	if !p.Until.IsZero() {
		text += " until " + Moment(p.Until)
	}
	if p.Who != "" {
		text += ", by " + p.Who
	}
	return text
}

// line says how the file is written, and when it was last changed.
func (f File) line() string {
	words := []string{f.Path}
	if owner := f.owner(); owner != "" || f.Mode != "" {
		words = append(words, strings.TrimSpace(f.Mode+" "+owner))
	}
	if !f.Changed.IsZero() {
		words = append(words, "changed "+Moment(f.Changed))
	}
	if f.Gone {
		words = append(words, "kept, its key is gone")
	}
	return strings.Join(words, "  ")
}

// owner names the user and the group, as chown does; "" where it keeps both.
func (f File) owner() string {
	name := ""
	if f.UID != nil {
		name = console.User(*f.UID)
	}
	if f.GID != nil {
		name += ":" + console.Group(*f.GID)
	}
	return name
}

// line says which version of a ref was read, and when.
func (l Lookup) line(now time.Time) string {
	version := ""
	if l.Version != "" {
		version = fmt.Sprintf("%s since %s, ", l.Version, Moment(l.Since))
	}
	if l.Read.IsZero() {
		return l.Ref + "  " + version + "not read yet"
	}
	line := l.Ref + "  " + version + "read " + Since(now, l.Read)
	if l.Live != "" && l.Live != l.Version {
		line += "; the files are of " + l.Live
	}
	return line
}
