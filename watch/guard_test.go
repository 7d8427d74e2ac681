package watch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// TestPanicAtEveryStep makes a pass panic at each step, over something that quotes a value: it
// fails, without the value, and what it left is put right by the passes after it.
func TestPanicAtEveryStep(t *testing.T) {
	onDrives(t, []string{"first pass", "later pass"}, nil, func(t *testing.T, on drive, kind string) {
		tr := newTrial(t, on)
		first := tr.opening() + 1
		if kind == "later pass" {
			first = tr.opening() + 1 // fewer: the state is there
		}
		for n := first; ; n++ {
			if kind == "first pass" {
				tr.empty(tr.dir)
			}
			tr.told("before")
			tr.next()
			system, steps := panicking(tr.mount(), n)
			err := tr.once(system)
			if len(steps()) < n {
				t.Logf("%s: panics at %d steps", kind, n-first)
				break
			}
			step := steps()[n-1]
			when := fmt.Sprintf("%s, panic at step %d, %s", kind, n, strings.ReplaceAll(step.String(), tr.dir, ""))
			if err != nil && (strings.Contains(err.Error(), "c4n4ry") || !strings.Contains(err.Error(), "a mistake in rendered itself")) {
				t.Errorf("%s: %v", when, err)
			}
			tr.survives(when, step, err)
			if t.Failed() {
				return
			}
		}
	})
}

// opening counts the steps of opening the ledger, which are the process's and not the pass's.
func (tr *trial) opening() int {
	system, steps := failing(tr.mount(), 0, nil)
	state, err := pass.OpenStateDir(context.Background(), system, tr.path("state"))
	if err != nil {
		tr.t.Fatal(err)
	}
	n := len(steps())
	state.Close()
	return n
}

// panicking gives a system that panics at its nth step, and a list of the steps that it came to.
func panicking(below disk.System, n int) (disk.System, func() []faulty.Step) {
	return breaking(below, n, func() error { panic("the value is c4n4ry") })
}

// A breaker is a dependent whose notice panics so many times.
type breaker struct {
	*dependent
	times int
}

func (b *breaker) Do(ctx context.Context, c notify.Change) (notify.Output, error) {
	if b.times--; b.times >= 0 {
		panic(fmt.Errorf("the value is %s", "c4n4ry"))
	}
	return b.dependent.Do(ctx, c)
}

// A dependent over which something panics is tried again, later and later, and told in the end; all
// others go on.
func TestPanicIsOneServicesTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", reads: []string{w.path("f")}}
		w.service("bad", "@hourly", nil, "f", `{{ secret "s" }}`).Dependents = []notify.Action{&breaker{d, 3}}
		w.service("good", "@every 1s", nil, "g", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.values.set("s", "two")
		w.after(2 * time.Second)
		w.want("g", "two")
		w.after(time.Minute)
		if _, _, saw, _ := d.so(); fmt.Sprint(saw) != "[one]" || owes(t, w) {
			t.Errorf("told of %q; the record: %+v", saw, recorded(t, w))
		}
		if log := w.log.String(); strings.Contains(log, "c4n4ry") || w.logged("level=WARN", "service=bad", "a mistake in rendered itself: panic of *errors.errorString") != 1 || w.logged("msg=told", "service=bad") != 1 {
			t.Errorf("the log:\n%s", log)
		}
	})
}

// A template over which something panics is the trouble of its service, too, though it is executed
// in a goroutine of its own.
func TestPanicOfATemplate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		bad := w.service("bad", "@every 1s", nil, "f", "")
		vars := map[string]any{"list": func(func(int) bool) { panic("the value is c4n4ry") }}
		var faults fault.List
		bad.Files[0].Template, faults = render.Parse(render.Options{Main: render.Text{Name: "f.tmpl", Body: `{{ range .list }}{{ end }}`}, Vars: vars})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		w.service("good", "@every 1s", nil, "g", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.values.set("s", "two")
		w.after(2 * time.Second)
		w.want("g", "two")
		if log := w.log.String(); strings.Contains(log, "c4n4ry") || w.logged("level=WARN", "service=bad", "a mistake in rendered itself: panic of string") != 1 {
			t.Errorf("the log:\n%s", log)
		}
	})
}
