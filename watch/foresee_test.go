package watch

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/pass"
)

// What is foreseen is what a pass does then; nothing is written for it, no lock is taken, and a
// process that has the state directory is in nobody's way.
func TestForeseeOnlyLooks(t *testing.T) {
	tr := newTrial(t, new(memoryDrive))
	tr.next()
	foresee := func(when string, want ...swap.State) {
		t.Helper()
		system, done := failing(tr.mount(), 0, nil)
		var got []swap.State
		for _, f := range Foresee(context.Background(), tr.plan, tr.plan.Services, pass.Options{State: pass.PeekStateDir(system, tr.path("state"))}, nil) {
			if f.Err != nil {
				t.Errorf("%s: %v", when, f.Err)
			}
			for _, file := range f.Files {
				got = append(got, file.State)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v is foreseen, want %v", when, got, want)
		}
		for _, s := range done() {
			if s.Mutates() || s.Op == "lock" {
				t.Errorf("%s: %s", when, s)
			}
		}
		if n := tr.told(when); n > 0 {
			t.Errorf("%s: somebody is told", when)
		}
	}
	foresee("at first", swap.NotThere, swap.NotThere)
	if err := tr.once(tr.mount()); err != nil {
		t.Fatal(err)
	}
	tr.told("once")
	foresee("when all is done")
	tr.next()
	state, err := pass.OpenStateDir(context.Background(), tr.mount(), tr.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	foresee("beside a daemon", swap.Differs, swap.Differs)
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
}

// That a change was put back, or that it is not the time for it, is foreseen.
func TestForeseeSaysWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		foreseen := func() pass.Foresight {
			t.Helper()
			list := Foresee(t.Context(), w.plan, w.plan.Services, pass.Options{State: pass.PeekStateDir(w.system, w.path("state"))}, nil)
			if list[0].Err != nil || len(list[0].Files) != 1 {
				t.Fatalf("%+v", list[0])
			}
			return list[0]
		}
		rotated(w)
		w.after(3 * time.Minute)
		w.stands(RolledBack)
		if f := foreseen(); f.RolledBack != "health: answered 502" || !f.HeldUntil.IsZero() {
			t.Errorf("%q, until %v", f.RolledBack, f.HeldUntil)
		}
		opens := time.Now().Add(time.Hour)
		s.Hold = func(time.Time) time.Time { return opens }
		w.values.set("p", "three")
		if f := foreseen(); f.RolledBack != "" || !f.HeldUntil.Equal(opens) {
			t.Errorf("another change: %q, until %v", f.RolledBack, f.HeldUntil)
		}
		opens = time.Now()
		if f := foreseen(); !f.HeldUntil.IsZero() {
			t.Errorf("until %v", f.HeldUntil)
		}
	})
}
