package watch

import (
	"context"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
)

// begin starts what is due: a pass over the services to look at, all from one snapshot, and reminders for those that only
// owe notices.
func (l *Loop) begin(ctx context.Context, now time.Time) {
	if !l.anyDue(now) {
		return
	}
	// A file system may change without telling, so every pass looks at its inputs itself.
	if due(l.reloadAt, now) || !inputs.Same(l.inputs()) {
		_ = l.reload(now) // nobody asked: the log says what is wrong
	}
	var pass []*state
	var refs []sources.Ref
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		switch {
		case s.engaged():
		case due(s.look, now):
			s.busy, s.since, s.look, s.tell = true, now, time.Time{}, time.Time{}
			s.keeper.take(svc)
			pass = append(pass, s)
			refs = append(refs, slices.Concat(svc.Refs(), s.asked)...)
		case due(s.tell, now):
			s.busy, s.since, s.tell = true, now, time.Time{}
			s.keeper.take(svc)
			go func() { l.send(done{s.keeper.guarded(false, func() Outcome { return s.keeper.remind(ctx) })}) }()
		}
	}
	if len(pass) == 0 {
		return
	}
	snapshot := sources.NewSnapshot(l.plan.Source, l.plan.Within)
	snapshot.Want(ctx, refs)
	for _, s := range pass {
		s.snapshot = snapshot
		go func() { l.send(done{s.keeper.guarded(true, func() Outcome { return s.keeper.look(ctx, snapshot) })}) }()
	}
}

func (l *Loop) anyDue(now time.Time) bool {
	if due(l.reloadAt, now) {
		return true
	}
	for _, s := range l.states {
		if !s.engaged() && (due(s.look, now) || due(s.tell, now)) {
			return true
		}
	}
	return false
}

// engaged reports that no job may be begun.
func (s *state) engaged() bool { return s.busy || s.waits }

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// pause gives how long to wait for the next round.
func (l *Loop) pause(now time.Time) time.Duration {
	if l.Beat > 0 {
		return min(l.sleep(now), l.Beat)
	}
	return l.sleep(now)
}

// sleep gives how long nothing will be due.
func (l *Loop) sleep(now time.Time) time.Duration {
	next := l.reloadAt
	if !l.elsewhere.at.IsZero() {
		next = earliest(next, now.Add(quietFor)) // to say it
	}
	for _, s := range l.states {
		if !s.engaged() {
			next = earliest(next, earliest(s.look, s.tell))
		}
	}
	if next.IsZero() {
		return mostSleep
	}
	return min(max(next.Sub(now), 0), mostSleep)
}

// rest tells once that passes are over and nothing is due for a while.
func (l *Loop) rest(now time.Time) {
	if l.worked && !l.busy() && l.sleep(now) >= leastRest {
		l.worked = false
		if l.Idle != nil {
			l.Idle()
		}
	}
}

// finish notes what a job did, and when the service is due again.
func (l *Loop) finish(o Outcome, now time.Time) {
	s := l.states[o.Service]
	s.busy, s.late, l.worked = false, false, true
	if !l.busy() {
		go func() { // where it fails it is tried again when jobs have ended
			_ = fault.Caught(func() {
				if l.Woken != nil { // a job may begin in the same moment
					l.Woken("flush")
				}
				_ = l.State.Ledger.Flush()
			})
		}()
	}
	if l.tangled {
		l.untangle(now)
	}
	if s.gone {
		l.outages.keep(o.Service, nil)
		delete(l.states, o.Service)
		return
	}
	s.tell = earliest(s.tell, o.TellAt)
	if o.Looked {
		l.looked(s, o, now)
	} else if s.heard = nil; o.Err != nil {
		s.failures++
		s.look = earliest(s.look, now.Add(backoff(s.failures, s.keeper.chance)))
	} else if o.half {
		s.look = earliest(s.look, now) // what is owed waits for it
	}
	s.stand(o)
	l.sayOutcome(s, o)
}

// looked sets the next look: on schedule, or sooner where this one failed. What was triggered meanwhile stays due.
func (l *Loop) looked(s *state, o Outcome, now time.Time) {
	next := s.service.Next(now)
	if o.Err == nil || o.contested() {
		s.failures = 0
	} else {
		s.failures++
		wait := backoff(s.failures, s.keeper.chance)
		if o.throttled() {
			wait += time.Duration(s.keeper.chance.Float64() * float64(throttledSpread))
		}
		next = earliest(next, now.Add(wait))
	}
	s.hearAgain(o.asked, now.Add(l.plan.Settle))
	if o.snapshot != nil {
		s.snapshot = o.snapshot
	}
	next = earliest(next, s.reread(now))
	s.snapshot = nil // its values are not kept between passes
	s.look = earliest(s.look, next)
	if !slices.Equal(s.asked, o.asked) {
		s.asked = o.asked
		l.watchInputs()
	}
}

// drain waits for running jobs, which end soon after their context.
func (l *Loop) drain() {
	limit := time.NewTimer(grace)
	defer limit.Stop()
	for l.busy() {
		select {
		case event := <-l.events:
			if d, ok := event.(done); ok {
				s := l.states[d.outcome.Service]
				s.busy = false
				l.sayOutcome(s, d.outcome)
			}
		case <-limit.C:
			return
		}
	}
}

func (l *Loop) busy() bool {
	for _, s := range l.states {
		if s.busy {
			return true
		}
	}
	return false
}
