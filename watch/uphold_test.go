package watch

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// rejected is a proven world whose change was rolled back, and is not tried again.
func rejected(t *testing.T) (w *world, app *dependent, s *Service) {
	w, app, _, s = proven(t, `{{ param "p" }}`, pass.RollbackConfig)
	rotated(w)
	w.after(3 * time.Minute)
	w.stands(RolledBack)
	w.want("f", "one")
	return w, app, s
}

// While a change is rejected the files are the old ones, whoever else changes them, and whenever.
func TestRejectedFilesArePutRight(t *testing.T) {
	for name, drift := range map[string]func(w *world){
		"written":             func(w *world) { w.write("f", "by hand") },
		"gone":                func(w *world) { os.Remove(w.path("f")) },
		"as unwell as it was": func(w *world) { w.write("f", "bad three") },
	} {
		for restarted, restart := range map[string]func(w *world){"": func(*world) {}, ", after a restart": func(w *world) { w.stop(); w.start() }} {
			t.Run(name+restarted, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, app, s := rejected(t)
					var alarms atomic.Int32
					w.run = func(context.Context, command.Command, command.Options) ([]byte, error) {
						alarms.Add(1)
						return nil, nil
					}
					restart(w)
					s.OnFailure.Run.Args = []string{"page"}
					before := len(w.happened())
					drift(w)
					w.after(90 * time.Second)
					w.want("f", "one")
					w.stands(RolledBack)
					app.sawAll(t, "one", "bad two", "bad two", "one", "one")
					if put := w.state.Ledger.History()[before]; len(put.Restored) != 1 {
						t.Errorf("somebody else had changed %q", put.Restored)
					}
					if got := w.happened()[before:]; len(got) != 3 || got[0] != ledger.Changed || got[1] != ledger.Told || got[2] != ledger.Healthy {
						t.Errorf("it happened %q", got)
					}
					w.after(time.Hour)
					app.sawAll(t, "one", "bad two", "bad two", "one", "one")
					if n := alarms.Load(); n > 0 {
						t.Errorf("%d failures are said", n)
					}

					w.values.set("p", "three")
					w.after(2 * time.Minute)
					w.want("f", "three")
					w.stands(Current)
					if kept := w.formerFiles(); len(kept) > 0 {
						t.Errorf("kept: %v", kept)
					}
				})
			})
		}
	}
}

// A mode that the config sets is put right, and nobody is told; one that it leaves to others stays.
func TestModeOfARejectedFile(t *testing.T) {
	for keeps, want := range map[bool]fs.FileMode{true: 0o640, false: 0o600} {
		synctest.Test(t, func(t *testing.T) {
			w, app, s := rejected(t)
			synctest.Wait()
			s.Files[0].KeepMode = keeps
			w.loop.Changed(nil) // which has the loop see it
			if err := os.Chmod(w.path("f"), 0o640); err != nil {
				t.Fatal(err)
			}
			w.after(5 * time.Minute)
			w.stands(RolledBack)
			info, err := os.Stat(w.path("f"))
			if err != nil || info.Mode() != want {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			app.sawAll(t, "one", "bad two", "bad two", "one")
		})
	}
}

// Whoever is owed a notice of the old files is told of them, and not of what somebody else has made
// of them meanwhile.
func TestDriftBeforeTheRollbackIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _, _ := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		rotated(w)
		for w.stage() != ledger.Reverted {
			app.refuse(6)
			w.after(time.Second)
		}
		w.after(5 * time.Second) // a notice that comes at once believes that the files are as they were
		w.write("f", "by hand")
		w.after(10 * time.Minute)
		w.want("f", "one")
		w.stands(RolledBack)
		if _, _, saw, _ := app.so(); saw[len(saw)-1] != "one" || strings.Contains(strings.Join(saw, " "), "by hand") {
			t.Errorf("it was told of %q", saw)
		}
	})
}

// What was not there before the change, and was taken away with it, is whose who makes it then.
func TestRejectedFileThatWasNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _, s := proven(t, `{{ param "p" }}`, pass.RollbackConfig)
		s.Files = append(s.Files, w.file("g", `g of {{ param "p" }}`))
		w.values.set("p", "one")
		w.start()
		w.after(20 * time.Second)
		os.Remove(w.path("g"))
		w.values.set("p", "bad two")
		w.after(4 * time.Minute)
		w.stands(RolledBack)
		w.want("f", "one")
		if _, err := os.Stat(w.path("g")); err == nil {
			t.Error("what was not there is there")
		}
		w.write("g", "mine")
		w.write("f", "mine, too")
		w.after(2 * time.Minute)
		w.want("g", "mine")
		w.want("f", "one")
		w.stands(RolledBack)
	})
}

// Two who keep a file each in his way do not have its readers told for ever.
func TestRejectedFileThatIsContested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _ := rejected(t)
		for range 120 {
			w.write("f", "by somebody who does not give up")
			w.after(time.Minute)
		}
		if n := app.count(); n > 4+10 {
			t.Errorf("it was told %d times", n)
		}
		w.after(2 * time.Hour)
		w.want("f", "one")
		w.stands(RolledBack)
	})
}

// Where what is kept is lost that is said, once somebody else has changed the file, and asking for
// the change helps.
func TestRejectedFileThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, app, _ := rejected(t)
		for _, name := range w.formerFiles() {
			if err := os.Remove(filepath.Join(w.path("state/former"), name)); err != nil {
				t.Fatal(err)
			}
		}
		w.after(5 * time.Minute)
		w.stands(RolledBack)
		w.write("f", "by hand")
		w.after(5 * time.Minute)
		w.want("f", "by hand")
		w.stands(Failing)
		app.sawAll(t, "one", "bad two", "bad two", "one")
		if w.logged("somebody else has changed it since it was rolled back", "rendered refresh svc") != 1 {
			t.Errorf("the log:\n%s", w.log.String())
		}
		w.values.set("p", "three")
		w.after(5 * time.Minute)
		w.want("f", "three")
		w.stands(Current)
	})
}

// What is kept of a service that leaves the config leaves, too.
func TestRejectedServiceLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := rejected(t)
		w.service("other", "@every 1m", nil, "g", "x")
		w.load = func() (*Plan, error) {
			p := *w.plan
			p.Services = w.plan.Services[1:]
			return &p, nil
		}
		if err := w.loop.Reload(); err != nil {
			t.Fatal(err)
		}
		w.after(5 * time.Minute)
		w.want("f", "one")
		if kept := w.formerFiles(); len(kept) > 0 {
			t.Errorf("kept: %v", kept)
		}
	})
}
