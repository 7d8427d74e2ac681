package watch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// What follows a notice: the service is to be seen to be well with its change, and what was done
// before the change is to be undone. Both follow from the rollout on record, whatever was cut short
// before.

// An aftermath is what is under way for a service after its dependents were told.
type aftermath struct {
	proving    bool     // somebody looks whether it is well, beside whatever else is done
	of         *Service // that is looked at, or was last: of the plan in force then
	undraining bool     // what was done before the change is undone; no pass is begun meanwhile
	at         time.Time
	failures   int    // in a row
	failure    string // of the last look
	hints      []string
	undone     *fault.Fault // why what is to be done after a change is not done; nil: it is, or nobody has tried
	alarm      alarm
}

// An alarm is how it stands with saying that something failed.
type alarm struct {
	busy     bool
	at       time.Time // not before, after a failure
	failures int       // in a row
	unsaid   *fault.Fault
}

// What those say who look.
type (
	proved    struct{ proof pass.Proof }
	undrained struct{ undrained pass.Undrained }
	alarmed   struct{ alarm pass.Alarm }
)

// prove begins what is due after notices.
func (l *Loop) prove(ctx context.Context, now time.Time) {
	for _, svc := range l.follows {
		s := l.states[svc.Name]
		l.alarm(ctx, svc, s, now)
		if !svc.hasAftermath() || s.after.proving || s.after.undraining || s.paused != nil || now.Before(s.after.at) {
			continue
		}
		r, open := l.Pass.State.Ledger.Rollout(svc.Name)
		if !open || l.teller.IsReading(svc.Name) || l.teller.IsSwapping(svc.Name) {
			continue
		}
		party := s.party
		told, refused := seen(l.teller.Owed(svc.Name), r, svc, now)
		switch {
		case svc.Probed(r) && s.matching && (told || refused != ""):
			s.after.proving, s.after.of = true, svc
			s.proofs++
			go func() { l.send(proved{l.Pass.Prove(ctx, &svc.Service, r, refused, party)}) }()
		case svc.Undrains(r) && told && !s.busy:
			s.after.undraining = true
			go func() { l.send(undrained{l.Pass.Undrain(ctx, &svc.Service, r, party)}) }()
		}
	}
}

// alarm says that something failed, where somebody is to hear of it.
func (l *Loop) alarm(ctx context.Context, svc *Service, s *state, now time.Time) {
	if svc.OnFailure.IsZero() || s.after.alarm.busy || now.Before(s.after.alarm.at) || s.busy && !s.party.Known() {
		return
	}
	if r, _ := l.Pass.State.Ledger.Rollout(svc.Name); r.Trouble != nil {
		s.after.alarm.busy = true
		party := s.party
		go func() { l.send(alarmed{l.Pass.Alarm(ctx, &svc.Service, *r.Trouble, party)}) }()
	}
}

// unsaid gives why a failure was not said to whoever is to hear of it; nil: it was.
func (s *state) unsaid() *fault.Fault {
	if s.service.OnFailure.IsZero() {
		return nil
	}
	return s.after.alarm.unsaid
}

// alarmed notes what came of that.
func (l *Loop) alarmed(a pass.Alarm, now time.Time) {
	s := l.states[a.Service]
	if s == nil {
		return
	}
	l.record.changed(now)
	log := l.Log.With("service", a.Service)
	if a.Fault == nil {
		if s.after.alarm.failures > 0 {
			log.Info("on_failure: done", kindUnsaid.id())
		}
		s.after.alarm = alarm{}
		return
	}
	if s.after.alarm.failures == 0 {
		log.Warn("a failure is not said, will try again", "err", a.Fault.What, hints(a.Fault.Hints), kindUnsaid.id())
	}
	failures := s.after.alarm.failures + 1
	s.after.alarm = alarm{unsaid: a.Fault, failures: failures, at: now.Add(tell.Backoff(failures, s.chance))}
}

// followed gives the services of which anything is done after their dependents were told.
func (p *Plan) followed() []*Service {
	return slices.DeleteFunc(slices.Clone(p.Services), func(s *Service) bool { return !s.hasAftermath() && s.OnFailure.IsZero() })
}

// hasAftermath tells whether anything is done for the service after its dependents were told.
func (s *Service) hasAftermath() bool { return len(s.Healthy) > 0 || !s.After.IsZero() }

// refusals is how often a dependent refuses a notice before that counts as that it is not well.
const refusals = 2

// seen tells whether nobody is owed a notice, and else why one has refused it for as long as a
// service has to become well.
func seen(owed []tell.Owed, r pass.Rollout, s *Service, now time.Time) (told bool, refused string) {
	for _, o := range owed {
		if o.Failures >= refusals && now.Sub(r.Since).Abs() >= s.Within() { // the clock may have been set
			refused = o.Dependent + ": " + o.Failure
		}
	}
	return len(owed) == 0, refused
}

// proved notes what came of looking whether a service is well.
func (l *Loop) proved(p pass.Proof, now time.Time) {
	s := l.states[p.Service]
	if s == nil {
		return
	}
	s.after.proving, l.worked = false, true
	s.after.at = time.Time{}
	switch {
	case p.Err != nil:
		l.logUnrecorded(p.Err)
		fallthrough
	case p.Failure != "" && p.Is.Stage == p.Was.Stage:
		s.after.failures++
		s.after.at = now.Add(tell.Backoff(s.after.failures, s.chance))
	case p.Judged:
		s.after.failures = 0
	}
	if s.after.of != s.service || l.asksFor(s) {
		s.after.at = time.Time{} // it was begun too early
	}
	l.record.changed(now)
	if !p.Judged {
		return
	}
	l.logProof(s, p)
	l.heardProof(p, s.proofs)
	s.after.failure, s.after.hints = p.Failure, slices.Concat(linesOf(p.Output), p.Hints)
	if p.Is.Stage == pass.Reverting {
		s.due(now, Rollback)
	}
	if p.Is.Stage == pass.Rejected { // perhaps the config is what it was before, too
		s.due(now, Retry)
	}
	l.teller.Retry(p.Service, now) // some may be owed a notice once more
}

// lastLines is how much of what a command printed, or a unit wrote, is remembered.
const lastLines = 10

// linesOf gives the last lines of what a command printed, or a unit wrote.
func linesOf(output string) []string {
	if output = strings.TrimSpace(output); output == "" {
		return nil
	}
	lines := strings.Split(output, "\n")
	return lines[max(0, len(lines)-lastLines):]
}

// undrained notes what came of undoing what was done before a change.
func (l *Loop) undrained(u pass.Undrained, now time.Time) {
	s := l.states[u.Service]
	if s == nil {
		return
	}
	s.after.undraining, l.worked = false, true
	l.heardUndrained(u)
	l.record.changed(now)
	log := l.Log.With("service", u.Service)
	if u.Fault == nil {
		s.after = aftermath{proving: s.after.proving, alarm: s.after.alarm}
		log.Info("after: done", "took", u.Took.Round(time.Millisecond), kindUndrained.id())
		return
	}
	s.after.failures++
	s.after.at = now.Add(tell.Backoff(s.after.failures, s.chance))
	if s.after.undone == nil || s.after.undone.What != u.Fault.What {
		log.Warn("not done, will try again", "err", u.Fault.What, hints(u.Fault.Hints), kindUndrained.id())
	}
	s.after.undone = u.Fault
}

// logProof says what came of looking whether a service is well, where that is news.
func (l *Loop) logProof(s *state, p pass.Proof) {
	log := l.Log.With("service", p.Service)
	switch took := p.Took.Round(time.Millisecond); {
	case p.Failure == "" && p.Is.Stage == pass.Rejected:
		log.Info("well with the old files", "took", took, kindSeen.id())
	case p.Failure == "":
		log.Info("well", "took", took, kindSeen.id())
	case p.Is.Stage == p.Was.Stage && p.Is.Still == p.Was.Still && s.after.failure == p.Failure:
	default:
		if p.Output != "" {
			log.Info("output", "text", p.Output)
		}
		log.Warn("not well, "+pass.Then[p.Is.Stage], "err", p.Failure, hints(p.Hints), kindUnwell.id())
	}
}

// rollout gives that of a service that is not over; nil: there is none.
func (l *Loop) rollout(svc *Service) *pass.Rollout {
	if !svc.hasAftermath() {
		return nil
	}
	if r, open := l.Pass.State.Ledger.Rollout(svc.Name); open {
		return &r
	}
	return nil
}

// unsettled tells whether what follows a change of the service is under way yet: it is not known
// whether it is well, and nobody has refused to be told.
func (l *Loop) unsettled(svc *Service) bool {
	r := l.rollout(svc)
	if r == nil {
		return false
	}
	refused := slices.ContainsFunc(l.teller.Owed(svc.Name), func(o tell.Owed) bool { return o.Failure != "" })
	s := l.states[svc.Name]
	switch r.Stage {
	case pass.Unproven, pass.Retold, pass.Reverting:
		return !refused
	case pass.Reverted:
		return !refused && s.after.failures == 0
	}
	return svc.Undrains(*r) && s.after.failures == 0
}

// proveAt gives when there may be something to do by itself after a notice of a service; zero where
// there is not.
func (l *Loop) proveAt(s *state, now time.Time) time.Time {
	var at time.Time
	if s.after.at.After(now) && !s.after.proving && !s.after.undraining && l.rollout(s.service) != nil {
		at = s.after.at
	}
	if s.after.alarm.at.After(now) {
		at = earliest(at, s.after.alarm.at)
	}
	return at
}

// following tells whether anything is under way after a notice.
func (l *Loop) following() bool {
	for _, s := range l.states {
		if s.after.proving || s.after.undraining || s.after.alarm.busy {
			return true
		}
	}
	return false
}

// A Health is whether a service was seen to be well with its change.
type Health struct {
	Service string
	// State is Current where it was; Proving where that is not known yet; RolledBack; Unhealthy.
	State   State
	Failure string // why it was not
	Hints   []string
	Stays   string // why the change stays all the same
	Output  string // of a command, without values
	Took    time.Duration
	After   *fault.Fault // why what is to be done after the change is not done; nil: it is
	Unsaid  *fault.Fault // why a failure was not said to whoever is to hear of it; nil: it was
}

// healthOf gives that of a service, of its rollout, nil being none, and what was seen last; false
// where there is nothing to say.
func healthOf(service string, r *pass.Rollout, seen *pass.Proof, after *pass.Undrained) (h Health, said bool) {
	h = Health{Service: service, State: Current}
	if said = seen != nil; said {
		h.Hints, h.Output, h.Took = seen.Hints, seen.Output, seen.Took
	}
	if after != nil && after.Fault != nil {
		h.After, said = after.Fault, true
	} else if r != nil && r.Undone != "" {
		h.After, said = &fault.Fault{What: r.Undone}, true
	}
	if r == nil || r.Stage == pass.Settled {
		return h, said
	}
	if r.Stage == pass.Rejected && seen == nil { // why its files are not current says it
		return h, said
	}
	is := *r
	is.Undone = "" // After says it
	h.State, h.Failure, h.Stays = Standing{Rollout: &is}.State(), r.Failure, r.Stays
	if r.Still != "" {
		h.Failure = r.Still
	}
	return h, true
}

// Failed tells whether the service was not seen to be well, or is not as it is to be after a
// change.
func (h Health) Failed() bool { return h.State != Current || h.After != nil || h.Unsaid != nil }
