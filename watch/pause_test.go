package watch

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/watch/pass"
)

// pause pauses services of a world for so long; 0: until they are resumed.
func (w *world) pause(d time.Duration, names ...string) {
	w.t.Helper()
	var list []pass.Pause
	for _, name := range names {
		p := pass.Pause{Service: name, Since: time.Now().UTC(), Why: "migration", Who: "root"}
		if d > 0 {
			p.Until = p.Since.Add(d)
		}
		list = append(list, p)
	}
	if err := w.loop.Pause(context.Background(), list); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) resume(names ...string) {
	w.t.Helper()
	if _, err := w.loop.Resume("root", names...); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// standing gives how a service stands.
func (w *world) standing(name string) State {
	w.t.Helper()
	st, err := w.loop.Ask(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range st.Services {
		if s.Service == name {
			return s.State()
		}
	}
	return ""
}

// Whatever happens, nobody works on a service that is paused, and others go on. What was missed
// comes when it is resumed, once.
func TestPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d, other := &dependent{name: "app", reads: []string{w.path("f")}}, &dependent{name: "other"}
		w.service("app", "@every 10s", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.service("other", "@every 10s", []*dependent{other, d}, "g", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		told := d.count()
		w.pause(0, "app")
		if got := w.standing("app"); got != Paused || w.logged("paused", "service=app", "why=migration", "who=root") != 1 {
			t.Errorf("it is %s:\n%s", got, &w.log)
		}
		if err := os.WriteFile(w.path("f"), []byte("by hand"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.values.set("s", "two")
		w.loop.Refresh("app")
		w.after(time.Minute)
		if err := w.loop.Reload(); err != nil {
			t.Fatal(err)
		}
		w.after(time.Minute)
		r, err := w.loop.RefreshNow(context.Background())
		if err != nil || len(r.Outcomes) != 1 || len(r.Paused) != 1 || r.Paused[0].Service != "app" {
			t.Errorf("%v, %+v", err, r)
		}
		w.want("f", "by hand")
		w.want("g", "two")
		var paused PausedError
		if err := w.loop.AwaitCurrent(context.Background(), "app"); !errors.As(err, &paused) || err.Error() != "app is paused by root: migration" {
			t.Errorf("%v", err)
		}
		if n := d.count() - told; n != 1 {
			t.Errorf("told %d times of the other service", n)
		}
		w.resume("app")
		w.after(time.Second)
		w.want("f", "two")
		if n := d.count() - told; n != 2 || w.standing("app") != Current {
			t.Errorf("told %d times, %s", n, w.standing("app"))
		}
		if got := w.kinds(); !strings.HasSuffix(got, "paused app, changed other, told other, told other, resumed app, changed app, told app") {
			t.Error(got)
		}
	})
}

// kinds says what the history holds.
func (w *world) kinds() string {
	var list []string
	for _, e := range w.state.Ledger.History() {
		list = append(list, string(e.Kind)+" "+strings.Join(e.Services, " "))
	}
	return strings.Join(list, ", ")
}

// What was owed before stays owed, across a restart; a pause ends by itself when its time is over.
func TestOwedWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", fails: 1}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.pause(time.Hour, "app")
		w.after(20 * time.Minute)
		w.stop()
		w.start()
		w.after(20 * time.Minute)
		if d.count() != 0 || w.standing("app") != Paused {
			t.Errorf("told %d times, %s", d.count(), w.standing("app"))
		}
		w.after(20*time.Minute + time.Second)
		if d.count() != 1 || w.standing("app") != Current || len(w.state.Ledger.Pauses()) != 0 {
			t.Errorf("told %d times, %s", d.count(), w.standing("app"))
		}
		if got := w.kinds(); !strings.HasSuffix(got, "paused app, resumed app, told app") {
			t.Error(got)
		}
	})
}

// A pause follows a service that gets another name, and what changes of the service meanwhile comes
// into force when it is resumed. One whose service is not there waits for it.
func TestPauseFollowsService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.service("app", "@every 1h", nil, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.pause(0, "app")
		with := func(services ...func()) {
			t.Helper()
			w.plan = &Plan{Source: w.values, Settle: w.plan.Settle}
			for _, add := range services {
				add()
			}
			if err := w.loop.Reload(); err != nil {
				t.Fatal(err)
			}
			w.after(time.Minute)
		}
		with(func() { w.service("www", "@every 1h", nil, "f", `new {{ secret "s" }}`) })
		w.want("f", "one")
		with(func() { w.service("www", "@every 1h", nil, "g", `new {{ secret "s" }}`) })
		if got := w.content("g"); !strings.Contains(got, "no such file") || w.standing("www") != Paused {
			t.Errorf("%s, %s", got, w.standing("www"))
		}
		with()
		st, err := w.loop.Ask(context.Background())
		if err != nil || len(st.Absent) != 1 || st.Absent[0].Service != "www" {
			t.Errorf("%v: %v", err, st.Absent)
		}
		w.stop()
		w.start()
		with(func() { w.service("www", "@every 1h", nil, "g", `new {{ secret "s" }}`) })
		if got := w.standing("www"); got != Paused {
			t.Error(got)
		}
		w.resume()
		w.after(time.Second)
		w.want("g", "new one")
	})
}

// A pass that is under way ends before the pause is said to be there; one that waits for it gives
// up when its context does.
func TestPauseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "app", pause: time.Minute}
		w.service("app", "@every 1h", []*dependent{d}, "f", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.values.delay("s", 10*time.Second)
		w.start()
		begun := time.Now()
		w.pause(0, "app")
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second || d.tried != 0 {
			t.Errorf("it took %v, tried %d", took, d.tried)
		}
		w.want("f", "one")
		w.after(time.Hour)
		if d.tried != 0 {
			t.Error("told while paused")
		}
		w.resume()
		w.after(20 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := w.loop.Pause(ctx, []pass.Pause{{Service: "app", Since: time.Now(), Why: "w"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if got := w.standing("app"); got != Paused || d.tried != 1 {
			t.Errorf("%s, tried %d", got, d.tried)
		}
		w.after(time.Minute)
	})
}
