package watch

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// What the log says: info where something on this machine changed, debug where nothing did, warn
// where it will be tried again, error where a person is needed. What is wrong is said once, until
// something else is wrong. A quiet hour writes nothing.

// logUnusable says why a config is not put in force.
func (l *Loop) logUnusable(err error, instead string) {
	for _, e := range pass.FileErrors(err) {
		l.Log.Error("config not usable, "+instead, "at", e.Fault.Place.String(), "err", e.Fault.What, hints(e.Fault.Hints), kindRejected.id())
	}
}

// logPlan says that a config is in force, where it differs from the last.
func (l *Loop) logPlan(r Reloaded) {
	if fresh := len(r.New) + len(r.Changed); fresh+len(r.Removed) > 0 {
		l.Log.Info("config in force", "services", r.Services, "new", fresh, number("removed", len(r.Removed)), kindInForce.id())
	}
}

// number makes an attribute of how many there are; an empty one where there are none.
func number(key string, n int) slog.Attr {
	if n == 0 {
		return slog.Attr{}
	}
	return slog.Int(key, n)
}

// logFaulty says once of each service why it is not in force as the config has it, and that it is
// again.
func (l *Loop) logFaulty() {
	was := l.faulty
	l.faulty = make(map[string]string)
	for _, f := range l.plan.Faulty { // two may have one name
		l.faulty[f.Name()] += fmt.Sprintln(f.Instead, f.Faults)
	}
	for _, f := range l.plan.Faulty {
		if was[f.Name()] != l.faulty[f.Name()] {
			f.log(l.Log)
		}
	}
	for _, svc := range l.plan.Services {
		_, is := l.faulty[svc.Name]
		if _, was := was[svc.Name]; was && !is {
			l.Log.Info("usable again", "service", svc.Name, kindMended.id())
		}
	}
	for name := range was {
		if _, is := l.faulty[name]; !is && filepath.IsAbs(name) { // which no service is
			l.Log.Info("part of the config usable again, or gone", "at", name, kindMended.id())
		}
	}
}

// log says what is wrong.
func (f Faulty) log(log *slog.Logger) {
	what := "part of the config not usable"
	if f.Service != "" {
		log, what = log.With("service", f.Service), "not usable, it is left out"
	}
	switch f.Instead {
	case OldSelf:
		what = "not usable, its old self stays in force"
	case Namesake:
		what = "not usable, it is left out; the other of its name stays in force"
	}
	for _, e := range f.Faults {
		log.Error(what, "at", e.Place.String(), "err", e.What, hints(e.Hints), kindFaulty.id())
	}
}

// slowAfter is how long a job may run before that is said. Commands and systemd are waited for no
// longer than their timeouts.
const slowAfter = 5 * time.Minute

const stillAtWork = "still at work"

// logSlow says once of a job, or of a wait for one, that it does not end.
func (l *Loop) logSlow(now time.Time) {
	for _, svc := range l.plan.Services {
		if s := l.states[svc.Name]; s.engaged() && !s.slow && now.Sub(s.since) >= slowAfter {
			s.slow = true
			l.Log.Warn(stillAtWork+", is something hanging?", "service", svc.Name, "since", s.since, hints([]string{"does the file system of its files answer?"}), kindSlow.id())
		}
	}
	for _, n := range l.teller.Slow(now.Add(-slowAfter)) {
		l.Log.Warn("still being told, is something hanging?", servicesAttr(n.Services), "notice", n.Dependent, kindSlow.id())
	}
}

// logOutcome says what a job did, and what is wrong with the service now that was not before.
func (l *Loop) logOutcome(s *state, o pass.Outcome) {
	log, cause := l.Log.With("service", o.Service), s.cause(o)
	for _, f := range o.Files {
		if f.Same() {
			log.Debug("file unchanged", "file", f.Path)
		} else {
			log.Info("file "+string(f.State), append([]any{"file", f.Path, before(f)}, cause...)...)
		}
		if f.Backup != "" {
			log.Info("the file that was there is backed up", "file", f.Path, "as", f.Backup)
		}
	}
	l.logFailures(log, s, o.Service, o.FileErrors())
}

// before makes an attribute of who had changed a file; an empty one, which handlers leave out,
// where nobody else had.
func before(f pass.FileOutcome) slog.Attr {
	if !f.Restored {
		return slog.Attr{}
	}
	return slog.String("note", "somebody else had changed it")
}

// cause makes attributes of what a look was for, and of the lookups that have other versions.
func (s *state) cause(o pass.Outcome) []any {
	list := []any{kindChanged.id(), "trigger", s.last.Why}
	if s.last.Who != "" {
		list = append(list, "who", s.last.Who)
	}
	var refs, versions []string
	for _, r := range o.Event.Refs {
		refs, versions = append(refs, r.Ref), append(versions, r.To)
	}
	if len(refs) > 0 {
		list = append(list, "ref", refs, "version", versions)
	}
	return list
}

// logFailures warns of each cause once, however many files and passes meet it, and tells when all
// is well again. A cause that other services meet as well was said of the first of them.
func (l *Loop) logFailures(log *slog.Logger, s *state, service string, list []*pass.FileError) {
	wrong := make(map[string]bool)
	for _, e := range list {
		cause, level := cause(e), slog.LevelWarn
		fresh := false
		var more []string
		if shared := outage(e); shared != "" {
			cause = shared
			fresh, level, more = l.meets(shared, service)
		}
		if fresh || !wrong[cause] && !s.wrong[cause] {
			s.warned = s.warned || level == slog.LevelWarn
			log.Log(context.Background(), level, notUpToDate(e), append(attributes(e, more), kindFailing.id())...)
		}
		wrong[cause] = true
	}
	l.outages.keep(service, wrong)
	if len(s.wrong) > 0 && len(wrong) == 0 {
		s.logWell(log)
	}
	s.wrong = wrong
}

// notUpToDate says that files are not, and what becomes of it.
func notUpToDate(e *pass.FileError) string {
	if e.RolledBack() {
		return "rolled back"
	}
	return "not up to date, will try again"
}

// meets notes that a service meets what others meet as well, and tells whether it is the first, and
// how that is said.
func (l *Loop) meets(shared, service string) (first bool, level slog.Level, hints []string) {
	switch {
	case !l.outages.meets(shared, service):
		return false, slog.LevelDebug, nil
	case len(l.plan.Services) == 1:
		return true, slog.LevelWarn, nil
	}
	return true, slog.LevelWarn, []string{"this is said once, of the first service that meets it; systemctl status rendered  has them all"}
}

// logWell says that nothing is wrong any more.
func (s *state) logWell(log *slog.Logger) {
	level := slog.LevelDebug
	if s.warned {
		level = slog.LevelInfo
	}
	log.Log(context.Background(), level, "up to date again", kindWell.id())
	s.warned = false
}

// cause names what is wrong, whichever file meets it.
func cause(e *pass.FileError) string {
	if lookup, ok := e.Fault.Err.(*sources.Error); ok {
		return lookup.Ref.String() + string(lookup.Reason)
	}
	return e.Error()
}

func attributes(e *pass.FileError, more []string) []any {
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

// hints makes an attribute of what to do; an empty one, which handlers leave out, where there is
// nothing to say.
func hints(list []string) slog.Attr {
	if len(list) == 0 {
		return slog.Attr{}
	}
	return slog.String("hint", strings.Join(list, "\n"))
}

// logTold says how telling dependents went. What one printed before the lookups of its services is
// filtered after them: a daemon that has just started knows no value until then.
func (l *Loop) logTold() {
	l.unlogged = slices.DeleteFunc(l.unlogged, func(n tell.Notice) bool {
		if !n.Said.Own && slices.ContainsFunc(n.Services, l.isLearning) {
			return false
		}
		l.logNotice(n)
		return true
	})
}

// isLearning tells whether a service's values will perhaps be known soon.
func (l *Loop) isLearning(service string) bool {
	s := l.states[service]
	return s != nil && s.busy && !s.party.Known()
}

// said gives what may be shown of what a dependent printed.
func (l *Loop) said(n tell.Notice) string {
	var parties []pass.Party
	for _, name := range n.Services {
		if s := l.states[name]; s != nil {
			parties = append(parties, s.party)
		} else {
			parties = append(parties, pass.Party{}) // it has left, and its values with it
		}
	}
	return l.Pass.Shown(n.Said, parties...)
}

// logNotice says how telling a dependent went: a success always, a failure, and what it printed,
// when it is a new one.
func (l *Loop) logNotice(n tell.Notice) {
	log := l.Log.With(servicesAttr(n.Services), "notice", n.Dependent)
	if text := l.said(n); text != "" {
		level := slog.LevelInfo
		if n.Again {
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "output", "text", text)
	}
	switch {
	case l.Rehearsal:
		log.Info("would be told", "paths", n.Paths)
	case n.Err == nil:
		log.Info("told", "paths", n.Paths, "took", n.Took.Round(time.Millisecond), kindTold.id())
		if n.Record != nil {
			l.logUnrecorded(n.Record)
		}
	case !n.Again:
		log.Warn("not told, still owed, will try again", "err", n.Err, hints(n.Hints()), kindRefused.id())
	}
}

// servicesAttr makes an attribute of services.
func servicesAttr(services []string) slog.Attr {
	if len(services) == 1 {
		return slog.String("service", services[0])
	}
	return slog.Any("service", services)
}

// logUnrecorded says once why the ledger is not written.
func (l *Loop) logUnrecorded(err error) {
	if text := err.Error(); text != l.record.failure {
		l.record.failure = text
		l.Log.Warn("ledger not written, will try again; until then a restart tells once more", "err", err, hints(pass.Remedy(err)), kindUnrecorded.id())
	}
}

// until makes an attribute of when something ends by itself; an empty one where it does not.
func until(at time.Time) slog.Attr {
	if at.IsZero() {
		return slog.Attr{}
	}
	return slog.Time("until", at)
}
