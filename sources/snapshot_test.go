package sources

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// scripted answers each ref after a pause, and counts how often each was asked for.
type scripted struct {
	pause func(Ref) time.Duration
	mu    sync.Mutex
	asked map[Ref]int
	calls int
}

func (s *scripted) Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result)) {
	s.mu.Lock()
	s.calls++
	for _, r := range refs {
		s.asked[r]++
	}
	s.mu.Unlock()
	var all sync.WaitGroup
	for _, r := range refs {
		all.Go(func() {
			select {
			case <-time.After(s.pause(r)):
				deliver(r, Result{Value: Value{Text: "value of " + r.Name}})
			case <-ctx.Done():
				deliver(r, Result{Err: &Error{Ref: r, Reason: Unavailable}})
			}
		})
	}
	all.Wait()
}

func TestSnapshotAsksForEveryRefOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scripted{pause: func(Ref) time.Duration { return time.Second }, asked: make(map[Ref]int)}
		snap := NewSnapshot(src, 0)
		a, b, dynamic := Ref{Kind: Param, Name: "/a"}, Ref{Kind: Param, Name: "/b"}, Ref{Kind: Secret, Name: "c"}
		snap.Want(t.Context(), []Ref{a, b, a})
		var readers sync.WaitGroup
		for i := range 20 {
			readers.Go(func() {
				r := []Ref{a, b, dynamic}[i%3]
				if v, err := snap.Get(t.Context(), r); err != nil || v.Text != "value of "+r.Name {
					t.Errorf("%v: %v, %v", r, v.Text, err)
				}
			})
		}
		readers.Wait()
		for r, n := range src.asked {
			if n != 1 {
				t.Errorf("%v was asked for %d times", r, n)
			}
		}
		if src.calls != 2 {
			t.Errorf("%d calls; want one for what was wanted and one for the dynamic ref", src.calls)
		}
	})
}

// A slow ref delays only those who need it.
func TestSnapshotGivesEachAnswerAsSoonAsItIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := Ref{Kind: Secret, Name: "slow"}, Ref{Kind: Secret, Name: "quick"}
		src := &scripted{asked: make(map[Ref]int), pause: func(r Ref) time.Duration {
			if r == slow {
				return time.Hour
			}
			return time.Millisecond
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		snap := NewSnapshot(src, 0)
		snap.Want(ctx, []Ref{slow, quick})
		begun := time.Now()
		if _, err := snap.Get(ctx, quick); err != nil || time.Since(begun) != time.Millisecond {
			t.Errorf("quick: %v after %v", err, time.Since(begun))
		}
		_, err := snap.Get(ctx, slow)
		if e, ok := err.(*Error); !ok || e.Reason != Unavailable || time.Since(begun) != time.Minute {
			t.Errorf("slow: %v after %v", err, time.Since(begun))
		}
	})
}

// What a pass may wait for its lookups is shared by those that come late; what it does in between
// does not count.
func TestSnapshotHasOneLimitForAllItsLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scripted{asked: make(map[Ref]int), pause: func(r Ref) time.Duration {
			d, err := time.ParseDuration(r.Name)
			if err != nil {
				t.Error(err)
			}
			return d
		}}
		snap := NewSnapshot(src, 10*time.Second)
		get := func(pause string, good bool, took time.Duration) {
			t.Helper()
			begun := time.Now()
			if _, err := snap.Get(t.Context(), Ref{Kind: Param, Name: pause}); (err == nil) != good || time.Since(begun) != took {
				t.Errorf("%s: %v after %v", pause, err, time.Since(begun))
			}
		}
		get("4s", true, 4*time.Second)
		<-time.After(time.Hour) // a notice, say
		get("5s", true, 5*time.Second)
		get("1h", false, time.Second)
		get("2h", false, 0)
	})
}

func TestMuxRoutesByKindAndAnswersAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &scripted{pause: func(Ref) time.Duration { return 0 }, asked: make(map[Ref]int)}
		inner := Mux{{src, []Kind{Param}}}
		snap := NewSnapshot(Mux{{inner, []Kind{Secret, Param}}}, 0)
		if _, err := snap.Get(t.Context(), Ref{Kind: Param, Name: "/a"}); err != nil {
			t.Error(err)
		}
		_, err := snap.Get(t.Context(), Ref{Kind: File, Name: "/a"})
		if e, ok := err.(*Error); !ok || e.Reason != Unanswerable {
			t.Errorf("a kind without a source: %v", err)
		}
	})
}

// answering answers every ref with a text.
type answering string

func (a answering) Fetch(_ context.Context, refs []Ref, deliver func(Ref, Result)) {
	for _, r := range refs {
		deliver(r, Result{Value: Value{Text: string(a)}})
	}
}

// A secret and a local file are secrets, whatever their sources say.
func TestAlwaysSecret(t *testing.T) {
	snap := NewSnapshot(answering("text"), 0)
	for r, want := range map[Ref]bool{{Kind: Secret, Name: "a"}: true, {Kind: File, Name: "/a"}: true, {Kind: Param, Name: "/a"}: false, {Kind: Own, Name: "region"}: false} {
		if v, err := snap.Get(t.Context(), r); err != nil || v.Secret != want {
			t.Errorf("%s: %v, %v", r, v.Secret, err)
		}
	}
}

func TestValuesDoNotPrint(t *testing.T) {
	v := Value{Text: "canary-1", Bytes: []byte("canary-2"), List: []string{"canary-3"}, Params: map[string]string{"a": "canary-4"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, text := range []string{fmt.Sprintf(verb, v), fmt.Sprintf(verb, &v), fmt.Sprintf(verb, Result{Value: v})} {
			if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
}
