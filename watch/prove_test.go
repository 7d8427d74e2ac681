package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/probe"
)

// A health is a probe of a program that has read a file, when it was told, and is well with some
// contents of it.
type health struct {
	app *dependent
	mu  sync.Mutex
	bad func(content string) bool
}

func (h *health) Name() string { return "health" }

func (h *health) Begin() probe.Look {
	return func(context.Context) error {
		_, _, saw, _ := h.app.so()
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(saw) > 0 && h.bad(saw[len(saw)-1]) {
			return &probe.Failure{Probe: "health", What: "answered 502", Hints: []string{"look at its log"}, Said: notify.Output{Text: []byte("no backend\n"), Policy: command.Show}}
		}
		return nil
	}
}

// proven is a world whose service is well with any content but those that begin with "bad".
func proven(t *testing.T, template string, rollback pass.Rollback) (w *world, app *dependent, h *health, s *Service) {
	w = newWorld(t)
	app = &dependent{name: "app", reads: []string{w.path("f")}}
	h = &health{app: app, bad: func(content string) bool { return strings.HasPrefix(content, "bad") }}
	s = w.service("svc", "@every 1m", []*dependent{app}, "f", template)
	s.Healthy, s.HealthyFor, s.HealthyWithin, s.Rollback = []probe.Probe{h}, 5*time.Second, 30*time.Second, rollback
	return w, app, h, s
}

// stage gives how far the rollout of the service has come.
func (w *world) stage() ledger.Stage {
	r, _ := w.state.Ledger.Rollout("svc")
	return r.Stage
}

// saw checks what a dependent read each time that it was told.
func (d *dependent) sawAll(t *testing.T, want ...string) {
	t.Helper()
	if _, _, saw, _ := d.so(); !slices.Equal(saw, want) {
		t.Errorf("it was told of %q, want %q", saw, want)
	}
}

func (w *world) stands(want State) {
	w.t.Helper()
	st, err := w.loop.Ask(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if got := st.Services[0].State(); got != want {
		w.t.Errorf("it is %s, want %s: %+v", got, want, st.Services[0])
	}
}

// happened gives the kinds of the events since a time, in their order.
func (w *world) happened() (kinds []ledger.Kind) {
	for _, e := range w.state.Ledger.History() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// formerFiles gives what is kept of files.
func (w *world) formerFiles() []string {
	return listOf(w.path("state/former"))
}

// listOf gives the names in a directory.
func listOf(dir string) (list []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestChangeIsSeenToBeWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		w.values.set("p", "one")
		w.start()
		w.after(time.Second)
		w.stands(Proving)
		w.after(10 * time.Second)
		w.stands(Current)
		w.values.set("p", "two")
		w.after(time.Minute)
		w.after(10 * time.Second)
		w.want("f", "two")
		app.sawAll(t, "one", "two")
		if w.stage() != ledger.Settled || len(w.formerFiles()) > 0 || w.logged("well", "svc") != 2 {
			t.Errorf("stage %q, kept %v:\n%s", w.stage(), w.formerFiles(), w.log.String())
		}
	})
}

// rotated brings a proven world to one, and then to a change that is not well.
func rotated(w *world) {
	w.values.set("p", "one")
	w.start()
	w.after(20 * time.Second)
	w.stands(Current)
	w.values.set("p", "bad two")
	w.after(time.Minute)
}

func TestChangeIsRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		w.want("f", "bad two")
		w.stands(Proving)
		if len(w.formerFiles()) != 1 {
			t.Errorf("kept: %v", w.formerFiles())
		}
		w.after(2 * time.Minute)
		w.want("f", "one")
		w.stands(RolledBack)
		app.sawAll(t, "one", "bad two", "bad two", "one")
		want := []ledger.Kind{
			ledger.Changed, ledger.Told, ledger.Healthy, ledger.Changed, ledger.Told, ledger.Unhealthy, ledger.Told, ledger.Unhealthy,
			ledger.RolledBack, ledger.Told, ledger.Healthy,
		}
		if got := w.happened(); !slices.Equal(got, want) {
			t.Errorf("it happened %q, want %q", got, want)
		}
		if len(w.formerFiles()) != 1 { // what the file is to hold until the change is another
			t.Errorf("kept: %v", w.formerFiles())
		}

		t.Log("it is not tried again, by the next passes, or by a restart")
		w.after(time.Hour)
		w.stop()
		w.start()
		w.after(time.Hour)
		w.want("f", "one")
		w.stands(RolledBack)
		app.sawAll(t, "one", "bad two", "bad two", "one")

		t.Log("somebody asks for it")
		w.loop.Refresh("svc")
		w.after(3 * time.Minute)
		w.stands(RolledBack)
		app.sawAll(t, "one", "bad two", "bad two", "one", "bad two", "bad two", "one")

		t.Log("it changes")
		w.values.set("p", "three")
		w.after(2 * time.Minute)
		w.want("f", "three")
		w.stands(Current)

		t.Log("what was rolled back comes again, and goes as it came")
		w.values.set("p", "bad two")
		w.after(4 * time.Minute)
		w.stands(RolledBack)
		w.values.set("p", "three")
		w.after(2 * time.Minute)
		w.stands(Current)
		if w.stage() != ledger.Settled || len(w.formerFiles()) > 0 {
			t.Errorf("%q, kept: %v", w.stage(), w.formerFiles())
		}
	})
}

// The old credential may be dead.
// TestRollbackBringsBackWhatWasTakenAway rolls back a change in which a key, and with it a file,
// is gone, of which the dependents have been told by then.
func TestRollbackBringsBackWhatWasTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, s := proven(t, `{{ secret "s" "head" }}`, pass.RollbackAlways)
		s.Files = append(s.Files, w.each("sites/*.conf", `secretMap "s" "sites"`, `{{ .key }}={{ .value }}`, true))
		sites := func() string { return strings.Join(listOf(w.path("sites")), " ") }
		members := func() (list []string) {
			for _, m := range w.state.Ledger.Members(w.path("sites/*.conf")) {
				list = append(list, fmt.Sprint(strings.TrimPrefix(m.Path, w.path("sites")+"/"), " ", m.Standing))
			}
			return list
		}
		w.values.set("s", `{"head":"one","sites":{"a":"1","b":"1"}}`)
		w.start()
		w.after(20 * time.Second)
		w.values.set("s", `{"head":"bad two","sites":{"a":"2"}}`)
		w.after(time.Minute)
		w.want("f", "bad two")
		if sites() != "a.conf" {
			t.Errorf("there are %s", sites())
		}
		for range 2 { // and it is not tried again
			w.after(time.Hour)
			w.want("f", "one")
			w.want("sites/a.conf", "a=1")
			w.want("sites/b.conf", "b=1")
			w.stands(RolledBack)
			app.sawAll(t, "one", "bad two", "bad two", "one")
		}
		w.values.set("s", `{"head":"three","sites":{"a":"3"}}`)
		w.after(2 * time.Minute)
		w.want("f", "three")
		w.stands(Current)
		if got := members(); sites() != "a.conf" || !slices.Equal(got, []string{"a.conf live"}) {
			t.Errorf("there are %s, known %v", sites(), got)
		}
	})
}

func TestSecretStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, h, _ := proven(t, `{{ param "p" }}{{ secret "s" }}`, pass.RollbackConfig)
		w.values.set("s", "")
		rotated(w)
		w.after(5 * time.Minute)
		w.stands(RolledBack) // its own did not change
		w.values.set("s", "!")
		w.after(5 * time.Minute)
		w.want("f", "bad two!")
		w.stands(Unhealthy)
		app.sawAll(t, "one", "bad two", "bad two", "one", "bad two!", "bad two!")
		if len(w.formerFiles()) > 0 || w.logged("not well", "the new files stay") != 1 {
			t.Errorf("kept %v:\n%s", w.formerFiles(), w.log.String())
		}
		h.mu.Lock()
		h.bad = func(string) bool { return false }
		h.mu.Unlock()
		w.after(10 * time.Minute)
		w.stands(Current)
		w.want("f", "bad two!")
	})
}

// Whoever asks for it has secrets put back, too, and whoever does not, nothing.
func TestRollbackAsConfigured(t *testing.T) {
	for _, policy := range []pass.Rollback{pass.RollbackAlways, pass.RollbackNever} {
		synctest.Test(t, func(t *testing.T) {
			w, _, _, _ := proven(t, `{{ param "p" }}{{ secret "s" }}`, policy)
			w.values.set("s", "")
			rotated(w)
			w.values.set("s", "!")
			w.after(10 * time.Minute)
			want, state := "one", RolledBack
			if policy == pass.RollbackNever {
				want, state = "bad two!", Unhealthy
			}
			w.want("f", want)
			w.stands(state)
		})
	}
}

// The first time there is nothing to put back.
func TestFirstChangeStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		w.values.set("p", "bad one")
		w.start()
		w.after(5 * time.Minute)
		w.want("f", "bad one")
		w.stands(Unhealthy)
		app.sawAll(t, "bad one", "bad one")
		w.values.set("p", "bad two")
		w.after(5 * time.Minute)
		w.want("f", "bad two")
		w.stands(Unhealthy)
		w.values.set("p", "three")
		w.after(2 * time.Minute)
		w.stands(Current)
	})
}

// What the files were when the service was last well is put back, and not what came in between.
func TestChangeOverAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		w.values.set("p", "bad three")
		w.loop.Refresh("svc")
		w.after(5 * time.Minute)
		w.want("f", "one")
		w.stands(RolledBack)
		_, _, saw, _ := app.so()
		if saw[len(saw)-1] != "one" || !slices.Contains(saw, "bad three") {
			t.Errorf("%q", saw)
		}
	})
}

// What puts a change right that is not well waits for no min_interval and no window.
func TestRollbackWaitsForNoInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		s.MinInterval = time.Hour
		w.values.set("p", "one")
		w.start()
		w.after(2 * time.Hour)
		w.values.set("p", "bad two")
		w.after(5 * time.Minute)
		w.want("f", "one")
		w.stands(RolledBack)
		app.sawAll(t, "one", "bad two", "bad two", "one")
		w.values.set("p", "three")
		w.after(5 * time.Minute)
		w.want("f", "three")
		app.sawAll(t, "one", "bad two", "bad two", "one")
		w.after(time.Hour)
		app.sawAll(t, "one", "bad two", "bad two", "one", "three")
	})
}

// A dependent that refuses what it is told of is not well with it.
func TestRefusedChangeIsRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		w.values.set("p", "one")
		w.start()
		w.after(20 * time.Second)
		w.values.set("p", "two")
		app.refuse(8)
		w.after(10 * time.Minute)
		w.want("f", "one")
		w.stands(RolledBack)
		if _, _, saw, _ := app.so(); saw[len(saw)-1] != "one" {
			t.Errorf("%q", saw)
		}
	})
}

// A rollout survives whatever ends the daemon, in any of its stages.
func TestRestartInTheMiddle(t *testing.T) {
	for at := range 20 {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
				rotated(w)
				w.after(time.Duration(at) * 7 * time.Second)
				w.stop()
				w.start()
				w.after(5 * time.Minute)
				w.want("f", "one")
				w.stands(RolledBack)
				if _, _, saw, _ := app.so(); saw[len(saw)-1] != "one" || len(w.formerFiles()) != 1 {
					t.Errorf("%q, kept %v", saw, w.formerFiles())
				}
			})
		})
	}
}

// Where the clock is set back, whoever looks again after a while does so after that while.
func TestClockIsSetBackBetweenLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, h, _ := proven(t, `{{ param "p" }}`, pass.RollbackNever)
		var back atomic.Int64
		w.wall = func() time.Time { return time.Now().Round(0).Add(-time.Duration(back.Load())) }
		rotated(w)
		w.after(10 * time.Minute)
		w.stands(Unhealthy)
		back.Store(int64(24 * time.Hour))
		w.after(time.Minute)
		h.mu.Lock()
		h.bad = func(string) bool { return false }
		h.mu.Unlock()
		w.after(10 * time.Minute)
		w.stands(Current)
	})
}

// A new change is looked at as soon as its dependents were told, however long ago the last look at
// one that was not well was.
func TestNewChangeIsLookedAtAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackNever)
		rotated(w)
		w.after(30 * time.Minute)
		w.stands(Unhealthy)
		w.values.set("p", "three")
		w.loop.Refresh("svc")
		w.after(15 * time.Second)
		w.stands(Current)
	})
}

// Old files beside new ones that came to the service since are nothing that ever was: the change
// stays.
func TestServiceGetsAnotherFileInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		more := *s
		more.Files = append(slices.Clone(s.Files), w.file("g", `{{ param "p" }}`))
		more.Fingerprint += " and g"
		w.plan.Services = []*Service{&more}
		if err := w.loop.Reload(); err != nil {
			t.Fatal(err)
		}
		w.after(5 * time.Minute)
		w.want("f", "bad two")
		w.want("g", "bad two")
		w.stands(Unhealthy)
		if len(w.formerFiles()) > 0 {
			t.Errorf("kept: %v", w.formerFiles())
		}
	})
}

// A boot takes away what is in /run, directories included.
func TestDirectoryIsGoneBeforeOldFilesAreBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		app := &dependent{name: "app", reads: []string{w.path("run/f")}}
		s := w.service("svc", "@every 1h", []*dependent{app}, "run/f", `{{ param "p" }}`)
		s.Files[0].DirMode = 0o755
		s.Healthy = []probe.Probe{&health{app: app, bad: func(content string) bool { return strings.HasPrefix(content, "bad") }}}
		w.values.set("p", "one")
		w.start()
		w.after(20 * time.Second)
		w.values.set("p", "bad two")
		w.loop.Refresh()
		w.after(50 * time.Second)
		if w.stage() != ledger.Retold {
			t.Fatal(w.stage())
		}
		if err := os.RemoveAll(w.path("run")); err != nil {
			t.Fatal(err)
		}
		w.after(3 * time.Minute)
		w.want("run/f", "one")
		w.stands(RolledBack)
	})
}

// A glance is a probe that remembers what a file held each time that somebody began to look.
type glance struct {
	path string
	held []string
}

func (g *glance) Name() string { return "glance" }

func (g *glance) Begin() probe.Look {
	data, _ := os.ReadFile(g.path)
	g.held = append(g.held, string(data))
	return func(context.Context) error { return nil }
}

// Nobody looks at a change whose files are not in place yet: of a service that tells nobody, while
// a slow disk puts on record what is about to be swapped, and others keep the loop awake.
func TestChangeIsLookedAtOnceItIsInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.system = faulty.System(w.system, func(s faulty.Step) error {
			if s.Op == "rename" && filepath.Base(s.Path) == "ledger.jsonl" {
				time.Sleep(10 * time.Second)
			}
			return nil
		})
		g := &glance{path: w.path("f")}
		w.service("svc", "@every 5m", nil, "f", `{{ param "p" }}`).Healthy = []probe.Probe{g}
		w.service("other", "@every 1s", nil, "g", "g")
		w.values.set("p", "one")
		w.start()
		w.after(4 * time.Minute)
		w.values.set("p", "two")
		w.after(4 * time.Minute)
		w.stands(Current)
		if !slices.Equal(g.held, []string{"one", "two"}) {
			t.Errorf("looked at %q", g.held)
		}
	})
}
