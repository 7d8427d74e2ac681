package systemd

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/watch"
)

// maxStatus bounds the line, in bytes. systemd reads no more than 4096 bytes of a notice, and
// people less.
const maxStatus = 1000

// status says in one line how the daemon stands: "3 current, 1 owes a notice, 1 failing: worker:
// secret prod/worker: access denied".
func status(r watch.Report) string {
	var parts []string
	switch r.Doing {
	case watch.Reloading:
		parts = append(parts, "reading the config again")
	case watch.Stopping:
		parts = append(parts, "stopping")
	}
	if r.Unusable != "" {
		first, _, _ := strings.Cut(r.Unusable, "\n")
		parts = append(parts, "config not usable, the old one is in force: "+first)
	}
	if len(r.Faulty) > 0 {
		parts = append(parts, faulty(r.Faulty))
	}
	line := strings.Join(append(parts, standings(r.Services)), "; ")
	line = printable.Escape(strings.Join(strings.FieldsFunc(line, func(c rune) bool { return c == '\n' || c == '\t' }), " "))
	if len(line) <= maxStatus {
		return line
	}
	end := maxStatus - len("…")
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}

// faulty says of the first service that is not as the config has it what becomes of it and why, and
// how many more there are.
func faulty(list []watch.Faulty) string {
	first := list[0].Fate()
	if len(list) > 1 {
		are := "are"
		if len(list) == 2 {
			are = "is"
		}
		first += fmt.Sprintf(", and %d more %s faulty", len(list)-1, are)
	}
	return first + ": " + list[0].Faults[0].Error()
}

// standings counts services, and says why of the first of those that are in the worst state, which
// is counted last.
func standings(list []watch.Standing) string {
	if len(list) == 0 {
		return "no services"
	}
	n := make(map[watch.State]int)
	why := make(map[watch.State]string)
	for _, s := range list {
		state := s.State()
		n[state]++
		why[state] = cmp.Or(why[state], reason(s))
	}
	owing := "owe notices"
	if n[watch.Owes] == 1 {
		owing = "owes a notice"
	}
	var counts []string
	for _, c := range []struct {
		state watch.State
		says  string
	}{{watch.Current, "current"}, {watch.Waiting, "not yet looked at"}, {watch.Proving, "to be seen to be well"}, {watch.Paused, "paused"}, {watch.Held, "held"}, {watch.Owes, owing}, {watch.RolledBack, "rolled back"}, {watch.Unhealthy, "not well"}, {watch.Failing, "failing"}} {
		if n[c.state] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n[c.state], c.says))
		}
	}
	worst := cmp.Or(why[watch.Failing], why[watch.Unhealthy], why[watch.RolledBack], why[watch.Owes])
	return strings.Join(counts, ", ") + worst
}

// reason says what is wrong with a service; nothing where nothing is, or it is only not its time.
func reason(s watch.Standing) string {
	switch state := s.State(); {
	case state == watch.Failing:
		return ": " + s.Service + ": " + s.Failure
	case state == watch.Unhealthy || state == watch.RolledBack:
		return ": " + s.Service + ": " + cmp.Or(s.Rollout.Undone, s.Rollout.Still, s.Rollout.Failure)
	case state == watch.Owes:
		return refusal(s)
	}
	return ""
}

// refusal says why a service's notice is still owed; nothing where it is only not its time.
func refusal(s watch.Standing) string {
	for _, o := range s.Owed {
		if o.Failure != "" {
			return fmt.Sprintf(": %s: %s: %s", s.Service, o.Dependent, o.Failure)
		}
	}
	return ""
}
