package watch

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/render/disk"
	"github.com/rendered/rendered/render/disk/faulty"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// Who moves a file, and the dependent that is owed a notice for it, from one service to another that both go on, has it told: once, whether
// the daemon is restarted or not, and though the first service gets another dependent in its place.
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
			// What was new to b is its own now: that its first owner has a record tells it nothing any more.
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

// A crash may come between the two records of a service that gets another name, or bring the older one back. Who goes back to the former name
// has its dependents told what became owed under the other one all the same, and the record that is nobody's goes.
func TestRecordThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", reads: []string{w.path("f")}}
		use := func(name string) {
			w.plan.Services = nil
			w.service(name, "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		}
		use("one")
		w.values.set("s", "1")
		w.start()
		w.after(time.Second)
		before, err := os.ReadFile(w.path("state/ledger/one.json"))
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		use("two")
		w.start()
		d.refuse(1 << 30)
		w.values.set("s", "2")
		w.loop.Refresh()
		w.after(time.Second)
		w.stop()
		w.write("state/ledger/one.json", string(before))
		use("one")
		d.refuse(0)
		w.start()
		w.after(time.Minute)
		if _, _, saw, _ := d.so(); strings.Join(saw, " ") != "1 2" {
			t.Errorf("told of %q, want 1 and 2", saw)
		}
		if _, err := os.Stat(w.path("state/ledger/two.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the other record: %v", err)
		}
	})
}

// A damaged record means that everything is owed, also where its service has another name by now, or has given the file to another that may be
// looked at after the record was put right.
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
			w.write("state/ledger/a.json", "{")
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

// What a former name has on record of a swap may be long out of date. A pass that finds everything as it should be is the last to look at it.
func TestOutdatedSwapOfAFormerNameIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.values.set("s", "1")
		d := &dependent{name: "d"}
		w.service("old", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.start()
		w.after(time.Second)
		w.stop()
		r := recorded(t, w, "old")
		r.Swaps = []swap.Rename{{Temp: w.path(".rendered-gone"), Path: w.path("f"), Digest: "of another content"}}
		data, _ := json.Marshal(r)
		w.write("state/ledger/old.json", string(data))
		var steps atomic.Int64
		w.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Mutates() {
				steps.Add(1)
			}
			return nil
		})
		w.plan.Services = nil
		w.service("new", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.start()
		w.after(time.Minute)
		before := steps.Load()
		w.loop.Refresh()
		w.after(time.Minute)
		if n := steps.Load() - before; n != 0 || before == 0 {
			t.Errorf("%d steps, and %d in a pass that finds nothing to do", before, n)
		}
	})
}

// What a service left beside its files when it was killed is taken away by the service that has them now: it may have another name, and
// have had no record yet.
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
			ledger, err := OpenLedger(t.Context(), disk.Host, w.path("state"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := ledger.Compare("old", []swap.Target{{Path: w.path("f"), Content: []byte("2"), UID: -1, GID: -1, Mode: 0o600}})
			if err := errors.Join(err, s.Stage(), ledger.Close()); err != nil {
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

// A swap that was cut short is finished without AWS also where one of its files has moved to another service, whichever of the two is sooner.
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

// A service whose own record is damaged finishes what another has on record of a file that came to it, as far as that is known.
func TestMovedFileIsFinishedBesideADamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		halfNew(t, w, d)
		w.plan.Services = nil
		w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.service("b", "@every 1m", []*dependent{{name: "e"}}, "g", `{{ secret "s" }}`)
		w.write("state/ledger/b.json", "{")
		w.start()
		w.after(time.Minute)
		w.want("g", "new")
	})
}

// A record that cannot be read holds up its own service and no other, not even one that may have taken a file over from it.
func TestUnreadableRecordHoldsUpItsOwnService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := &dependent{name: "a"}, &dependent{name: "b", reads: []string{w.path("g")}}
		w.service("a", "@every 1m", []*dependent{a}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.stop()
		w.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Op == "read" && filepath.Base(s.Path) == "a.json" {
				return unix.EIO
			}
			return nil
		})
		w.service("b", "@every 1m", []*dependent{b}, "g", `{{ secret "s" }}`)
		w.values.set("s", "2")
		w.start()
		w.after(time.Hour)
		w.want("f", "1")
		w.want("g", "2")
		if b.count() != 1 || b.saw[0] != "2" {
			t.Errorf("told %d times, of %q", b.count(), b.saw)
		}
	})
}

// What a service may have left beside a file that it has no more holds up nothing where it cannot be reached: it is said, and where somebody
// has decided that we see it no more, only once.
func TestFormerDirectoryCannotBeReached(t *testing.T) {
	for reason, again := range map[unix.Errno]bool{unix.EACCES: false, unix.EIO: true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var closed atomic.Bool
			w.system = faulty.System(disk.Host, func(s faulty.Step) error {
				if closed.Load() && s.Op == "open" && s.Path == w.path("a") {
					return reason
				}
				return nil
			})
			w.values.set("s", "1")
			for _, dir := range []string{"a", "b"} {
				if err := os.Mkdir(w.path(dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			d := &dependent{name: "app", fails: 1 << 30} // what is owed keeps the swap on record
			w.service("app", "@every 1m", []*dependent{d}, "a/x", `{{ secret "s" }}`)
			w.start()
			w.after(time.Second)
			w.stop()
			closed.Store(true)
			d.refuse(0)
			w.plan.Services = nil
			w.service("app", "@every 1m", []*dependent{d}, "b/x", `{{ secret "s" }}`)
			w.values.set("s", "2")
			w.start()
			w.after(10 * time.Minute)
			w.want("b/x", "2")
			if last := d.saw; d.count() == 0 {
				t.Errorf("%v: never told: %q", reason, last)
			}
			if n := w.logged("WARN", "it has no more", reason.Error()); n != 1 {
				t.Errorf("%v: warned %d times:\n%s", reason, n, w.log.String())
			}
			if healed := strings.Contains(w.log.String(), "up to date again"); healed == again {
				t.Errorf("%v: up to date again: %v", reason, healed)
			}
			closed.Store(false)
			w.after(10 * time.Minute)
			if !strings.Contains(w.log.String(), "up to date again") {
				t.Errorf("%v: never up to date again:\n%s", reason, w.log.String())
			}
		})
	}
}

// Of two records about a file the one of who took it over is the newer, whether its service has that name now or had it: the other could
// only not be taken away before a crash.
func TestNewerRecordOfAFileCounts(t *testing.T) {
	for name, c := range map[string]struct{ own, other uint64 }{"taken over": {1, 0}, "renamed back": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.service("www", "@daily", nil, "f", "x", "g", "x")
			ledger, err := OpenLedger(t.Context(), disk.Host, w.path("state"))
			if err != nil {
				t.Fatal(err)
			}
			defer ledger.Close()
			ledger.keep(w.plan.Services)
			list := func(mark string) (swaps []swap.Rename) {
				for _, path := range []string{w.path("f"), w.path("g")} {
					swaps = append(swaps, swap.Rename{Temp: path + mark, Path: path, Digest: mark})
				}
				return swaps
			}
			paths := []string{w.path("f"), w.path("g")}
			if err := ledger.save(record{Version: ledgerVersion, Service: "site", Paths: paths, Swaps: list("site"), Serial: c.other}); err != nil {
				t.Fatal(err)
			}
			k := newKeeper(ledger, rand.New(rand.NewPCG(1, 2)), time.Now)
			k.service, k.known = w.plan.Services[0], true
			k.rec = record{Version: ledgerVersion, Service: "www", Paths: paths, Swaps: list("www"), Serial: c.own, Notices: make(map[string]notice)}
			if err := k.succeed(); err != nil {
				t.Fatal(err)
			}
			want := "www"
			if c.other > c.own {
				want = "site"
			}
			if len(k.rec.Swaps) != 2 || k.rec.Swaps[0].Digest != want || k.rec.Swaps[1].Digest != want || k.rec.Serial <= c.other {
				t.Errorf("%+v, serial %d; want those of %s", k.rec.Swaps, k.rec.Serial, want)
			}
		})
	}
}

// That a record was damaged, and so what was to be renamed is lost, is not forgotten when the record is written anew: nobody is told of
// files that may not match, before they were looked at, after the next crash either.
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
		w.write("state/ledger/www.json", "{")
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
		if d.count() != 1 || d.saw[0] != "two|two" || recorded(t, w, "www").Half {
			t.Errorf("told %d times, of %q; %+v", d.count(), d.saw, recorded(t, w, "www"))
		}
	})
}
