package check

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/watch"
)

// printTable prints a line for each service: when, how many files, what it looks up, whom it tells;
// below it the next times of a schedule that goes by the clock, and, where that is asked for, the
// files with what they look up. On a terminal it is as wide as that.
func (c *checker) printTable(now time.Time) {
	if console.IsTerminal(c.out) {
		t := c.table(now, cells)
		if !t.Fits(c.out) {
			t = c.table(now, fewCells)
		}
		t.Print(c.out)
		return
	}
	var aligned strings.Builder
	t := tabwriter.NewWriter(&aligned, 0, 0, 3, ' ', 0)
	ends := make(map[int]*watch.Service) // by the number of the lines up to its last
	lines := 0
	for i, s := range c.plan.Services {
		fmt.Fprintln(t, strings.Join(cells(s, i == 0), "\t"))
		lines++
		if next := nextLine(s, now); next != "" {
			fmt.Fprintf(t, "\t%s\t\t\t\n", next)
			lines++
		}
		ends[lines] = s
	}
	t.Flush()
	lines = 0
	for line := range strings.Lines(aligned.String()) {
		fmt.Fprintln(c.out, strings.TrimRight(line, " \n"))
		if lines++; ends[lines] != nil {
			for _, line := range c.files(ends[lines]) {
				fmt.Fprintln(c.out, line)
			}
		}
	}
}

// cells gives the line of a service.
func cells(s *watch.Service, first bool) []string {
	return []string{s.Name, when(s, first), console.Count(len(s.Files), "file"), tallyOf(s).String(), strings.Join(names(s), ", ")}
}

// fewCells is cells for a narrow terminal.
func fewCells(s *watch.Service, first bool) []string {
	all := cells(s, first)
	return append(all[:2], strings.TrimSpace(all[2]+", "+all[3]+"\n"+all[4]))
}

// table gives the services, the cells of each, and below them when it is due next and its files.
func (c *checker) table(now time.Time, cells func(*watch.Service, bool) []string) (t console.Table) {
	for i, s := range c.plan.Services {
		t = append(t, cells(s, i == 0))
		if next := nextLine(s, now); next != "" {
			t = append(t, []string{"  " + next})
		}
		for _, line := range c.files(s) {
			t = append(t, []string{line})
		}
	}
	return t
}

// nextLine gives the next times of a schedule that goes by the clock; "" for another.
func nextLine(s *watch.Service, now time.Time) string {
	if _, every := s.Schedule.Every(); every {
		return ""
	}
	return "next " + strings.Join(shown(nextTimes(s, now), now), ", ")
}

// files gives the files of a service, and below each what it looks up, where that is asked for.
func (c *checker) files(s *watch.Service) (lines []string) {
	if !c.Verbose {
		return nil
	}
	for i, f := range s.Files {
		lines = append(lines, "  "+f.Path)
		refs, computed := lookupsOf(s, i)
		if computed > 0 {
			refs = append(refs, console.Count(computed, "computed lookup"))
		}
		for _, ref := range refs {
			lines = append(lines, "    "+ref)
		}
	}
	return lines
}

// nextTimes gives the next three times of a service's schedule, in its zone.
func nextTimes(s *watch.Service, now time.Time) []time.Time {
	var list []time.Time
	after := now
	for range 3 {
		after = s.Next(after)
		list = append(list, after.In(s.Schedule.Location()))
	}
	return list
}

// shown gives times as the clock shows them.
func shown(list []time.Time, now time.Time) []string {
	texts := make([]string, len(list))
	for i, at := range list {
		texts[i] = at.Format(time.TimeOnly)
		if at.Sub(now) >= 24*time.Hour {
			texts[i] = at.Format(time.DateTime)
		}
	}
	return texts
}

// when gives a service's schedule with its zone and this host's part of the splay.
func when(s *watch.Service, first bool) string {
	text := s.Schedule.String()
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if zoned, ok := strings.CutPrefix(text, prefix); ok {
			zone, fields, _ := strings.Cut(zoned, " ")
			text = strings.TrimSpace(fields) + "  " + zone
		}
	}
	if s.Splay > 0 {
		text += fmt.Sprintf(" (+%v%s)", s.Splay.Round(100*time.Millisecond), map[bool]string{true: " on this host"}[first])
	}
	return text
}
