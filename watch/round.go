package watch

import (
	"context"
	"slices"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// begin starts what is due: a pass over the services to look at, all from one snapshot.
func (l *Loop) begin(ctx context.Context, now time.Time) {
	if !l.anyDue(now) {
		return
	}
	// A file system may change without telling, so every pass looks at its inputs itself.
	if !inputs.Same(l.inputs()) {
		_, _ = l.reload(now, "") // nobody asked: the log says what is wrong
	} else if due(l.reloadAt, now) {
		l.retry(now)
	}
	var looking []*state
	var refs []sources.Ref
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		switch {
		case s.rests():
		case due(s.look, now):
			s.busy, s.since, s.look = true, now, time.Time{}
			s.looks++
			s.last = s.why
			s.trying, s.again = s.again, false
			s.keeper.Take(&svc.Service)
			looking = append(looking, s)
			refs = append(refs, slices.Concat(svc.Refs(), s.asked)...)
		}
	}
	if len(looking) == 0 {
		return
	}
	snapshot := sources.NewSnapshot(l.plan.Source, l.plan.Within)
	snapshot.Want(ctx, refs)
	for _, s := range looking {
		s.snapshot = snapshot
		t := turns(s.keeper, l.send)
		t.Trigger = s.last
		t.Again = s.trying
		if s.matching {
			l.teller.Set(s.service.Name, s.phase(), now)
			t.Matched = func() {}
		}
		l.Pass.State.Jobs.Go(func() { l.send(done{s.keeper, s.keeper.Run(ctx, snapshot, t)}) })
	}
}

// turns sends as events what a pass says.
func turns(k *pass.Keeper, send func(event any)) pass.Turns {
	return pass.Turns{Matched: func() { send(matched{k}) }, Swap: func(ctx context.Context) {
		granted := make(chan struct{})
		send(swapping{k, func() { close(granted) }})
		select {
		case <-granted:
		case <-ctx.Done():
		}
	}}
}

// current tells whether the job at work is of the plan in force.
func (s *state) current() bool {
	return s != nil && s.keeper.Service().Fingerprint == s.service.Fingerprint
}

// phase gives that of a service whose job is at work on files that match.
func (s *state) phase() tell.Phase {
	switch {
	case s.paused != nil:
		return tell.Unsettled
	case s.failures > 0:
		return tell.Retrying
	}
	return tell.Working
}

// tell tells the dependents whose time has come.
func (l *Loop) tell(ctx context.Context, now time.Time) {
	for _, service := range l.teller.Begin(ctx, now, func(n tell.Notice) { l.send(told{n}) }) {
		// A dependent may be waiting for us to say so, in a unit that is ordered after ours.
		l.states[service].tried = true
	}
}

// told notes what came of telling a dependent.
func (l *Loop) told(n tell.Notice, now time.Time) {
	l.teller.End(&n, now)
	l.worked = true
	for _, service := range n.Changed {
		if s := l.states[service]; s != nil {
			s.matching = false
			s.due(now, Drift) // what is owed waits for it
		}
	}
	if len(n.Changed) > 0 {
		return
	}
	l.heardTold(n)
	if l.Seen != nil {
		l.Seen.Told(n)
	}
	l.unlogged = append(l.unlogged, n)
	l.logTold()
	l.record.changed(now)
}

func (l *Loop) anyDue(now time.Time) bool {
	if due(l.reloadAt, now) {
		return true
	}
	for _, s := range l.states {
		if !s.rests() && due(s.look, now) {
			return true
		}
	}
	return false
}

// engaged reports that no job may be begun.
func (s *state) engaged() bool { return s.busy || s.waits || s.after.undraining }

// rests reports that no look is begun.
func (s *state) rests() bool { return s.engaged() || s.paused != nil }

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
	next := earliest(l.reloadAt, l.teller.Next(now))
	if !l.record.writing && !l.busy() {
		next = earliest(next, l.record.due)
	}
	if !l.elsewhere.at.IsZero() {
		next = earliest(next, now.Add(quietFor)) // to say it
	}
	for _, s := range l.states {
		if !s.rests() {
			next = earliest(next, s.look)
		}
		next = earliest(next, s.pauseEnds())
	}
	for _, svc := range l.follows {
		next = earliest(next, l.proveAt(l.states[svc.Name], now))
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
func (l *Loop) finish(o pass.Outcome, now time.Time) {
	s := l.states[o.Service]
	s.busy, s.slow, l.worked = false, false, true
	if l.record.changed(now); l.blocking {
		l.block(now)
	}
	if s.gone {
		l.outages.keep(o.Service, nil)
		delete(l.states, o.Service)
		return
	}
	if r := l.rollout(s.service); r != nil && r.Stage == pass.Reverting {
		s.again = s.again || s.trying // what is to be tried again is not even put back
	}
	s.past.note(o, s.service.Refs(), now)
	if o.Renewed() { // whether it is well now nobody has looked at
		s.after.failures, s.after.at = 0, time.Time{}
	}
	if l.Seen != nil {
		l.Seen.Looked(o)
	}
	l.heard(s, o)
	l.looked(s, o, now)
	s.failure, s.tried, s.party = firstFailure(o), true, o.Party
	if o.RolledBack() { // of which the rollout tells
		s.failure = ""
	}
	s.matching = o.Matched && s.current()
	settle(l.teller, o, s.matching && s.paused == nil, now)
	l.logOutcome(s, o)
	l.logTold()
}

// settle has the dependents be told of what a job did, where its files match.
func settle(t *tell.Teller, o pass.Outcome, matching bool, now time.Time) {
	if o.Renewed() {
		t.Retry(o.Service, now)
	}
	if matching {
		t.Set(o.Service, tell.Settled, now)
	} else {
		t.Set(o.Service, tell.Unsettled, now)
	}
}

// throttledSpread is what chance may add where AWS throttled the pass to its end: then others ask
// as well, and who comes back at once keeps all of them waiting.
const throttledSpread = time.Minute

// looked sets the next look: on schedule, or sooner where this one failed. What was triggered
// meanwhile stays due.
func (l *Loop) looked(s *state, o pass.Outcome, now time.Time) {
	next := s.service.Next(now)
	s.past.interval = max(next.Sub(now), s.service.Next(next).Sub(next))
	s.due(next, Schedule)
	l.held(s, o)
	if o.Held != nil && !o.Held.Until.IsZero() {
		s.due(o.Held.Until, Schedule)
	}
	if shut := o.Held != nil && o.Held.Gate != ""; !shut && (o.Err == nil || o.Contested() || o.RolledBack()) {
		s.failures = 0
	} else {
		s.failures++
		wait := tell.Backoff(s.failures, s.chance)
		if o.Throttled() {
			wait += time.Duration(s.chance.Float64() * float64(throttledSpread))
		}
		s.due(now.Add(wait), Retry)
	}
	if o.RolledBack() && o.Snapshot == nil { // what the files are to be may be another thing by now
		s.due(now, Retry)
	}
	s.applyPending(o.Asked, now.Add(l.plan.Settle))
	if o.Snapshot != nil {
		s.snapshot = o.Snapshot
	}
	again := pass.Trigger{Why: string(Retry)}
	if s.last.Why == string(Queue) {
		again = s.last // what it said is not seen yet
	}
	s.dueFor(s.reread(now), again)
	s.snapshot = nil // its values are not kept between passes
	if !slices.Equal(s.asked, o.Asked) {
		s.asked = o.Asked
		l.watchInputs()
	}
}

// held notes that nothing is written yet, and says why where that is news.
func (l *Loop) held(s *state, o pass.Outcome) {
	was := s.held
	if s.held = o.Held; o.Held != nil && (was == nil || was.Why() != o.Held.Why()) {
		l.Log.Info("held", "service", o.Service, "why", o.Held.Why(), "paths", o.Held.Paths, until(o.Held.Until), hints(o.Held.Hints), kindHeld.id())
	}
}

// drain waits for running jobs, which end soon after their context.
func (l *Loop) drain() {
	limit := time.NewTimer(grace)
	defer limit.Stop()
	for l.busy() || l.following() {
		select {
		case event := <-l.events:
			switch e := event.(type) {
			case proved:
				l.proved(e.proof, l.now())
			case undrained:
				l.undrained(e.undrained, l.now())
			case alarmed:
				l.alarmed(e.alarm, l.now())
			case done:
				s := l.states[e.outcome.Service]
				s.busy, s.party = false, e.outcome.Party
				l.logOutcome(s, e.outcome)
			case told:
				l.told(e.notice, l.now())
			}
			l.logTold()
		case <-limit.C:
			return
		}
	}
}

func (l *Loop) busy() bool {
	if l.teller.Busy() {
		return true
	}
	for _, s := range l.states {
		if s.busy {
			return true
		}
	}
	return false
}
