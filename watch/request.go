package watch

import (
	"context"
	"slices"
	"time"

	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A request is somebody who waits for looks at services, and for what they lead to.
type request struct {
	ctx      context.Context // when it ends nobody waits any more
	services []string
	named    bool           // they are those that were asked for, and not all there are
	looks    map[string]int // of each, the number of the look that is waited for
	why      pass.Trigger   // of these looks
	until    condition
	outcomes map[string]pass.Outcome
	notices  []NoticeOutcome
	// What was seen last of each service, and what was done after its change.
	proofs    map[string]*pass.Proof
	proven    map[string]int // of each, the number of the first look whether it is well that counts
	undrained map[string]*pass.Undrained
	answer    chan<- Result
}

// A condition is what a request waits for.
type condition int

const (
	untilLooked  condition = iota // that each was looked at once, and its dependents were told
	untilCurrent                  // that all are current, however often that takes, or one is paused
	untilResting                  // that nothing is under way
)

// RefreshNow is that of an Asker for nobody.
func (l *Loop) RefreshNow(ctx context.Context, services ...string) (Result, error) {
	return l.For("").RefreshNow(ctx, services...)
}

// AwaitCurrent returns when these services, or all where there are none, are current. The error is
// a PausedError where one of them is paused, a GoneError where one of these is not in the plan any
// more, that the loop stops, or that of ctx.
func (l *Loop) AwaitCurrent(ctx context.Context, services ...string) error {
	answer := make(chan Result, 1)
	r, err := answered(ctx, l, &request{ctx: ctx, services: services, until: untilCurrent, answer: answer}, answer)
	switch {
	case err != nil:
		return err
	case len(r.Paused) > 0:
		return r.Paused
	case len(r.Gone) > 0:
		return r.Gone
	}
	return nil
}

// requested takes note of a request.
func (l *Loop) requested(r *request, now time.Time) {
	if r.named = len(r.services) > 0; !r.named {
		for _, svc := range l.plan.Services {
			r.services = append(r.services, svc.Name)
		}
	}
	r.looks, r.outcomes = make(map[string]int), make(map[string]pass.Outcome)
	r.proven = make(map[string]int)
	r.proofs, r.undrained = make(map[string]*pass.Proof), make(map[string]*pass.Undrained)
	r.services = unique(r.services)
	for _, name := range r.services {
		if s := l.states[name]; s != nil && r.until == untilLooked {
			r.looks[name], r.proven[name] = s.looks+1, s.proofs+1 // one that is under way has begun too early
			l.asked(name, s, r.why, now)
		}
	}
	l.requests = append(l.requests, r)
}

// asked has a service looked at now, and who refused to be told of its files told again now, as is
// whether it is well: who asks may have mended what was wrong.
func (l *Loop) asked(name string, s *state, why pass.Trigger, now time.Time) {
	s.again = s.again || why.Why == string(Refreshed) // whatever else it is due for
	s.dueFor(now, why)
	l.teller.Retry(name, now)
	s.after.at, s.after.alarm.at = time.Time{}, time.Time{}
}

// unique leaves out what a list has before.
func unique(names []string) (list []string) {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			list = append(list, name)
		}
	}
	return list
}

// answerRequests answers those that wait for nothing more.
func (l *Loop) answerRequests(now time.Time) {
	l.requests = slices.DeleteFunc(l.requests, func(r *request) bool {
		if r.ctx.Err() != nil {
			return true
		}
		hopeless := r.until == untilCurrent && len(l.paused(r.services)) > 0
		if !hopeless && slices.ContainsFunc(r.services, func(name string) bool { return l.awaited(r, name, now) }) {
			return false
		}
		r.answer <- r.result(l)
		return true
	})
}

// awaited tells whether a request waits for a service. It waits for none that has left.
func (l *Loop) awaited(r *request, name string, now time.Time) bool {
	s := l.states[name]
	if s == nil || s.gone {
		return false
	}
	switch {
	case r.until == untilCurrent:
		return l.standing(s.service).State() != Current
	case r.until == untilResting:
		return s.busy || l.teller.IsReading(name)
	case s.paused != nil && !s.busy:
		return false
	}
	if _, looked := r.outcomes[name]; !looked {
		return true
	}
	return s.matching && l.teller.Telling(name, now) || l.unsettled(s.service) || l.looksAgain(r, s)
}

// looksAgain tells whether a request waits for another look at a service that was not well, or for
// another try to do what is to be done after its change.
func (l *Loop) looksAgain(r *request, s *state) bool {
	name, rollout := s.service.Name, l.rollout(s.service)
	if rollout == nil || !s.matching || len(l.teller.Owed(name)) > 0 {
		return false
	}
	if s.service.Undrains(*rollout) {
		return r.undrained[name] == nil
	}
	return s.service.Probed(*rollout) && r.proofs[name] == nil
}

// heard notes for those who wait what came of a look.
func (l *Loop) heard(s *state, o pass.Outcome) {
	for _, r := range l.requests {
		if at, waits := r.looks[o.Service]; waits && s.looks >= at {
			r.outcomes[o.Service] = o
		}
	}
}

// heardTold notes for those who wait what came of telling a dependent.
func (l *Loop) heardTold(n tell.Notice) {
	for _, r := range l.requests {
		if slices.ContainsFunc(n.Services, func(name string) bool { return slices.Contains(r.services, name) }) {
			r.notices = append(r.notices, NoticeOutcome{n, l.said(n)})
		}
	}
}

// heardProof notes for those who wait what was seen of a service by the look of this number. That
// it is not well says nothing where the look was begun before they asked.
func (l *Loop) heardProof(p pass.Proof, number int) {
	for _, r := range l.requests {
		if r.proven[p.Service] <= number || p.Failure == "" {
			r.proofs[p.Service] = &p
		}
	}
}

// asksFor tells whether somebody waits for another look whether a service is well than those that
// were begun.
func (l *Loop) asksFor(s *state) bool {
	return slices.ContainsFunc(l.requests, func(r *request) bool { return r.proven[s.service.Name] > s.proofs })
}

// heardUndrained notes for those who wait what was done after a change.
func (l *Loop) heardUndrained(u pass.Undrained) {
	for _, r := range l.requests {
		r.undrained[u.Service] = &u
	}
}

// result gives what came of a request, those dependents included that are owed a notice and not
// told now.
func (r *request) result(l *Loop) (result Result) {
	for _, name := range r.services {
		o, looked := r.outcomes[name]
		if looked {
			result.Outcomes = append(result.Outcomes, o)
		} else if s := l.states[name]; r.named && (s == nil || s.gone) {
			result.Gone = append(result.Gone, name)
		}
	}
	for _, o := range result.Outcomes {
		if s := l.states[o.Service]; s != nil {
			h, said := healthOf(o.Service, l.rollout(s.service), r.proofs[o.Service], r.undrained[o.Service])
			if h.Unsaid = s.unsaid(); said || h.Unsaid != nil {
				result.Health = append(result.Health, h)
			}
		}
	}
	result.Notices, result.Paused = r.notices, l.paused(r.services)
	for _, n := range l.teller.Held() {
		tried := slices.ContainsFunc(r.notices, func(t NoticeOutcome) bool { return t.Dependent == n.Dependent && t.Err != nil })
		ours := slices.ContainsFunc(n.Services, func(name string) bool { return slices.Contains(r.services, name) })
		if ours && !tried {
			result.Notices = append(result.Notices, NoticeOutcome{Notice: n})
		}
	}
	return result
}
