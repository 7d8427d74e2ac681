package probe

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pause is how long a probe rests after a look, unless the look took longer: then that long, so
// that it takes half of the time at most.
const pause = 250 * time.Millisecond

// Prove looks at all of a list, side by side, until each has been well without a break for a steady
// time: all of them at once, and whatever steady is, each once at least. Where that is not so when
// the time within is over, or cannot be any more, as one is not well and less than the steady time
// is left, it gives the *Failure. The end of ctx ends it with ctx's error. When it returns no look
// is under way.
func Prove(ctx context.Context, list []Probe, steady, within time.Duration) error {
	end := time.Now().Add(within)
	looking, stop := context.WithDeadline(ctx, end)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer stop()
	seen := make(chan sight)
	p := proof{steady: steady, stands: make([]standing, len(list))}
	for i, one := range list {
		p.stands[i].name = one.Name()
		watchers.Go(func() { watch(looking, i, one.Begin(), steady, seen) })
	}
	for !p.done() {
		select {
		case s := <-seen:
			failed := p.take(s)
			if failed != nil && failed.Lasting {
				return failed
			}
			if failed != nil && s.ended.Add(steady).After(end) {
				return p.ill()
			}
		case <-looking.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return p.failure()
		}
	}
	return nil
}

// A sight is what one look saw.
type sight struct {
	of           int // the number of the probe
	begun, ended time.Time
	err          error
}

// watch looks again and again until ctx ends.
func watch(ctx context.Context, of int, look Look, steady time.Duration, seen chan<- sight) {
	var s standing
	for {
		now := sight{of: of, begun: time.Now()}
		now.err = look(ctx)
		now.ended = time.Now()
		if ctx.Err() != nil {
			return // what was seen may be no more than that
		}
		s.take(now)
		select {
		case seen <- now:
		case <-ctx.Done():
			return
		}
		rest := max(pause, now.ended.Sub(now.begun))
		if left := time.Until(s.since.Add(steady)); s.well && left > 0 {
			rest = min(rest, left)
		}
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return
		}
	}
}

// A standing is what is known of one probe.
type standing struct {
	name   string
	well   bool
	since  time.Time // it is well since this time at least
	until  time.Time // and was, when the last look began
	failed *Failure  // the last one; nil: none yet
}

func (s *standing) take(now sight) *Failure {
	if now.err == nil {
		if !s.well {
			s.well, s.since, s.until = true, now.ended, now.ended
		} else {
			s.until = now.begun
		}
		return nil
	}
	s.well = false
	failed, ok := errors.AsType[*Failure](now.err)
	if !ok {
		failed = &Failure{Probe: s.name, What: "cannot be looked at", Err: now.err}
	}
	s.failed = failed
	return failed
}

// proven tells whether it was well for so long.
func (s *standing) proven(steady time.Duration) bool {
	return s.well && s.until.Sub(s.since) >= steady
}

// A proof is what is known of all.
type proof struct {
	steady time.Duration
	stands []standing
}

func (p *proof) take(s sight) *Failure { return p.stands[s.of].take(s) }

func (p *proof) done() bool {
	for i := range p.stands {
		if !p.stands[i].proven(p.steady) {
			return false
		}
	}
	return true
}

// ill says what is wrong with one that is not well now: with one that never was rather than with
// one that was for a while.
func (p *proof) ill() *Failure {
	var short *Failure
	for i := range p.stands {
		s := &p.stands[i]
		switch {
		case s.well || s.failed == nil:
		case s.since.IsZero():
			return s.failed
		case short == nil:
			short = s.short()
		}
	}
	return short
}

// failure says what is wrong when the time is over: of what is not well now rather than of what was
// not for long enough.
func (p *proof) failure() *Failure {
	var short *Failure
	for i := range p.stands {
		s := &p.stands[i]
		switch {
		case s.well && (short != nil || s.proven(p.steady)):
		case s.well:
			short = s.short()
		case s.failed != nil:
			return s.failed
		default:
			return &Failure{Probe: s.name, What: "was not seen to be well: one look takes too long", Err: context.DeadlineExceeded}
		}
	}
	return short
}

// short is the failure of what is well, and was not for long enough.
func (s *standing) short() *Failure {
	if s.failed == nil {
		return &Failure{Probe: s.name, What: "was not well for long enough yet", Hints: []string{"healthy_within: is to be longer than healthy_for:, and than a few looks"}}
	}
	f := *s.failed
	f.What = "is not well all the time: " + f.What
	return &f
}
