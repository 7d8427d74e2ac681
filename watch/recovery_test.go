package watch

import (
	"context"
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

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// recorded gives what is on record on disk.
func recorded(t *testing.T, w *world) string {
	data, err := os.ReadFile(w.path("state/" + ledger.Name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// owes tells whether there is a file on record of which something is to be done.
func owes(t *testing.T, w *world) bool { return strings.Contains(recorded(t, w), "path") }

// write puts a text into a file of the world.
func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// A clock that was ahead when a dependent was told holds up the next notice for no longer than the
// interval.
func TestToldInTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		w.service("app", "@every 10s", []*dependent{d}, "f", `{{ secret "s" }}`).MinInterval = time.Minute
		w.values.set("s", "0")
		w.start()
		w.stop()
		state, err := pass.OpenStateDir(t.Context(), disk.Host, w.path("state"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(state.Ledger.Acknowledge("app", nil, ledger.Event{At: time.Now().Add(24 * time.Hour)}), state.Close()); err != nil {
			t.Fatal(err)
		}
		w.start()
		w.values.set("s", "1")
		w.after(6 * time.Hour)
		w.want("f", "1")
		if d.count() != 2 {
			t.Errorf("6 h later, interval 1m: told %d times", d.count())
		}
	})
}

// A dependent that takes the place of another inherits what that one was owed: who follows the hint
// of an error is told.
func TestReplacedDependentInherits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "reload nginx.service", fails: 1 << 30}
		w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "0")
		w.start()
		w.after(time.Minute)
		e := &dependent{name: "restart nginx.service"}
		w.plan.Services = nil
		w.service("app", "@every 1m", []*dependent{e}, "f", `{{ secret "s" }}`).Fingerprint = "new"
		w.loop.Reload()
		w.after(time.Hour)
		if e.count() == 0 {
			t.Errorf("never told; owed stays in the record for nobody: %+v", recorded(t, w))
		}
	})
}

// A dependent that comes back after another stood in its place inherits what that one was owed.
func TestDependentThatComesBackInherits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		reload, restart := &dependent{name: "reload app"}, &dependent{name: "restart app", fails: 1 << 30}
		use := func(d *dependent) {
			w.plan.Services = nil
			w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`).Fingerprint = d.name
		}
		use(reload)
		w.values.set("s", "0")
		w.start()
		use(restart)
		w.loop.Reload()
		w.values.set("s", "1")
		w.after(time.Hour)
		use(reload)
		w.loop.Reload()
		w.after(time.Hour)
		if reload.count() != 2 || owes(t, w) {
			t.Errorf("told %d times, want 2; on record: %+v", reload.count(), recorded(t, w))
		}
	})
}

// An acknowledgement that could not be recorded is recorded as soon as that can be, whether or not
// anything else changes.
func TestAcknowledgementIsRecordedLater(t *testing.T) {
	tr := newTrial(t, hostDrive{})
	tr.next()
	if err := tr.once(disk.Host); err != nil {
		t.Fatal(err)
	}
	var full atomic.Bool
	synctest.Test(t, func(t *testing.T) {
		tr.t = t
		state, err := pass.OpenStateDir(context.Background(), faulty.System(disk.Host, func(s faulty.Step) error {
			if full.Load() && s.Op == "create" && filepath.Base(s.Path) == "."+ledger.Name+".new" {
				return unix.ENOSPC
			}
			return nil
		}), tr.path("state"))
		if err != nil {
			t.Fatal(err)
		}
		defer state.Close()
		r := newRound(tr.plan, tr.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false)
		look := func() error { return r.pass(t.Context(), sources.NewSnapshot(tr.values, 0)).err() }
		tr.next()
		tr.d.pause = time.Second
		go func() {
			<-time.After(time.Second / 2)
			full.Store(true)
		}()
		if err := look(); !errors.Is(err, unix.ENOSPC) || tr.d.count() != 2 {
			t.Fatalf("%v, told %d times", err, tr.d.count())
		}
		full.Store(false)
		if err := look(); err != nil || tr.d.count() != 2 || owes(t, tr.world) {
			t.Errorf("%v, told %d times, still owed: %+v", err, tr.d.count(), recorded(t, tr.world))
		}
	})
}

// Where the record cannot be put right, which holds up an owed notice, that is tried again after a
// pause, and not at once and for ever.
func TestOwedNoticeDoesNotSpinOnABrokenRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", fails: 3}
		w.service("app", "@hourly", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		var full atomic.Bool
		tries := 0
		w.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if full.Load() && s.Op == "create" && filepath.Base(s.Path) == "."+ledger.Name+".new" {
				if tries++; tries > 400 {
					full.Store(false)
					t.Error("tried four hundred times at once")
				}
				return unix.ENOSPC
			}
			return nil
		})
		w.start()
		w.after(2 * time.Second)
		d.refuse(0)
		full.Store(true) // the acknowledgement, and what is tried afterwards
		w.values.set("s", "two")
		w.loop.Refresh()
		w.after(time.Hour)
		full.Store(false)
		w.after(6 * time.Minute)
		if d.count() == 0 || owes(t, w) || tries > 240 { // each is tried without the history, too
			t.Errorf("told %d times after %d tries; on record: %+v", d.count(), tries, recorded(t, w))
		}
	})
}

// That a record was damaged is not forgotten before the files are known to match, however often the
// daemon starts.
func TestDamageOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
		w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.stop()
		w.write("state/"+ledger.Name, "{")
		w.write("g", "half new")
		w.values.refuse("s", sources.Unavailable)
		w.start()
		w.after(time.Minute)
		w.stop()
		w.start()
		w.after(time.Minute)
		if d.count() != 1 {
			t.Errorf("told %q while the files do not match", d.saw)
		}
	})
}

// halfNew leaves a service whose commit was cut short after the first of two renames, with AWS
// away, and gives the temporary that is left.
func halfNew(t *testing.T, w *world, d *dependent) (temp string) { return cutShort(t, w, d, 1)[1].Temp }

// cutShort leaves a service whose commit was cut short after so many of two renames.
func cutShort(t *testing.T, w *world, d *dependent, done int) []swap.Rename {
	s := w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
	w.values.set("s", "old")
	w.start()
	w.stop()
	state, err := pass.OpenStateDir(context.Background(), disk.Host, w.path("state"))
	if err != nil {
		t.Fatal(err)
	}

	w.plan.adopt(state)
	sw, err := state.Swap.Compare([]swap.Target{
		{Path: w.path("f"), Content: []byte("new"), UID: -1, GID: -1, Mode: 0o600},
		{Path: w.path("g"), Content: []byte("new"), UID: -1, GID: -1, Mode: 0o600}})
	if err != nil {
		t.Fatal(err)
	}
	if err := sw.Stage(); err != nil {
		t.Fatal(err)
	}
	swaps := sw.Renames()
	if err := state.Ledger.Begin(swaps, s.Paths(), ledger.Event{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range swaps[:done] {
		if err := os.Rename(r.Temp, r.Path); err != nil {
			t.Fatal(err)
		}
	}
	state.Close()
	w.values.refuse("s", sources.Unavailable)
	return swaps
}

// Somebody cleaned hidden files away: what a crash left cannot be finished without AWS, and nobody
// is told before it is.
func TestLostTemporary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
		os.Remove(halfNew(t, w, d)) // somebody cleaned hidden files
		w.start()
		w.after(time.Minute)
		if d.count() != 1 {
			t.Errorf("told %q while the files do not match", d.saw[1:])
		}
	})
}

// A disk that lost what it had said to be durable leaves a temporary that is not what was staged:
// nobody is told before the files match, and it is taken away.
func TestDamagedTemporary(t *testing.T) {
	for _, content := range []string{"", "ne"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
			temp := halfNew(t, w, d)
			if err := os.WriteFile(temp, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			w.start()
			w.after(time.Minute)
			if d.count() != 1 {
				t.Errorf("told %q while the files do not match", d.saw[1:])
			}
			w.values.refuse("s", "")
			w.after(2 * time.Minute)
			w.want("g", w.content("f"))
			if _, err := os.Lstat(temp); err == nil || d.count() != 2 {
				t.Errorf("told %d times; the temporary: %v", d.count(), err)
			}
		})
	}
}

// A disk that lost what it had said to be durable may have a file old again that somebody was told
// of: who has begun anew with the machine has read that, and is told of the new one.
func TestLostFileIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", reads: []string{w.path("g")}}
		e := &dependent{name: "e", reads: []string{w.path("g")}}
		w.service("app", "@every 1m", []*dependent{d, e}, "g", `{{ secret "s" }}`)
		w.values.set("s", "old")
		w.start()
		w.stop()
		state, err := pass.OpenStateDir(context.Background(), disk.Host, w.path("state"))
		if err != nil {
			t.Fatal(err)
		}
		w.plan.adopt(state)
		sw, err := state.Swap.Compare([]swap.Target{{Path: w.path("g"), Content: []byte("new"), UID: -1, GID: -1, Mode: 0o600}})
		if err != nil {
			t.Fatal(err)
		}
		err = sw.Stage()
		err = errors.Join(err, state.Ledger.Begin(sw.Renames(), []string{w.path("g")}, ledger.Event{}, nil))
		err = errors.Join(err, state.Ledger.Acknowledge("d", state.Ledger.Owed("d", []string{w.path("g")}), ledger.Event{At: time.Now()}))
		if err = errors.Join(err, state.Close()); err != nil {
			t.Fatal(err)
		}
		w.values.refuse("s", sources.Unavailable)
		w.start()
		w.after(time.Minute)
		w.want("g", "new")
		if d.count() != 2 || e.count() != 2 {
			t.Errorf("told %q and %q", d.saw, e.saw)
		}
	})
}

// A swap that was on record, and of which nothing was done, is not begun where it cannot be done
// whole: the old files match.
func TestSwapThatCannotBeDoneWhole(t *testing.T) {
	for lost := range 2 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
			swaps := cutShort(t, w, d, 0)
			os.Remove(swaps[lost].Temp)
			w.start()
			w.after(time.Minute)
			w.want("f", "old")
			w.want("g", "old")
			w.values.set("s", "newer")
			w.values.refuse("s", "")
			w.after(2 * time.Minute)
			w.want("f", "newer")
			w.want("g", "newer")
			if _, err := os.Lstat(swaps[1-lost].Temp); err == nil || d.count() != 2 {
				t.Errorf("told %q; the other temporary: %v", d.saw, err)
			}
		})
	}
}

// Without the key nothing recorded can be compared.
func TestLostKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
		halfNew(t, w, d)
		w.write("state/key", "")
		w.start()
		w.after(time.Minute)
		if d.count() != 1 {
			t.Errorf("told %q while the files do not match", d.saw[1:])
		}
		w.values.refuse("s", "")
		w.after(2 * time.Minute)
	})
}

// A key of another length is a damaged one.
func TestLongKey(t *testing.T) {
	w := newWorld(t)
	os.Mkdir(w.path("state"), 0o700)
	w.write("state/key", strings.Repeat("x", 40))
	if l, err := pass.OpenStateDir(context.Background(), disk.Host, w.path("state")); err != nil {
		t.Error(err)
	} else {
		l.Close()
	}
}

// A passing trouble of the file system delays a notice by seconds, not until the next scheduled
// look.
func TestReminderIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", fails: 3}
		os.Mkdir(w.path("d"), 0o700)
		w.service("app", "@every 24h", []*dependent{d}, "d/f", `{{ secret "s" }}`)
		w.values.set("s", "0")
		w.start() // fails once
		os.Rename(w.path("d"), w.path("e"))
		w.write("d", "") // ENOTDIR stands for EIO, EMFILE, ESTALE
		w.log.Reset()
		w.after(8 * time.Second)
		if w.logged("level=WARN") == 0 {
			t.Errorf("not a word of the trouble: %q", w.log.String())
		}
		os.Remove(w.path("d"))
		os.Rename(w.path("e"), w.path("d"))
		w.after(5 * time.Hour)
		if d.count() != 1 {
			t.Errorf("5 h later: told %d, tried %d", d.count(), d.tried)
		}
	})
}

// What is finished after a crash is said.
func TestRollForwardIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
		halfNew(t, w, d)
		w.log.Reset()
		w.start()
		w.want("g", "new")
		if w.logged("level=INFO", w.path("g")+"\n")+w.logged("level=INFO", "file=") == 0 {
			t.Errorf("no word of the file that was swapped in:\n%s", w.log.String())
		}
	})
}

// An interval that is lowered holds from then on.
func TestLoweredInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		s := w.service("app", "@every 10s", []*dependent{d}, "f", `{{ secret "s" }}`)
		s.MinInterval = 24 * time.Hour
		w.values.set("s", "0")
		w.start()
		w.values.set("s", "1")
		w.after(20 * time.Second)
		s2 := *s
		s2.MinInterval, s2.Fingerprint = time.Minute, "new"
		w.plan.Services = []*Service{&s2}
		w.loop.Reload()
		w.after(10 * time.Hour)
		if d.count() != 2 {
			t.Errorf("told %d times 10 h after min_interval was lowered to 1m", d.count())
		}
	})
}

// At a boot the directory of the files may be empty, as /run is, while the ledger still says what
// is owed. Nobody is told of files that are not there, AWS away or not; when they are written anew
// everybody is, once.
func TestEmptiedAtBoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first, second := &dependent{name: "first"}, &dependent{name: "second", fails: 1 << 30, reads: []string{w.path("run/f")}}
		s := w.service("app", "@every 1m", []*dependent{first, second}, "run/f", `{{ secret "s" }}`)
		s.Files[0].DirMode = 0o700
		w.values.set("s", "one")
		w.start()
		w.after(time.Minute)
		w.stop()
		if err := os.RemoveAll(w.path("run")); err != nil {
			t.Fatal(err)
		}
		second.refuse(0)
		w.values.refuse("s", sources.Unavailable)
		w.start()
		w.after(10 * time.Minute)
		if n := second.count(); n > 0 {
			t.Errorf("told %d times of a file that is not there: %q", n, second.saw)
		}
		w.values.refuse("s", "")
		w.after(10 * time.Minute)
		w.want("run/f", "one")
		if first.count() != 2 || second.count() != 1 || second.saw[0] != "one" {
			t.Errorf("first was told %d times, second %d times, of %q", first.count(), second.count(), second.saw)
		}
	})
}

// A service that gets another name owes what it owed: its files are the same, and so nothing else
// would have anybody told. Who reads other files is not told.
func TestRenamedServiceInherits(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "app", fails: 1 << 30, reads: []string{w.path("f")}}
			other := &dependent{name: "other"}
			w.service("old", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
			w.values.set("s", "one")
			w.start()
			w.after(time.Minute)
			d.refuse(0)
			w.plan.Services = nil
			w.service("new", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
			w.service("another", "@every 1m", []*dependent{other}, "g", `{{ secret "s" }}`)
			w.values.refuse("s", sources.Unavailable)
			if restarted {
				w.stop()
				w.start()
			} else {
				w.loop.Reload()
			}
			w.after(time.Minute)
			if d.count() != 1 || d.saw[0] != "one" || other.count() != 0 {
				t.Errorf("restarted: %v: told %d times, of %q; another service's dependent %d times", restarted, d.count(), d.saw, other.count())
			}
			w.values.refuse("s", "")
			w.after(time.Hour)
			w.stop()
			w.start()
			w.after(time.Hour)
			if d.count() != 1 || other.count() != 1 {
				t.Errorf("restarted: %v: told %d and %d times in the end", restarted, d.count(), other.count())
			}
		})
	}
}

// A service that is taken out of the config and put back is told of nothing, in the process that
// made the ledger's key as well.
func TestServiceThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		s := w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.after(time.Minute)
		w.plan.Services = nil
		w.loop.Reload()
		w.after(time.Minute)
		w.plan.Services = []*Service{s}
		w.loop.Reload()
		w.after(time.Hour)
		if d.count() != 1 {
			t.Errorf("told %d times", d.count())
		}
	})
}

// A service that gets back a name that it had owes what it owed meanwhile, though that name has a
// record of its own; and it owes it once.
func TestServiceRenamedBackInherits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		use := func(name string) {
			w.plan.Services = nil
			w.service(name, "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
			w.loop.Reload()
			w.after(time.Second)
		}
		w.service("one", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		use("two")
		d.refuse(3)
		w.values.set("s", "2")
		w.loop.Refresh()
		w.after(time.Millisecond)
		use("one")
		w.after(time.Minute)
		w.stop()
		w.start()
		use("two")
		w.after(time.Minute)
		if _, _, saw, _ := d.so(); strings.Join(saw, " ") != "1 2" {
			t.Errorf("told of %q, want 1 and 2", saw)
		}
	})
}

// A service that gets another name while a job under the old one is about to change its files owes
// what that job will owe.
func TestServiceRenamedWhileAtWorkInherits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		w.service("before", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.values.set("s", "2")
		w.values.delay("s", 10*time.Second)
		d.refuse(1)
		w.loop.Refresh()
		w.after(5 * time.Second)
		w.plan.Services = nil
		w.service("after", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.loop.Reload()
		w.after(time.Minute)
		if _, _, saw, _ := d.so(); strings.Join(saw, " ") != "1 2" {
			t.Errorf("told of %q, want 1 and 2", saw)
		}
		w.values.set("s", "3")
		w.loop.Refresh()
		w.after(time.Minute)
		w.want("f", "3")
	})
}

// Where somebody changes a file while a notice of it is owed, nobody is told before the file is put
// right; that does not wait for the schedule, or the notice would.
func TestDriftDoesNotHoldUpWhatIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}, fails: 4}
		w.service("app", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.after(5 * time.Second)
		w.write("f", "of somebody else")
		w.after(time.Minute)
		if _, _, saw, _ := d.so(); len(saw) != 1 || saw[0] != "1" {
			t.Errorf("told of %q, want one notice of 1; the file holds %q", saw, w.content("f"))
		}
	})
}

// Where the state directory is taken away while the daemon runs, the files stay, and it is said
// what to do.
func TestLedgerIsTakenAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		if err := os.RemoveAll(w.path("state")); err != nil {
			t.Fatal(err)
		}
		w.values.set("s", "two")
		w.after(time.Hour)
		w.want("f", "one")
		if n := w.logged("level=WARN", "state/.ledger.jsonl.new", "restart rendered, which makes it anew"); n != 1 {
			t.Errorf("warned %d times:\n%s", n, w.log.String())
		}
		w.stop()
		w.start()
		w.want("f", "two")
		if d.count() != 2 {
			t.Errorf("told %d times", d.count())
		}
	})
}
