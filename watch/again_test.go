package watch

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// reverting is a proven world whose change is about to be rolled back: what is to be done before
// that takes a while, or fails so many times.
func reverting(t *testing.T, takes time.Duration, fails int32) (w *world, app *dependent) {
	w, app, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
	s.Before.Args = []string{"before"}
	var left atomic.Int32
	left.Store(fails)
	w.run = func(context.Context, command.Command, command.Options) ([]byte, error) {
		if w.stage() != ledger.Reverting {
			return nil, nil
		}
		time.Sleep(takes)
		if left.Add(-1) >= 0 {
			return nil, errRefused
		}
		return nil, nil
	}
	rotated(w)
	for range 200 {
		if w.stage() == ledger.Reverting {
			return w, app
		}
		w.after(500 * time.Millisecond)
	}
	t.Fatalf("it is not put back:\n%s", w.log.String())
	return nil, nil
}

// triedTwice wants the change to have been put in place twice, and to be rolled back in the end.
func (w *world) triedTwice() {
	w.t.Helper()
	w.after(5 * time.Minute)
	w.stands(RolledBack)
	w.want("f", "one")
	w.after(time.Hour)
	w.stands(RolledBack)
	changes := 0
	for _, kind := range w.happened() {
		if kind == ledger.Changed {
			changes++
		}
	}
	if changes != 3 { // the first files, and the change twice
		w.t.Errorf("%d changes: %v", changes, w.happened())
	}
}

// Whoever asks while the old files are put back has the change tried again afterwards.
func TestRefreshWhileReverting(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		fails int32
	}{
		"that takes a while":           {takes: 5 * time.Second},
		"that has failed":              {fails: 2},
		"that has failed, and fails":   {fails: 4},
		"that fails after a long time": {takes: 5 * time.Second, fails: 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, app := reverting(t, test.takes, test.fails)
				w.loop.Refresh("svc")
				w.triedTwice()
				if _, _, saw, _ := app.so(); saw[len(saw)-1] != "one" {
					t.Errorf("it was told of %q", saw)
				}
			})
		})
	}
}

// So it is where the process ends in between, and AWS is away for a while.
func TestRefreshWhileRevertingSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := reverting(t, 0, 2)
		w.values.refuse("p", "AWS is away")
		w.loop.Refresh("svc")
		w.after(30 * time.Second)
		w.want("f", "one")
		w.stop()
		w.start()
		w.after(time.Minute)
		w.want("f", "one")
		w.values.refuse("p", "")
		w.triedTwice()
	})
}

// Whoever waits for it hears what came of trying it again.
func TestRefreshWhileRevertingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := reverting(t, 5*time.Second, 0)
		w.values.set("p", "three")
		r, err := w.loop.RefreshNow(t.Context(), "svc")
		if err != nil || len(r.Outcomes) != 1 || r.Outcomes[0].Err != nil || r.err() != nil {
			t.Errorf("%v: %+v", err, r)
		}
		w.want("f", "three")
		w.stands(Current)
	})
}

// Whoever asks while a look is under way, and another is due for another reason, has the change
// tried again as well.
func TestRefreshBesideAnotherReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := reverting(t, 5*time.Second, 0)
		w.after(5 * time.Minute)
		w.stands(RolledBack)
		w.values.delay("p", 20*time.Second)
		w.after(61 * time.Second) // a look has begun
		if err := w.loop.Reload(); err != nil {
			t.Error(err)
		}
		w.loop.Refresh("svc")
		w.triedTwice()
	})
}
