package systemd

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/watch"
)

// maxStatus bounds the line, in bytes. systemd reads no more than 4096 bytes of a notice, and people less.
const maxStatus = 1000

// status says in one line how the daemon stands: "3 current, 1 owes a notice, 1 failing: worker: secret prod/worker: access denied".
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

// standings counts services, and says why of the first that fails, or else of the first that owes.
func standings(list []watch.Standing) string {
	if len(list) == 0 {
		return "no services"
	}
	var current, owing, failing, waiting int
	var failed, owed string
	for _, s := range list {
		switch {
		case s.Trouble != "":
			if failing++; failed == "" {
				failed = s.Service + ": " + s.Trouble
			}
		case len(s.Owed) > 0:
			if owing++; owed == "" {
				owed = refusal(s)
			}
		case !s.Tried:
			waiting++
		default:
			current++
		}
	}
	var counts []string
	count := func(n int, what string) {
		if n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, what))
		}
	}
	count(current, "current")
	count(waiting, "not yet looked at")
	if owing == 1 {
		count(owing, "owes a notice")
	} else {
		count(owing, "owe notices")
	}
	count(failing, "failing")
	line := strings.Join(counts, ", ")
	switch {
	case failed != "":
		return line + ": " + failed
	case owed != "":
		return line + ": " + owed
	}
	return line
}

// refusal says why a service's notice is still owed; nothing where it is only not its time.
func refusal(s watch.Standing) string {
	for _, o := range s.Owed {
		if o.Trouble != "" {
			return fmt.Sprintf("%s: %s: %s", s.Service, o.Dependent, o.Trouble)
		}
	}
	return ""
}
