package aws

import (
	"context"
	"sync"
	"time"
)

// A pacer spreads the attempts at one family of AWS's API so that AWS's bucket of tokens for it
// does not run dry: a throttled call is a call for nothing, and a fleet that repeats blindly keeps
// the bucket empty for everybody.
//
// It knows the published rate, and neither what AWS grants this account beyond it nor who else
// takes from the bucket. Up to the published rate it lets everything through. Beyond, it sends a
// few to see: where they pass it lets everything through again, where AWS throttles it keeps to a
// rate. It lowers that rate at each throttle and after a while tries a little more.
type pacer struct {
	published float64 // attempts a second, and as many at once; 0: more than one host can make

	mu   sync.Mutex
	rate float64 // attempts a second; 0: not held to any
	// tokens are of the rate, else of the published one; negative: so many attempts are waiting
	// already.
	tokens float64
	at     time.Time // when tokens was right
	probes *probes   // under way
	free   bool      // probes came back: the published rate is not what AWS holds us to
	held   float64   // the highest rate that is known to hold
	since  time.Time // when rate was set, or confirmed
	waited bool      // somebody had to wait for the rate since then
	still  time.Time // no higher rate is tried before
}

const (
	burstUsed   = 0.95 // of AWS's burst: attempts arrive sooner and later than they were sent
	decrease    = 0.8  // of a rate that did not hold
	slowest     = 0.5  // attempts a second
	initialRate = 100  // attempts a second: to begin with where none are published
	// AWS may have so many more tokens after a throttle: its clock is not ours, and probes are
	// still out.
	lag        = 5
	increase   = 1.25
	tryAfter   = time.Second
	quietAfter = 30 * time.Second
)

// probes are the attempts beyond the published rate: few at a time, because where AWS throttles one
// it throttles all.
type probes struct {
	slots chan struct{}
	over  chan struct{} // closed when it is known what AWS does
	back  int
}

const (
	probesAtOnce = 2
	probesEnough = 6
)

// A leave is what an attempt goes with.
type leave struct {
	asked  time.Time
	probes *probes // nil: it is none
}

// newPacer makes a pacer for an API that AWS allows so many calls a second; 0 is more than one host
// can make.
func newPacer(published float64) *pacer {
	return &pacer{published: published, tokens: published * burstUsed}
}

// take waits until the next attempt may be made. What it gives is for done; the error is ctx's.
func (p *pacer) take(ctx context.Context) (leave, error) {
	for {
		now := time.Now()
		wait, s := p.reserve(now)
		l := leave{now, s}
		if s == nil {
			return l, pause(ctx, wait)
		}
		select {
		case s.slots <- struct{}{}:
			return l, nil
		case <-s.over:
		case <-ctx.Done():
			return l, ctx.Err()
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve takes a token and gives the time until it is there, or the probes that the attempt must
// go with.
func (p *pacer) reserve(now time.Time) (time.Duration, *probes) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refill(now)
	switch {
	case p.rate > 0:
		p.tokens--
		if p.tokens >= 0 {
			return 0, nil
		}
		if !p.waited {
			p.waited, p.since = true, now
		}
		return time.Duration(-p.tokens / p.rate * float64(time.Second)), nil
	case p.free || p.published == 0:
		return 0, nil
	case p.tokens >= 1:
		p.tokens--
		return 0, nil
	}
	if p.probes == nil {
		p.probes = &probes{slots: make(chan struct{}, probesAtOnce), over: make(chan struct{})}
	}
	return 0, p.probes
}

func (p *pacer) refill(now time.Time) {
	rate, burst := p.rate, max(p.rate, p.published)*burstUsed
	if rate == 0 {
		rate = p.published
	}
	if gone := now.Sub(p.at).Seconds(); gone > 0 && !p.at.IsZero() {
		p.tokens = min(p.tokens+gone*rate, burst)
	}
	p.at = now
}

// done hears how an attempt ended.
func (p *pacer) done(l leave, throttled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.refill(now)
	if l.probes != nil {
		<-l.probes.slots
		l.probes.back++
	}
	switch {
	case throttled:
		if l.asked.After(p.since) { // else it went at a rate that was given up meanwhile
			p.slowDown(now)
		}
	case l.probes.enough() && l.probes == p.probes:
		p.free = true
		p.recall()
	case p.waited && now.Sub(p.since) >= tryAfter:
		p.held, p.since = p.rate, now
		if now.After(p.still) {
			p.rate *= increase
		}
	}
}

// enough tells whether so many are back that AWS would have throttled one.
func (s *probes) enough() bool { return s != nil && s.back >= probesEnough }

func (p *pacer) recall() {
	if p.probes != nil {
		close(p.probes.over)
		p.probes = nil
	}
}

func (p *pacer) slowDown(now time.Time) {
	p.recall()
	switch {
	case p.rate == 0:
		if p.rate = p.published; p.rate == 0 {
			p.rate = initialRate
		}
	case p.rate > p.held:
		p.rate = p.held
	default:
		p.rate = max(p.rate*decrease, slowest)
	}
	p.held = p.rate
	p.since, p.still, p.waited = now, now.Add(quietAfter), false
	p.tokens = min(p.tokens, -lag) // the bucket is empty
}
