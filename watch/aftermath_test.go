package watch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// detail gives how the first service stands.
func (w *world) detail() (Standing, Detail) {
	w.t.Helper()
	st, err := w.loop.Ask(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return st.Services[0], st.Details[0]
}

// notes gives what the history says of how the service was seen, in its order.
func (w *world) notes() (list []string) {
	for _, e := range w.state.Ledger.History() {
		if e.Kind == ledger.Healthy || e.Kind == ledger.Unhealthy {
			list = append(list, e.Note)
		}
	}
	return list
}

// What is not well with the old files, either, is worse than what was put back: status, log and
// history say so, once, across a restart.
func TestNotWellWithOldFilesEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		h.mu.Lock()
		h.bad = func(string) bool { return true }
		h.mu.Unlock()
		w.after(10 * time.Minute)
		w.want("f", "one")
		w.stands(Unhealthy)
		st, d := w.detail()
		if st.Rollout.Still != "health: answered 502" || d.Turn != sources.Machine {
			t.Errorf("%+v, for %q", st.Rollout, d.Turn)
		}
		if n := w.logged("not well, with the old files, either"); n != 1 {
			t.Errorf("said %d times:\n%s", n, w.log.String())
		}
		r, err := w.loop.RefreshNow(t.Context())
		if err != nil || len(r.Health) != 1 || r.Health[0].State != Unhealthy || r.Health[0].Stays != "" {
			t.Errorf("%v, %+v", err, r.Health)
		}
		w.stop()
		w.start()
		w.after(time.Second)
		w.stands(Unhealthy)

		h.mu.Lock()
		h.bad = func(string) bool { return false }
		h.mu.Unlock()
		w.after(10 * time.Minute)
		w.stands(RolledBack)
		want := []string{
			"", pass.Then[ledger.Retold], pass.Then[ledger.Reverting], "with the old files, either",
			pass.Then[ledger.Retold], pass.Then[ledger.Reverting], "with the old files, either", "well with the old files",
		}
		if got := w.notes(); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if _, d := w.detail(); d.Turn != "the owner of param p, or "+sources.Machine {
			t.Errorf("for %q", d.Turn)
		}
	})
}

// A host that stays out of its load balancer is not current, and somebody hears of it.
func TestAfterIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		w := newWorld(t)
		w.run = func(_ context.Context, c command.Command, _ command.Options) ([]byte, error) {
			if c.Args[0] == "undrain" && broken.Load() {
				return []byte("no route\n"), errors.New("exit status 3")
			}
			return nil, nil
		}
		s := w.service("svc", "@every 1m", nil, "f", `{{ param "p" }}`)
		s.Before.Args, s.After.Args = []string{"drain"}, []string{"undrain"}
		s.After.Output = command.Show
		w.values.set("p", "one")
		w.start()
		w.after(20 * time.Minute)
		w.stands(Unhealthy)
		_, d := w.detail()
		if d.Undone == nil || !slices.Equal(d.Undone.Hints, []string{"no route"}) || d.Turn != sources.Machine {
			t.Errorf("%+v, for %q", d.Undone, d.Turn)
		}
		r, err := w.loop.RefreshNow(t.Context(), "svc")
		if err != nil || len(r.Health) != 1 || r.Health[0].After == nil || !r.Health[0].Failed() {
			t.Errorf("%v, %+v", err, r.Health)
		}
		w.stop()
		w.start()
		w.after(time.Second)
		w.stands(Unhealthy)

		t.Log("it is mended, and somebody asks")
		broken.Store(false)
		begun := time.Now()
		if r, err = w.loop.RefreshNow(t.Context(), "svc"); err != nil || len(r.Health) > 0 || time.Since(begun) > time.Second {
			t.Errorf("%v, %+v after %v", err, r.Health, time.Since(begun))
		}
		w.after(time.Second)
		w.stands(Current)
		if got, want := w.happened(), []ledger.Kind{ledger.Changed, ledger.Unhealthy, ledger.Healthy}; !slices.Equal(got, want) {
			t.Errorf("it happened %q, want %q", got, want)
		}
	})
}

// Whoever has mended what was not well, and asks, hears that it is well, and not what was seen
// before.
func TestAskingLooksWhetherItIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h, _ := proven(t, `{{ param "p" }}`, pass.RollbackNever)
		rotated(w)
		w.after(20 * time.Minute)
		w.stands(Unhealthy)
		if _, d := w.detail(); !slices.Equal(d.Unwell, []string{"no backend", "look at its log"}) {
			t.Errorf("status says %q", d.Unwell)
		}
		h.mu.Lock()
		h.bad = func(string) bool { return false }
		h.mu.Unlock()
		begun := time.Now()
		r, err := w.loop.RefreshNow(t.Context(), "svc")
		if err != nil || len(r.Health) != 1 || r.Health[0].State != Current || time.Since(begun) > 6*time.Second {
			t.Errorf("%v, %+v after %v", err, r.Health, time.Since(begun))
		}
		w.stands(Current)
	})
}

// A look that has files wait did not fail, and neither did one that lets old files be.
func TestLookThatWaitsSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		w.after(2 * time.Hour)
		w.stands(RolledBack)
		if _, d := w.detail(); time.Since(d.Succeeded) > time.Minute || time.Since(d.Well) < time.Hour {
			t.Errorf("succeeded %v ago, well %v ago", time.Since(d.Succeeded), time.Since(d.Well))
		}
		w.stop()
		opens := time.Now().Add(24 * time.Hour)
		s.Hold = func(time.Time) time.Time { return opens }
		w.values.set("p", "three")
		w.start()
		w.after(time.Hour)
		if st, d := w.detail(); st.Held == nil || time.Since(d.Succeeded) > time.Minute {
			t.Errorf("%+v succeeded %v ago", st, time.Since(d.Succeeded))
		}
	})
}

// Whoever asks, or changes what is under healthy, while somebody looks, has it looked at once more,
// and at once.
func TestLookThatWasBegunTooEarly(t *testing.T) {
	for name, ask := range map[string]func(*testing.T, *world) Result{
		"refresh": func(t *testing.T, w *world) Result {
			r, err := w.loop.RefreshNow(t.Context(), "svc")
			if err != nil {
				t.Error(err)
			}
			return r
		},
		"reload": func(t *testing.T, w *world) Result {
			was := w.plan.Services[0]
			changed := *was
			changed.Fingerprint += " and something else under healthy"
			plan := *w.plan
			plan.Services = []*Service{&changed}
			w.load = func() (*Plan, error) { return &plan, nil }
			_, r, err := w.loop.For("").ReloadAndWait(t.Context())
			if err != nil {
				t.Error(err)
			}
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _, h, _ := proven(t, `{{ param "p" }}`, pass.RollbackNever)
				rotated(w)
				w.after(20 * time.Minute)
				for synctest.Wait(); !w.loop.states["svc"].after.proving; synctest.Wait() { // it rests
					w.loop.Changed(nil) // which has the loop go on after this look at it
					w.after(time.Second)
				}
				w.loop.Changed(nil)
				begun := time.Now()
				h.mu.Lock()
				h.bad = func(string) bool { return time.Since(begun) < 31*time.Second } // longer than that look
				h.mu.Unlock()
				r := ask(t, w)
				if len(r.Health) != 1 || r.Health[0].State != Current || time.Since(begun) > 40*time.Second {
					t.Errorf("%+v after %v", r.Health, time.Since(begun))
				}
				w.stands(Current)
			})
		})
	}
}

// A set whose change is rolled back by the next process is whole again: what the change has added
// stays away, though the record has forgotten it by the time that the values come.
func TestRollbackOfASetOutlivesTheDaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, s := proven(t, `{{ secret "s" "version" }}`, pass.RollbackAlways)
		s.Files = append(s.Files, w.each("sites/*.conf", `secretMap "s" "sites"`, `{{ .value }}`, true))
		var stuck, torn atomic.Bool
		w.system = faulty.System(disk.Host, func(step faulty.Step) error {
			if stuck.Load() && step.Op == "create" && strings.HasPrefix(step.Path, w.path("sites")) || step.Op == "remove" && step.Path == w.path("sites/c.conf") && torn.CompareAndSwap(true, false) {
				return unix.EIO
			}
			return nil
		})
		w.values.set("s", `{"version": "one", "sites": {"a": "1", "b": "1"}}`)
		w.start()
		w.after(20 * time.Second)
		w.stands(Current)
		w.values.set("s", `{"version": "bad two", "sites": {"b": "2", "c": "2"}}`)
		for w.stage() != ledger.Retold {
			w.after(time.Second)
		}
		stuck.Store(true)
		for w.stage() != ledger.Reverting {
			w.after(time.Second)
		}
		w.stop()

		stuck.Store(false)
		torn.Store(true)
		w.values.delay("s", time.Minute/2)
		w.start()
		w.after(10 * time.Minute)
		if torn.Load() {
			t.Error("nothing was torn")
		}
		w.stands(RolledBack)
		w.want("f", "one")
		w.want("sites/a.conf", "1")
		w.want("sites/b.conf", "1")
		if list := listOf(w.path("sites")); !slices.Equal(list, []string{"a.conf", "b.conf"}) {
			t.Errorf("there are %q", list)
		}
	})
}
