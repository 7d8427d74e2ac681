package probe

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A script is a probe that looks as it is told: of each time since it began what a look sees.
type script struct {
	name  string
	takes time.Duration // each look
	sees  func(after time.Duration) error
	looks *atomic.Int32
	deaf  bool // it does not mind the end of its context
}

func (s script) Name() string { return s.name }

func (s script) Begin() Look {
	begun := time.Now()
	return func(ctx context.Context) error {
		if s.looks != nil {
			s.looks.Add(1)
		}
		seen := s.sees(time.Since(begun))
		over := ctx.Done()
		if s.deaf {
			over = nil
		}
		select {
		case <-time.After(s.takes):
		case <-over:
			return ctx.Err()
		}
		return seen
	}
}

func well(time.Duration) error { return nil }

func ill(what string) func(time.Duration) error {
	return func(time.Duration) error { return &Failure{Probe: "p", What: what} }
}

// from is well from a time on.
func from(d time.Duration) func(time.Duration) error {
	return func(after time.Duration) error {
		if after < d {
			return &Failure{Probe: "p", What: "answered 502"}
		}
		return nil
	}
}

// until is well until a time.
func until(d time.Duration) func(time.Duration) error {
	return func(after time.Duration) error {
		if after < d {
			return nil
		}
		return &Failure{Probe: "p", What: "answered 502"}
	}
}

func TestProve(t *testing.T) {
	const ms = time.Millisecond
	flaps := func(after time.Duration) error {
		if (after+time.Second)%(2*time.Second) < 100*ms {
			return &Failure{Probe: "p", What: "answered 502"}
		}
		return nil
	}
	breaks := func(after time.Duration) error {
		if after >= 3*time.Second && after < 3100*ms {
			return &Failure{Probe: "p", What: "answered 502"}
		}
		return nil
	}
	dies := func(after time.Duration) error {
		if after < 2*time.Second {
			return nil
		}
		return &Failure{Probe: "p", What: "ended", Lasting: true}
	}
	for _, tt := range []struct {
		name           string
		list           []Probe
		steady, within time.Duration
		want           string
		took           time.Duration
	}{
		{name: "nothing to look at", steady: time.Minute, within: time.Hour},
		{name: "well", list: []Probe{script{sees: well}}, steady: 5 * time.Second, within: 30 * time.Second, took: 5 * time.Second},
		{name: "well once is enough", list: []Probe{script{sees: well}}, within: 30 * time.Second},
		{name: "in the end", list: []Probe{script{sees: from(1200 * ms)}}, steady: 5 * time.Second, within: 30 * time.Second, took: 6250 * ms},
		{name: "slow looks prove the time between them", list: []Probe{script{sees: well, takes: time.Second}}, steady: 5 * time.Second, within: 30 * time.Second,
			took: 7 * time.Second}, // the first ends at 1s, the last begins at 6s
		{name: "each of them", list: []Probe{script{sees: well}, script{sees: from(2 * time.Second)}}, steady: time.Second, within: 30 * time.Second, took: 3 * time.Second},
		{name: "a break begins the time anew", list: []Probe{script{sees: breaks}}, steady: 5 * time.Second, within: 30 * time.Second, took: 8250 * ms},
		{name: "a break of one that was well for long enough", list: []Probe{script{sees: breaks}, script{sees: from(4 * time.Second)}}, steady: 2 * time.Second, within: 30 * time.Second,
			took: 6 * time.Second},
		{name: "never", list: []Probe{script{sees: well}, script{name: "p", sees: ill("answered 502")}}, steady: time.Second, within: 30 * time.Second, want: "p: answered 502", took: 29250 * ms},
		{name: "too late", list: []Probe{script{sees: from(8100 * ms)}}, steady: 2 * time.Second, within: 10 * time.Second, want: "p: is not well all the time: answered 502", took: 10 * time.Second},
		{name: "flaps", list: []Probe{script{sees: flaps}}, steady: 5 * time.Second, within: 30 * time.Second, want: "p: is not well all the time: answered 502", took: 27 * time.Second},
		{name: "never, of a long time", list: []Probe{script{sees: well}, script{name: "p", sees: ill("answered 502")}}, steady: 2 * time.Minute, within: 150 * time.Second,
			want: "p: answered 502", took: 30250 * ms},
		{name: "no more, of a long time", list: []Probe{script{sees: until(time.Minute)}}, steady: 2 * time.Minute, within: 150 * time.Second,
			want: "p: is not well all the time: answered 502", took: time.Minute},
		{name: "hangs", list: []Probe{script{sees: well}, script{name: "p", sees: well, takes: time.Hour}}, steady: time.Second, within: 30 * time.Second,
			want: "p: was not seen to be well: one look takes too long", took: 30 * time.Second},
		{name: "hangs after it was ill", list: []Probe{script{name: "p", sees: ill("answered 502"), takes: 20 * time.Second}}, steady: time.Second, within: 30 * time.Second,
			want: "p: answered 502", took: 30 * time.Second},
		{name: "what is ill is said before what was ill", list: []Probe{script{sees: flaps}, script{name: "q", sees: func(time.Duration) error { return &Failure{Probe: "q", What: "refuses connections"} }}},
			steady: 5 * time.Second, within: 30 * time.Second, want: "q: refuses connections", took: 25250 * ms},
		{name: "there is too little time", list: []Probe{script{name: "p", sees: well}}, steady: time.Minute, within: 30 * time.Second, want: "p: was not well for long enough yet", took: 30 * time.Second},
		{name: "what lasts is not waited for", list: []Probe{script{sees: well}, script{sees: dies}}, steady: 5 * time.Second, within: 30 * time.Second, want: "p: ended", took: 2 * time.Second},
		{name: "an error of another kind", list: []Probe{script{name: "p", sees: func(time.Duration) error { return errors.New("secret") }}}, steady: time.Second, within: 2 * time.Second,
			want: "p: cannot be looked at", took: 1250 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				err := Prove(t.Context(), tt.list, tt.steady, tt.within)
				got := ""
				if err != nil {
					got = err.Error()
					if _, ok := errors.AsType[*Failure](err); !ok {
						t.Errorf("%T is no *Failure", err)
					}
				}
				if took := time.Since(begun); got != tt.want || took != tt.took {
					t.Errorf("%q after %v; want %q after %v", got, took, tt.want, tt.took)
				}
			})
		})
	}
}

func TestProveEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		begun := time.Now()
		err := Prove(ctx, []Probe{script{sees: ill("answered 502")}, script{sees: well, takes: time.Hour}}, time.Second, time.Minute)
		if !errors.Is(err, context.Canceled) || time.Since(begun) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// What a look does may be a command: none is left when something else is begun.
func TestProveWaitsForLooksUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		slow := script{name: "p", sees: well, takes: 40 * time.Second, deaf: true}
		if err := Prove(t.Context(), []Probe{slow}, time.Second, 30*time.Second); err == nil {
			t.Error("no failure")
		}
		if took := time.Since(begun); took != 40*time.Second {
			t.Errorf("it returned after %v, while a look was under way", took)
		}
	})
}

// A look that is slow is not made all the time.
func TestProveIsNoLoad(t *testing.T) {
	for _, tt := range []struct {
		takes time.Duration
		most  int32
	}{{0, 121}, {time.Second, 16}, {5 * time.Second, 4}} {
		synctest.Test(t, func(t *testing.T) {
			var looks atomic.Int32
			_ = Prove(t.Context(), []Probe{script{sees: ill("x"), takes: tt.takes, looks: &looks}}, time.Second, 30*time.Second)
			if n := looks.Load(); n > tt.most || n < tt.most-5 { // the last second cannot make it well
				t.Errorf("%d looks of %v within 30s; want %d", n, tt.takes, tt.most)
			}
		})
	}
}
