package watch

import (
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/tell"
)

// Dependents of a service are told one after the other, in the order of the config.
func TestDependentsAreToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		z, a, m := &dependent{name: "z", pause: 3 * time.Second}, &dependent{name: "a", pause: time.Second}, &dependent{name: "m"}
		w.service("app", "@every 1m", []*dependent{z, a, m}, "f", `{{ secret "s" }}`)
		for i, text := range []string{"1", "2", "3"} {
			w.values.set("s", text)
			if i != 1 {
				w.start() // a new process keeps the order, too
			}
			w.after(time.Minute + 10*time.Second)
			if z.count() != i+1 || a.count() != i+1 || m.count() != i+1 {
				t.Fatalf("round %d: told %d, %d and %d times", i, z.count(), a.count(), m.count())
			}
			_, zTold, _, _ := z.so()
			aTried, aTold, _, _ := a.so()
			mTried, _, _, _ := m.so()
			if aTried[i].Before(zTold[i]) || mTried[i].Before(aTold[i]) {
				t.Errorf("round %d: z acknowledged %v, a was asked %v and acknowledged %v, m was asked %v", i, zTold[i], aTried[i], aTold[i], mTried[i])
			}
			if i == 1 {
				w.stop()
			}
		}
	})
}

// However many changes a dependent missed, it is told once, of all files that changed since it was
// told last and of no other.
func TestNoticesAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		deaf := &dependent{name: "deaf", reads: []string{w.path("f"), w.path("g"), w.path("h")}}
		hears := &dependent{name: "hears"}
		w.service("app", "@every 10s", []*dependent{deaf, hears}, "g", `{{ secret "g" }}`, "f", `{{ secret "f" }}`, "h", `{{ secret "h" }}`)
		for _, name := range []string{"f", "g", "h"} {
			w.values.set(name, name+"0")
		}
		w.start()
		deaf.refuse(math.MaxInt)
		for _, change := range []string{"g1", "f1", "g2"} {
			w.values.set(change[:1], change)
			w.after(10 * time.Second)
		}
		deaf.refuse(0)
		w.after(10 * time.Minute)
		_, _, saw, missed := deaf.so()
		_, _, _, heard := hears.so()
		f, g, h := w.path("f"), w.path("g"), w.path("h")
		if diff := cmp.Diff([][]string{{f, g, h}, {f, g}}, missed); diff != "" {
			t.Errorf("one that did not hear (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]string{{f, g, h}, {g}, {f}, {g}}, heard); diff != "" {
			t.Errorf("one that did (-want +got):\n%s", diff)
		}
		if saw[1] != "f1|g2|h0" {
			t.Errorf("it saw %q", saw)
		}
	})
}

// Telling goes on while a lookup of the service hangs, at its own times.
func TestOwedNoticeDoesNotWaitForAHangingLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}, fails: 8}
		other := &dependent{name: "other"}
		w.service("app", "@every 1m", []*dependent{d, other}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.values.mu.Lock()
		w.values.pause["s"] = -1
		w.values.mu.Unlock()
		w.after(time.Minute) // a pass begins and hangs
		if tries, told, _, _ := d.so(); len(tries) < 6 || len(told) != 0 {
			t.Fatalf("tried %d times in a minute, told %d", len(tries), len(told))
		}
		w.after(4 * time.Minute) // the rest of 1 s + 2 s + … + 128 s
		if tries, told, saw, _ := d.so(); len(told) != 1 || saw[0] != "1" || other.count() != 1 {
			t.Errorf("told %d times, tried %v; the other %d", len(told), tries, other.count())
		}
		w.after(time.Hour)
		if d.count() != 1 || other.count() != 1 {
			t.Errorf("told %d times without a change, the other %d", d.count(), other.count())
		}
	})
}

// A dependent that never acknowledges is tried for ever, after pauses that double up to five
// minutes, less what chance takes off.
func TestFailingDependentIsTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d, e := &dependent{name: "d", fails: math.MaxInt}, &dependent{name: "e", fails: math.MaxInt}
		w.service("a", "@every 1h", []*dependent{d}, "f", "x")
		w.service("b", "@every 1h", []*dependent{e}, "g", "x")
		w.start()
		w.after(48 * time.Hour)
		dTries, _, _, _ := d.so()
		eTries, _, _, _ := e.so()
		same := 0
		for i := range min(len(dTries), len(eTries)) {
			if i > 0 && dTries[i].Equal(eTries[i]) {
				same++
			}
		}
		if same > 0 {
			t.Errorf("two that failed together came back together %d times", same)
		}
		for i := 1; i < len(dTries); i++ {
			most := min(time.Second<<min(i-1, 20), 5*time.Minute)
			if gap := dTries[i].Sub(dTries[i-1]); gap < most*4/5 || gap > most {
				t.Errorf("try %d came after %v, want up to %v", i, gap, most)
			}
		}
		if n := len(dTries); n < 48*12 {
			t.Errorf("%d tries in 48 h", n)
		}
		if w.logged("level=WARN", "notice=d") != 1 {
			t.Errorf("not one warning:\n%s", w.log.String())
		}
		d.refuse(0)
		w.after(5 * time.Minute)
		if d.count() != 1 {
			t.Errorf("told %d times", d.count())
		}
	})
}

// What a command that fails prints is said with each new failure, and not with each try; what one
// that succeeds prints always is.
func TestOutputOfAFailureIsSaidOnce(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l := &Loop{Options: Options{Log: log}, plan: new(Plan)}
	for _, try := range []struct {
		err   error
		again bool
		want  string // level of the output
	}{
		{errRefused, false, "INFO"}, {errRefused, true, "DEBUG"}, {nil, false, "INFO"},
	} {
		said.Reset()
		l.logNotice(tell.Notice{Dependent: "d", Said: notify.Output{Text: []byte("printed"), Own: true}, Err: try.err, Again: try.again, Took: 1234567})
		if got := said.String(); !strings.Contains(got, "level="+try.want+` msg=output service=[] notice=d text=printed`) {
			t.Errorf("%v: want %s:\n%s", try.err, try.want, got)
		}
		if try.err == nil && !strings.Contains(said.String(), "took=1ms") {
			t.Error(said.String())
		}
	}
}
