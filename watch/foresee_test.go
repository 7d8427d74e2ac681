package watch

import (
	"context"
	"fmt"
	"testing"

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
