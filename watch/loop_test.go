package watch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

func TestChangeReachesFileAndDependentInOnePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.want("f", "one")
		w.values.set("s", "two")
		w.after(time.Second)
		w.want("f", "two")
		if !slices.Equal(d.saw, []string{"one", "two"}) {
			t.Errorf("the dependent saw %q", d.saw)
		}
		before, _ := os.Stat(w.path("f"))
		asked := w.values.lookups("s")
		w.after(10 * time.Second)
		after, _ := os.Stat(w.path("f"))
		if !os.SameFile(before, after) || d.count() != 2 {
			t.Errorf("ten passes without a change wrote or told (%d)", d.count())
		}
		if n := w.values.lookups("s") - asked; n != 10 {
			t.Errorf("%d lookups in ten passes", n)
		}
	})
}

func TestNothingIsAskedBetweenPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("a", "@every 10m", nil, "a", `{{ param "/x" }}{{ param (param "/y") }}`)
		w.service("b", "@every 10m", nil, "b", `{{ param "/x" }}`)
		w.values.set("/x", "X")
		w.values.set("/y", "/z")
		w.values.set("/z", "Z")
		w.start()
		w.want("a", "XZ")
		if w.values.count() != 2 || w.values.lookups("/x") != 1 {
			t.Errorf("first pass: %d calls, /x asked %d times", w.values.count(), w.values.lookups("/x"))
		}
		w.after(9 * time.Minute)
		if w.values.count() > 3 { // the beat may fall into these minutes once
			t.Errorf("%d calls between passes", w.values.count())
		}
		before := w.values.count()
		w.after(10 * time.Minute)
		if n := w.values.count() - before; n != 1 {
			t.Errorf("a later pass makes %d calls; the dynamic ref belongs into the one batch", n)
		}
	})
}

func TestFailedNoticeIsRetriedWhileOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bad, good, other := &dependent{name: "bad", fails: 3}, &dependent{name: "good"}, &dependent{name: "other"}
		w.service("a", "@every 1h", []*dependent{bad, good}, "f", `{{ secret "s" }}`)
		w.service("b", "@every 1s", []*dependent{other}, "g", `{{ secret "t" }}`)
		w.values.set("s", "1")
		w.values.set("t", "1")
		w.start()
		if good.count() != 1 || bad.count() != 0 {
			t.Errorf("good %d, bad %d", good.count(), bad.count())
		}
		lookups := w.values.lookups("s")
		w.values.set("t", "2")
		w.after(10 * time.Second) // 1 s + 2 s + 4 s
		if bad.count() != 1 || bad.tried != 4 || good.count() != 1 || other.count() != 2 {
			t.Errorf("bad told %d of %d tries, good %d, other %d", bad.count(), bad.tried, good.count(), other.count())
		}
		if w.values.lookups("s") != lookups {
			t.Error("telling again looked up again")
		}
		w.after(30 * time.Minute)
		if bad.count() != 1 {
			t.Errorf("told %d times", bad.count())
		}
		if n := w.logged("not told", "bad"); n != 1 {
			t.Errorf("%d warnings for one cause", n)
		}
	})
}

func TestRestartTellsWhatIsOwedWithoutAWS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", pause: -1, reads: []string{w.path("f")}}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.want("f", "1")
		w.stop() // while the dependent hangs
		d.refuse(0)
		w.values.refuse("s", sources.Unavailable)
		w.start()
		if d.count() != 1 || d.saw[0] != "1" {
			t.Errorf("told %d times, saw %q", d.count(), d.saw)
		}
		w.stop()
		w.start()
		if d.count() != 1 {
			t.Error("told again without cause")
		}
	})
}

func TestTroubleOfOneServiceLeavesOthersAlone(t *testing.T) {
	for _, reason := range []sources.Reason{sources.Missing, sources.Deleted, sources.Denied, sources.Throttled, sources.Unavailable} {
		t.Run(string(reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				d := &dependent{name: "app"}
				w.service("bad", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ param "/p" }}`)
				w.service("good", "@every 1m", nil, "h", `{{ param "/p" }}`)
				w.values.set("s", "1")
				w.values.set("/p", "1")
				w.start()
				w.values.refuse("s", reason)
				w.values.set("/p", "2")
				w.after(10 * time.Minute)
				w.want("f", "1")
				w.want("g", "1")
				w.want("h", "2")
				if n := w.logged("level=WARN", "service=bad", "file="+w.path("f"), `ref="secret s"`, "hint=\"the remedy"); n != 1 {
					t.Errorf("%d warnings; want one that names service, file, ref and remedy:\n%s", n, w.log.String())
				}
				w.values.refuse("s", "")
				w.values.set("s", "2")
				w.after(time.Minute)
				w.want("f", "2")
				w.want("g", "2")
				if d.count() != 2 {
					t.Errorf("told %d times", d.count())
				}
			})
		})
	}
}

// A lookup that hangs holds up only the services that need it.
func TestHangingLookupDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("bad", "@every 1s", nil, "f", `{{ secret "s" }}`)
		w.service("good", "@every 1s", nil, "g", `{{ param "/p" }}`)
		w.values.pause["s"] = -1
		w.values.set("/p", "1")
		w.start()
		w.want("g", "1")
		w.values.set("/p", "2")
		w.after(time.Second)
		w.want("g", "2")
		begun := time.Now()
		w.stop()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

// Nor does a notice that takes long.
func TestSlowNoticeDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "other"}
		w.service("slow", "@every 1s", []*dependent{{name: "slow", pause: -1}}, "f", `{{ param "/p" }}`)
		w.service("other", "@every 1s", []*dependent{d}, "g", `{{ param "/p" }}`)
		w.values.set("/p", "1")
		w.start()
		w.values.set("/p", "2")
		w.after(time.Second)
		w.want("f", "1")
		w.want("g", "2")
		if d.count() != 2 {
			t.Errorf("told %d times", d.count())
		}
	})
}

func TestHangingNoticeDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("a", "@every 1s", []*dependent{{name: "hangs", pause: -1}}, "f", "x")
		w.start()
		begun := time.Now()
		w.stop()
		if took := time.Since(begun); took > time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

// Where a service is written to at certain times only, nothing is written before one comes, and what
// is then the wish is written.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		open := time.Now()
		s := w.service("app", "@every 10s", []*dependent{d}, "f", `{{ secret "s" }}`)
		s.Hold = func(from time.Time) time.Time {
			if from.Before(open) {
				return open
			}
			return from
		}
		w.values.set("s", "0")
		w.start()
		w.want("f", "0")
		open = time.Now().Add(time.Hour + 3*time.Second)
		w.values.set("s", "1")
		w.after(30 * time.Minute)
		w.want("f", "0")
		status, err := w.loop.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st := status.Services[0]; st.State() != Held || st.Held.Until != open || st.Failure != "" {
			t.Errorf("%+v", st)
		}
		w.values.set("s", "2")
		w.after(30 * time.Minute)
		w.want("f", "0")
		w.after(4 * time.Second)
		w.want("f", "2")
		if !slices.Equal(d.saw, []string{"0", "2"}) {
			t.Errorf("saw %q", d.saw)
		}
	})
}

func TestMinIntervalDelaysAndNeverDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" }}`).MinInterval = time.Minute
		w.values.set("s", "0")
		w.start()
		for _, text := range strings.Split("1 2 3 4 5 6 7 8 9", " ") {
			w.values.set("s", text)
			w.after(3 * time.Second)
			w.want("f", text)
		}
		if d.count() != 1 {
			t.Errorf("told %d times within the interval", d.count())
		}
		w.after(time.Minute)
		if !slices.Equal(d.saw, []string{"0", "9"}) || d.at[1].Sub(d.at[0]) < time.Minute {
			t.Errorf("saw %q at %v", d.saw, d.at)
		}
	})
}

// Back to the old content before the dependent could be told: it may have read the one between.
func TestChangeAndChangeBackIsStillOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		d.refuse(1)
		w.values.set("s", "B")
		w.after(time.Second)
		w.values.set("s", "A")
		w.after(10 * time.Second)
		if d.count() < 2 {
			t.Errorf("told %d times", d.count())
		}
		w.want("f", "A")
	})
}

func TestDriftIsRepairedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app"}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		if err := os.WriteFile(w.path("f"), []byte("by hand"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.after(time.Second)
		w.want("f", "A")
		if d.count() != 2 {
			t.Errorf("told %d times", d.count())
		}
	})
}

func TestBrokenConfigLeavesTheOldOneInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1s", nil, "f", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		good := w.load
		w.load = func() (*Plan, error) {
			return nil, fault.List{{Place: fault.Place{File: "rendered.yaml", Line: 3, Column: 5}, What: `unknown key "x"`}}
		}
		for range 3 {
			w.loop.Reload()
			synctest.Wait()
		}
		w.after(10 * time.Minute) // it is tried again, without a word
		if n := w.logged("level=ERROR", "rendered.yaml:3:5"); n != 3 {
			t.Errorf("%d errors, want one for each time somebody asked", n)
		}
		w.values.set("s", "B")
		w.after(time.Second)
		w.want("f", "B")
		w.plan = &Plan{Source: w.values, Settle: w.plan.Settle}
		w.service("new", "@every 1s", nil, "g", "x")
		w.load = good
		w.loop.Refresh()         // it looks at its services, not at the config
		w.after(5 * time.Minute) // what was wrong may have been elsewhere: nobody has to ask
		w.want("g", "x")
		if w.logged("config usable again") != 1 {
			t.Errorf("not said:\n%s", &w.log)
		}
		w.values.set("s", "C")
		w.after(2 * time.Second)
		w.want("f", "B")
	})
}

func TestRefreshLooksAtEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 24h", nil, "f", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		w.values.set("s", "B")
		w.loop.Refresh()
		synctest.Wait()
		w.want("f", "B")
	})
}

func TestQuietHourWritesNothingToTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1m", []*dependent{{name: "d"}}, "f", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		w.log.Reset()
		w.after(time.Hour)
		for line := range strings.Lines(w.log.String()) {
			if !strings.Contains(line, "level=DEBUG") {
				t.Error(line)
			}
		}
	})
}

// Values stand in the files and nowhere else.
func TestCanaryStandsInFilesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const canary = "canary-5QwX"
		w := newWorld(t)
		d := &dependent{name: "app", fails: 2}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" "k" }}`)
		w.service("bad", "@every 1s", nil, "g", `{{ secret "s" "none" }}`)
		w.service("worse", "@every 1s", nil, "h", `{{ $s := "" }}{{ if true }}{{ $s = secret "s" }}{{ end }}{{ range $s }}{{ end }}`)
		w.values.set("s", `{"k":"`+canary+`"}`)
		w.start()
		w.after(10 * time.Second)
		w.want("f", canary)
		if strings.Contains(w.log.String(), canary) {
			t.Errorf("in the log:\n%s", w.log.String())
		}
		if r := recorded(t, w); strings.Contains(r, canary) {
			t.Errorf("in the ledger: %s", r)
		}
	})
}

// Where the ledger is damaged nobody knows whether a swap was cut short: everybody is told, but not
// before the files are known to match.
func TestDamagedLedgerCostsANoticeAndLosesNone(t *testing.T) {
	for _, damage := range []string{"", "{", `{"version":2}`, strings.Repeat("x", 100), "00000000 00000000 {}\n"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := &dependent{name: "app", reads: []string{w.path("f"), w.path("g")}}
			w.service("app", "@every 1m", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
			w.values.set("s", "one")
			w.start()
			w.stop()
			if err := os.WriteFile(w.path("state/"+ledger.Name), []byte(damage), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(w.path("g"), []byte("half new"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.values.refuse("s", sources.Unavailable)
			w.start()
			w.after(10 * time.Minute)
			if d.count() != 1 {
				t.Errorf("%q: told %d times while the files do not match", damage, d.count()-1)
			}
			w.values.refuse("s", "")
			w.after(10 * time.Minute)
			if d.count() != 2 || d.saw[1] != "one|one" {
				t.Errorf("%q: it was told %d times and saw %q", damage, d.count()-1, d.saw)
			}
		})
	}
}

// A commit whose last fsync failed has renamed every file: there is nothing to wait for.
func TestFinishedSwapIsToldWithoutAWS(t *testing.T) {
	w := newWorld(t)
	d := &dependent{name: "app"}
	s := w.service("app", "@every 1m", []*dependent{d}, "f", "new")
	state, err := pass.OpenStateDir(context.Background(), disk.Host, w.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	w.plan.Services[0].Files = append(w.plan.Services[0].Files, w.file("g", `{{ secret "none" }}`))
	r := newRound(w.plan, w.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false)
	swaps := []swap.Rename{{Temp: w.path(".gone"), Path: w.path("f"), Digest: state.Swap.Key.Digest(w.path("f"), []byte("new"))}}
	if err := state.Ledger.Begin(swaps, s.Paths(), ledger.Event{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path("f"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.pass(t.Context(), sources.NewSnapshot(w.values, 0)); d.count() != 1 {
		t.Errorf("told %d times", d.count())
	}
}

// The loop says that it is idle once after its passes, and not where the next one is near.
func TestIdleIsSaidOnceAfterPasses(t *testing.T) {
	for schedule, want := range map[string]int{"CRON_TZ=UTC @hourly": 3, "@every 2s": 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for _, name := range []string{"a", "b", "c"} {
				w.service(name, schedule, nil, name, `{{ secret "s" }}`)
			}
			w.values.set("s", "s")
			w.start()
			if w.after(10 * time.Minute); want > 0 {
				w.after(2*time.Hour + 20*time.Minute)
			}
			w.stop()
			if w.idle != want {
				t.Errorf("%s: idle %d times, want %d", schedule, w.idle, want)
			}
		})
	}
}

func TestOnceReportsProgressOfALongPass(t *testing.T) {
	for pause, want := range map[time.Duration]string{0: "[]", 1300 * time.Millisecond: "[1/2 1/2]"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.service("app", "@hourly", nil, "f", `{{ secret "s" }}{{ secret "slow" }}`)
			w.values.set("s", "s")
			w.values.set("slow", "slow")
			w.values.pause["slow"] = pause
			state, err := pass.OpenStateDir(t.Context(), disk.Host, w.path("state"))
			if err != nil {
				t.Fatal(err)
			}
			defer state.Close()
			seen := []string{}
			Once(t.Context(), w.plan, w.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false, func(answered, asked int) {
				seen = append(seen, fmt.Sprintf("%d/%d", answered, asked))
			})
			synctest.Wait()
			if fmt.Sprint(seen) != want {
				t.Errorf("after %v: %v, want %s", pause, seen, want)
			}
		})
	}
}

// A daemon that ends while a service waits for its turn to swap says so in words, and changes
// nothing.
func TestStoppedBeforeTheSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", reads: []string{w.path("f")}}
		w.service("app", "@every 1s", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "old")
		w.start()
		d.pause = -1
		w.values.set("s", "told of")
		w.after(2 * time.Second)
		w.values.set("s", "new")
		w.after(2 * time.Second)
		w.stop()
		w.want("f", "told of")
		if w.logged(`err="stopped before its files could be swapped; no file written"`) != 1 {
			t.Errorf("said:\n%s", &w.log)
		}
	})
}
