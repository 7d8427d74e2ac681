package watch

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// reports are those of a loop.
type reports struct {
	mu   sync.Mutex
	list []Report
}

// reports has a world keep what its loop reports.
func (w *world) reports() *reports {
	l := new(reports)
	w.report = func(r Report) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = append(l.list, r)
	}
	return l
}

func last(l *reports) Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list[len(l.list)-1]
}

func count(l *reports) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.list)
}

// A report says what is current, owed or failing, and is not before everything has been tried.
func TestReportSaysHowEachServiceStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		refuses := &dependent{name: "app", fails: 1}
		w.service("bad", "@every 1h", nil, "f", `{{ secret "s" }}`)
		w.service("good", "@every 1h", nil, "g", `{{ param "/p" }}`)
		w.service("owes", "@every 1h", []*dependent{refuses}, "h", `{{ param "/p" }}`).MinInterval = time.Minute
		w.service("slow", "@every 1h", nil, "i", `{{ param "/slow" }}`)
		w.values.set("/p", "1")
		w.values.set("/slow", "1")
		w.values.pause["/slow"] = 10 * time.Second
		w.values.refuse("s", sources.Denied)
		w.start()
		want := func(tried bool, services ...Standing) {
			t.Helper()
			if r := last(list); !reflect.DeepEqual(r, Report{Tried: tried, Services: services}) {
				t.Errorf("%v\n got %+v\nwant %+v", time.Now(), r, Report{Tried: tried, Services: services})
			}
		}
		bad := Standing{Service: "bad", Tried: true, Failure: "secret s: access denied"}
		good := Standing{Service: "good", Tried: true}
		owes := Standing{Service: "owes", Tried: true}
		want(false, bad, good, Standing{Service: "owes", Tried: true, Owed: []tell.Owed{{Dependent: "app", Failure: "refused", Failures: 1}}}, Standing{Service: "slow"})
		w.after(10 * time.Second) // the dependent is told meanwhile
		slow := Standing{Service: "slow", Tried: true}
		want(true, bad, good, owes, slow)
		w.values.refuse("s", "")
		w.values.set("s", "2")
		w.values.set("/p", "2")
		w.loop.Refresh()
		w.after(10 * time.Second)
		bad.Failure = ""
		// slow was told less than a minute ago.
		want(true, bad, good, Standing{Service: "owes", Tried: true, Owed: []tell.Owed{{Dependent: "app"}}}, slow)
		w.after(time.Minute)
		want(true, bad, good, owes, slow)
	})
}

// Every state that a service can be in is among States.
func TestStates(t *testing.T) {
	for _, s := range []Standing{{}, {Tried: true}, {Failure: "no"}, {Owed: []tell.Owed{{}}}, {Paused: new(pass.Pause)}} {
		if !slices.Contains(States, s.State()) {
			t.Errorf("%s is none of %v", s.State(), States)
		}
	}
}

// A dependent may be a unit that starts after ours, when we are ready: then it cannot be told
// before. So telling it counts as tried, be it of new files or of what is owed from before, and
// until it has answered it is owed.
func TestReportDoesNotWaitForDependents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		app := &dependent{name: "app", pause: -1}
		w.service("app", "@every 1h", []*dependent{app}, "f", `{{ param "/p" }}`)
		w.values.set("/p", "1")
		w.start()
		w.after(time.Second)
		want := Report{Tried: true, Services: []Standing{{Service: "app", Tried: true, Owed: []tell.Owed{{Dependent: "app"}}}}}
		if got := w.content("f"); !reflect.DeepEqual(last(list), want) || got != "1" {
			t.Errorf("while the dependent is told of %q: %+v", got, last(list))
		}
		w.stop()
		w.values.pause["/p"] = -1
		w.start()
		w.after(4 * time.Second)
		if !reflect.DeepEqual(last(list), want) {
			t.Errorf("while the dependent is told of what is owed: %+v", last(list))
		}
	})
}

// Nobody waits for ever for a service that hangs: it counts as tried when the log says that it is
// late.
func TestReportDoesNotWaitForWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		w.service("hangs", "@every 1h", nil, "f", `{{ param "/p" }}`)
		w.values.pause["/p"] = -1
		w.plan.Within = time.Hour
		w.start()
		w.after(4 * time.Minute)
		if last(list).Tried {
			t.Error("tried after four minutes")
		}
		w.after(2 * time.Minute)
		if r := last(list); !r.Tried || r.Services[0].Failure != "still at work" {
			t.Errorf("after six minutes: %+v", r)
		}
	})
}

func TestReportWithoutServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		w.start()
		if count(list) != 1 || !last(list).Tried {
			t.Errorf("%d reports, the last %+v", count(list), last(list))
		}
	})
}

// A reload that was asked for is announced, and its outcome is the answer to whoever asked.
func TestReloadIsReportedAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		w.service("app", "@every 1h", nil, "f", "x")
		w.start()
		var during []Doing
		good := w.load
		w.load = func() (*Plan, error) {
			during = append(during, last(list).Doing)
			return nil, errors.New("broken")
		}
		if err := w.loop.Reload(); err == nil || err.Error() != "broken" {
			t.Errorf("Reload: %v", err)
		}
		synctest.Wait()
		if r := last(list); r.Doing != Keeping || r.Unusable != "broken" {
			t.Errorf("after a bad reload: %+v", r)
		}
		w.load = func() (*Plan, error) {
			during = append(during, last(list).Doing)
			return good()
		}
		if err := w.loop.Reload(); err != nil {
			t.Errorf("Reload: %v", err)
		}
		synctest.Wait()
		if r := last(list); r.Doing != Keeping || r.Unusable != "" {
			t.Errorf("after a good reload: %+v", r)
		}
		if !reflect.DeepEqual(during, []Doing{Reloading, Reloading}) {
			t.Errorf("while it was read: %v", during)
		}
		w.stop()
		if r := last(list); r.Doing != Stopping {
			t.Errorf("at the end: %+v", r)
		}
		if err := w.loop.Reload(); err == nil {
			t.Error("a loop that has stopped reloads")
		}
	})
}

// With a beat the loop goes round also where nothing is due, and while a job hangs.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		list := w.reports()
		w.beat = 10 * time.Second
		w.service("hangs", "@every 24h", []*dependent{{name: "app", pause: -1}}, "f", "x")
		w.start()
		before := count(list)
		w.after(time.Minute)
		if n := count(list) - before; n != 6 {
			t.Errorf("%d rounds in a minute, want 6", n)
		}
		hung := make(chan struct{})
		w.load = func() (*Plan, error) { <-hung; return w.plan, nil }
		go func() { _ = w.loop.Reload() }()
		synctest.Wait()
		before = count(list)
		w.after(time.Minute)
		if n := count(list) - before; n != 0 {
			t.Errorf("%d rounds of a loop that hangs", n)
		}
		close(hung)
	})
}
