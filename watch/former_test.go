package watch

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// Who moves a file, and the dependent that is owed a notice for it, from one service to another
// that both go on, has it told: once, whether the daemon is restarted or not, and though the first
// service gets another dependent in its place.
func TestMovedFileIsTold(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "reload nginx.service", fails: 1 << 30, reads: []string{w.path("f")}}
			a, b, c := &dependent{name: "a"}, &dependent{name: "b"}, &dependent{name: "c"}
			w.service("a", "@daily", []*dependent{d, a}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
			w.service("b", "@daily", []*dependent{b}, "h", `{{ secret "s" }}`)
			w.values.set("s", "one")
			w.start()
			w.after(time.Minute)
			d.refuse(0)
			w.plan.Services = nil
			w.service("a", "@daily", []*dependent{c}, "g", `{{ secret "s" }}`).Fingerprint = "without f"
			w.service("b", "@daily", []*dependent{b, d}, "f", `{{ secret "s" }}`, "h", `{{ secret "s" }}`).Fingerprint = "with f"
			w.values.refuse("s", sources.Unavailable)
			if restarted {
				w.stop()
				w.start()
			} else {
				w.loop.Reload()
			}
			w.after(time.Minute)
			if d.count() != 1 || d.saw[0] != "one" {
				t.Errorf("restarted: %v: told %d times, of %q", restarted, d.count(), d.saw)
			}
			w.values.refuse("s", "")
			w.after(time.Hour)
			w.stop()
			w.start()
			w.after(time.Hour)
			if d.count() != 1 || a.count() != 1 || c.count() != 1 {
				t.Errorf("restarted: %v: told %d, %d and %d times in the end", restarted, d.count(), a.count(), c.count())
			}
			// What was new to b is its own now: that its first owner has a record tells it nothing
			// any more.
			if n := b.count(); n > 2 {
				t.Errorf("restarted: %v: b was told %d times", restarted, n)
			}
		})
	}
}

// A file that is moved away and comes back brings what became owed for it meanwhile.
func TestMovedBackFileIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", reads: []string{w.path("f")}}
		other := &dependent{name: "other"}
		at := func(first, second bool) {
			w.plan.Services = nil
			use := func(name, own string, f bool) {
				files, dependents := []string{own, `{{ secret "s" }}`}, []*dependent{other}
				if f {
					files, dependents = append(files, "f", `{{ secret "s" }}`), []*dependent{other, d}
				}
				w.service(name, "@daily", dependents, files...).Fingerprint = strings.Join(files, " ")
			}
			use("a", "g", first)
			use("b", "h", second)
		}
		at(true, false)
		w.values.set("s", "1")
		w.start()
		w.after(time.Second)
		at(false, true)
		w.loop.Reload()
		w.after(time.Second)
		d.refuse(2)
		w.values.set("s", "2")
		w.loop.Refresh()
		w.after(time.Second / 2)
		at(true, false)
		w.stop()
		w.start()
		w.after(time.Hour)
		if last := d.saw[len(d.saw)-1]; last != "2" || d.count() != 2 {
			t.Errorf("told %d times, last of %q", d.count(), last)
		}
	})
}

// A damaged record means that everything is owed, also where its service has another name by now,
// or has given the file to another that may be looked at after the record was put right.
func TestDamagedRecordOfAFormerServiceLosesNone(t *testing.T) {
	for _, goes := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "d", fails: 1 << 30, reads: []string{w.path("f")}}
			w.service("a", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
			w.values.set("s", "1")
			w.start()
			w.after(time.Second)
			w.stop()
			w.write("state/"+ledger.Name, "{")
			w.plan.Services = nil
			if goes {
				w.service("a", "@daily", []*dependent{{name: "other"}}, "g", `{{ secret "s" }}`)
			}
			w.service("b", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
			d.refuse(0)
			w.start()
			w.after(time.Minute)
			if d.count() != 1 || d.saw[0] != "1" {
				t.Errorf("the other goes on: %v: told %d times, of %q", goes, d.count(), d.saw)
			}
			w.stop()
			w.start()
			w.after(time.Minute)
			if d.count() != 1 {
				t.Errorf("the other goes on: %v: told %d times in the end", goes, d.count())
			}
		})
	}
}

// What a service left beside its files when it was killed is taken away by the service that has
// them now: it may have another name, and have had no record yet.
func TestTemporariesOfAFormerNameAreSwept(t *testing.T) {
	for _, moved := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.values.set("s", "1")
			if moved {
				w.service("old", "@daily", nil, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
				w.start()
				w.stop()
			}
			state, err := pass.OpenStateDir(t.Context(), disk.Host, w.path("state"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := state.Swap.Compare([]swap.Target{{Path: w.path("f"), Content: []byte("2"), UID: -1, GID: -1, Mode: 0o600}})
			if err := errors.Join(err, s.Stage(), state.Close()); err != nil {
				t.Fatal(err)
			}
			w.plan.Services = nil
			if moved {
				w.service("old", "@daily", nil, "g", `{{ secret "s" }}`)
			}
			w.service("new", "@daily", nil, "f", `{{ secret "s" }}`)
			w.start()
			w.after(time.Minute)
			if left, _ := filepath.Glob(w.path(".rendered-*")); len(left) > 0 {
				t.Errorf("moved: %v: left are %v", moved, left)
			}
		})
	}
}

// A swap that was cut short is finished without AWS also where one of its files has moved to
// another service, whichever of the two is sooner.
func TestMovedFileIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		e := &dependent{name: "e", reads: []string{w.path("g")}}
		halfNew(t, w, d)
		w.plan.Services = nil
		w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.start() // it may sweep before the other service comes to it
		w.after(time.Second)
		w.service("b", "@every 1m", []*dependent{e}, "g", `{{ secret "s" }}`)
		w.loop.Reload()
		w.after(time.Second)
		w.want("g", "new")
		if e.count() != 1 || e.saw[0] != "new" {
			t.Errorf("told %d times, of %q", e.count(), e.saw)
		}
	})
}

// That a record was damaged, and so what was to be renamed is lost, is not forgotten when the
// record is written anew: nobody is told of files that may not match, before they were looked at,
// after the next crash either.
func TestLostSwapIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", fails: 1 << 30, reads: []string{w.path("f"), w.path("g")}}
		files := []string{"f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`}
		w.service("site", "@every 1m", []*dependent{d}, files...)
		w.values.set("s", "one")
		w.start()
		w.after(time.Second)
		w.stop()
		d.refuse(0)
		w.plan.Services = nil
		w.service("www", "@every 1m", []*dependent{d}, files...)
		w.write("state/"+ledger.Name, "{")
		w.write("f", "two")
		w.values.set("s", "two")
		w.values.refuse("s", sources.Unavailable)
		for range 3 {
			w.start()
			w.after(10 * time.Minute)
			if d.count() != 0 {
				t.Fatalf("told of %q", d.saw)
			}
			w.stop()
		}
		w.values.refuse("s", "")
		w.start()
		w.after(10 * time.Minute)
		if d.count() != 1 || d.saw[0] != "two|two" || owes(t, w) {
			t.Errorf("told %d times, of %q; %+v", d.count(), d.saw, recorded(t, w))
		}
	})
}
