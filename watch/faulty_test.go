package watch

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/fault"
)

// left gives a plan without a service, which is faulty.
func left(p *Plan, name string) *Plan {
	without := *p
	without.Services = nil
	for _, s := range p.Services {
		if s.Name != name {
			without.Services = append(without.Services, s)
		}
	}
	without.Faulty = []Faulty{{Service: name, Part: "a.yaml", Faults: fault.List{{Place: fault.Place{File: "a.yaml", Line: 3}, What: "unknown function"}}}}
	return &without
}

// A faulty service is said, reported and tried again by itself. It holds up nobody.
func TestFaultyServiceIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("a", "@every 1s", nil, "f", `{{ secret "s" }}`)
		w.service("b", "@every 1s", nil, "g", `{{ secret "s" }}`)
		w.values.set("s", "A")
		var last Report
		w.report = func(r Report) { last = r }
		whole := w.plan
		w.plan = left(whole, "a")
		w.start()
		begun := time.Now()
		since := func() time.Time {
			st, err := w.loop.Ask(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // the round of the answer ends with a report
			return st.Since
		}
		w.after(time.Second)
		w.want("g", "A")
		if _, err := os.Stat(w.path("f")); err == nil {
			t.Error("the faulty service has its file")
		}
		if !last.Tried || len(last.Faulty) != 1 || last.Faulty[0].Service != "a" {
			t.Errorf("reported %+v", last)
		}
		err := w.loop.Reload()
		if unfit, ok := errors.AsType[Unfit](err); !ok || unfit.Fates() != "a is left out" || unfit.Error() != "a.yaml:3: unknown function" {
			t.Errorf("who asks is told %v", err)
		}
		asked := time.Now()
		w.after(time.Hour)
		if at := since(); begun.After(at) || at.After(asked) {
			t.Errorf("the config came into force at %v, and was tried again since", at)
		}
		if n := w.logged("level=ERROR", `msg="not usable, it is left out" service=a at=a.yaml:3`); n != 2 {
			t.Errorf("%d errors, want one, and one for who asked:\n%s", n, &w.log)
		}
		w.plan = whole // nothing that is watched says so
		w.after(6 * time.Minute)
		w.want("f", "A")
		if !since().After(asked) {
			t.Error("that the whole config is in force is not said")
		}
		if n := w.logged(`msg="usable again" service=a`); n != 1 || len(last.Faulty) > 0 {
			t.Errorf("said %d times that it is mended; reported %+v", n, last)
		}
		if w.loop.Reload() != nil {
			t.Error("who asks is told of a fault that is mended")
		}
	})
}

// What a service is owed that a start has to leave out is told when it is back, whoever else works
// in its directory.
func TestFaultyServiceStaysOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d", fails: 1 << 30, reads: []string{w.path("f")}}
		w.service("a", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.service("b", "@daily", nil, "g", `{{ secret "s" }}`)
		w.values.set("s", "A")
		w.start()
		w.after(time.Minute)
		w.stop()
		d.refuse(0)
		whole := w.plan
		w.plan = left(whole, "a")
		for range 2 {
			w.start()
			w.values.set("s", w.content("g")+"+")
			w.loop.Refresh()
			w.after(time.Minute)
			w.stop()
		}
		w.want("f", "A")
		if n := d.count(); n > 0 {
			t.Errorf("told %d times while its service is left out", n)
		}
		w.values.set("s", "A")
		var read atomic.Pointer[Plan] // by the loop, while it runs
		read.Store(w.plan)
		w.load = func() (*Plan, error) { p := *read.Load(); return &p, nil }
		w.start()
		read.Store(whole)
		w.after(6 * time.Minute)
		w.want("f", "A")
		if n := d.count(); n != 1 {
			t.Errorf("told %d times when it is back, want 1", n)
		}
	})
}
