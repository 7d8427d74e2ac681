package watch

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/notify"
)

// What the log says: info where something on this machine changed, debug where nothing did, warn where it will be tried
// again, error where a person is needed. What is wrong is said once, until something else is wrong. A quiet hour writes
// nothing.

// sayUnusable says why a config is not put in force.
func (l *Loop) sayUnusable(err error) {
	for _, e := range fileErrors(err) {
		l.Log.Error("config not usable, the old one stays in force", "at", e.Fault.Place.String(), "err", e.Fault.What, hints(e.Fault.Hints))
	}
}

// sayPlan says that a config is in force, where it differs from the last.
func (l *Loop) sayPlan(fresh int) {
	if fresh > 0 {
		l.Log.Info("config in force", "services", len(l.plan.Services), "new", fresh)
	}
}

// lateAfter is how long a job may run before that is said. Commands and systemd are waited for no longer than their timeouts.
const lateAfter = 5 * time.Minute

const stillAtWork = "still at work"

// sayLate says once of a job, or of a wait for one, that it does not end.
func (l *Loop) sayLate(now time.Time) {
	for _, svc := range l.plan.Services {
		if s := l.states[svc.Name]; s.engaged() && !s.late && now.Sub(s.since) >= lateAfter {
			s.late = true
			l.Log.Warn(stillAtWork+", is something hanging?", "service", svc.Name, "since", s.since, hints([]string{"does the file system of its files answer?"}))
		}
	}
}

// sayOutcome says what a job did, and what is wrong with the service now that was not before.
func (l *Loop) sayOutcome(s *state, o Outcome) {
	log := l.Log.With("service", o.Service)
	for _, f := range o.Files {
		if f.State == swap.Same {
			log.Debug("file unchanged", "file", f.Path)
		} else {
			log.Info("file "+string(f.State), "file", f.Path)
		}
	}
	for _, n := range o.Notices {
		l.sayNotice(log, s, n)
	}
	if o.Looked {
		l.sayTrouble(log, s, o.Service, o.FileErrors())
	}
}

// sayTrouble warns of each cause once, however many files and passes meet it, and tells when all is
// well again. A cause that other services meet as well was said of the first of them.
func (l *Loop) sayTrouble(log *slog.Logger, s *state, service string, list []*FileError) {
	wrong := make(map[string]bool)
	for _, e := range list {
		cause, shared := cause(e), outage(e)
		fresh, level := false, slog.LevelWarn
		var more []string
		if shared != "" {
			cause = shared
			if fresh = l.outages.meets(shared, service); !fresh {
				level = slog.LevelDebug
			} else if len(l.plan.Services) > 1 {
				more = []string{"this is said once, of the first service that meets it; systemctl status rendered  has them all"}
			}
		}
		if fresh || !wrong[cause] && !s.wrong[cause] {
			s.warned = s.warned || level == slog.LevelWarn
			log.Log(context.Background(), level, "not up to date, will try again", trouble(e, more)...)
		}
		wrong[cause] = true
	}
	l.outages.keep(service, wrong)
	if len(s.wrong) > 0 && len(wrong) == 0 {
		level := slog.LevelDebug
		if s.warned {
			level = slog.LevelInfo
		}
		log.Log(context.Background(), level, "up to date again")
		s.warned = false
	}
	s.wrong = wrong
}

// cause names what is wrong, whichever file meets it.
func cause(e *FileError) string {
	if lookup, ok := e.Fault.Err.(*sources.Error); ok {
		return lookup.Ref.String() + string(lookup.Reason)
	}
	return e.Error()
}

func trouble(e *FileError, more []string) []any {
	var list []any
	if e.Path != "" {
		list = append(list, "file", e.Path)
	}
	if at := e.Fault.Place.String(); at != "" && at != e.Path {
		list = append(list, "at", at)
	}
	if lookup, ok := e.Fault.Err.(*sources.Error); ok {
		list = append(list, "ref", lookup.Ref.String())
	}
	return append(list, "err", e.Fault.What, hints(slices.Concat(e.Fault.Hints, more)))
}

// hints makes an attribute of what to do; an empty one, which handlers leave out, where there is nothing to say.
func hints(list []string) slog.Attr {
	if len(list) == 0 {
		return slog.Attr{}
	}
	return slog.String("hint", strings.Join(list, "\n"))
}

// sayNotice says how telling a dependent went: a success always, a failure, and what it printed, when it is a new one.
func (l *Loop) sayNotice(log *slog.Logger, s *state, n NoticeOutcome) {
	log = log.With("notice", n.Dependent)
	again := n.Err != nil && s.refused[n.Dependent] == notify.Trouble(n.Err)
	if n.Output != "" {
		level := slog.LevelInfo
		if again {
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "output", "text", n.Output)
	}
	switch {
	case n.Held:
		log.Debug("not told yet")
	case l.Rehearsal:
		log.Info("would be told", "paths", n.Paths)
	case n.Err == nil:
		delete(s.refused, n.Dependent)
		log.Info("told", "paths", n.Paths, "took", n.Took.Round(time.Millisecond))
	case !again:
		s.refused[n.Dependent] = notify.Trouble(n.Err)
		log.Warn("not told, still owed, will try again", "err", n.Err, hints(notify.Hints(n.Err)))
	}
}
