package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

// shortVigils has units looked at for so long.
func shortVigils(t *testing.T, d time.Duration) {
	t.Helper()
	before, ask := vigils, journalctl
	vigils, journalctl = map[Verb]time.Duration{Restart: d, Start: d, Reload: d}, "/nonexistent/journalctl"
	t.Cleanup(func() { vigils, journalctl = before, ask })
}

// A moment is what becomes of a unit some time after the job is done.
type moment struct {
	after time.Duration
	run   run
	news  *news
}

var (
	up       = run{active: "active", invocation: "new", kind: "simple", death: death{result: "success"}}
	upBefore = run{active: "active", invocation: "old", kind: "simple", death: death{result: "success"}}
	exited1  = death{result: "exit-code", code: 1, status: 1}
)

// with gives r after a change.
func (r run) with(change func(*run)) run {
	change(&r)
	return r
}

func TestVigil(t *testing.T) {
	failed := up.with(func(r *run) { r.active, r.death = "failed", exited1 })
	waits := up.with(func(r *run) { r.active, r.death = "activating", exited1 })
	again := up.with(func(r *run) { r.invocation, r.restarts = "newer", 1 })
	// A unit that is unloaded has forgotten everything.
	ended := run{active: "inactive", kind: "simple", death: death{result: "success"}}
	theirs := up.with(func(r *run) { r.invocation = "theirs" })
	for _, tt := range []struct {
		name    string
		verb    Verb
		upFor   time.Duration
		before  run
		moments []moment
		want    outcome
		took    time.Duration
	}{
		{name: "stays up", verb: Restart, moments: []moment{{0, up, nil}}, took: 3 * time.Second},
		{name: "stays up after its reload", verb: Reload, before: up, moments: []moment{{0, up, nil}}, took: 500 * time.Millisecond},
		{name: "is still reloading", verb: Reload, before: up, moments: []moment{{0, up.with(func(r *run) { r.active = "reloading" }), nil}}, took: 500 * time.Millisecond},
		{name: "exits at once", verb: Restart, moments: []moment{{0, failed, nil}},
			want: outcome{Reason: Failed, What: "failed 1ms after its restart: exit status 1"}},
		{name: "exits soon", verb: Restart, moments: []moment{{0, up, nil}, {20 * time.Millisecond, failed, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 20ms after its restart: exit status 1"}, took: 20 * time.Millisecond},
		{name: "exits soon, and nobody says so", verb: Restart, moments: []moment{{0, up, nil}, {20 * time.Millisecond, failed, nil}},
			want: outcome{Reason: Failed, What: "failed 250ms after its restart: exit status 1"}, took: 250 * time.Millisecond},
		{name: "is killed a second later", verb: Restart, moments: []moment{{0, up, nil}, {1100 * time.Millisecond, up.with(func(r *run) {
			r.active, r.death = "failed", death{"signal", 2, 9}
		}), &news{death: death{"signal", 2, 9}}}}, want: outcome{Reason: Failed, What: "failed 1.1s after its restart: killed by KILL"}, took: 1100 * time.Millisecond},
		{name: "leaves a core file", verb: Start, before: run{active: "inactive"}, moments: []moment{{0, up.with(func(r *run) {
			r.active, r.death = "failed", death{"core-dump", 3, 11}
		}), nil}}, want: outcome{Reason: Failed, What: "failed 1ms after its start: killed by SEGV, and left a core file"}},
		{name: "waits to be started again", verb: Restart, moments: []moment{{0, up, nil}, {20 * time.Millisecond, waits, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 20ms after its restart: exit status 1; systemd starts it again"}, took: 20 * time.Millisecond},
		{name: "was started again before we looked", verb: Restart, moments: []moment{{0, again, nil}},
			want: outcome{Reason: Failed, What: "ended 1ms after its restart; systemd starts it again"}},
		{name: "was started again, and a signal knows why", verb: Restart, moments: []moment{{0, up, nil}, {40 * time.Millisecond, again, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 40ms after its restart: exit status 1; systemd starts it again"}, took: 40 * time.Millisecond},
		{name: "ends without an error", verb: Restart, moments: []moment{{0, up, nil}, {20 * time.Millisecond, ended, &news{}}},
			want: outcome{Reason: Failed, What: "ended 20ms after its restart"}, took: 250 * time.Millisecond},
		{name: "ends for a moment, and systemd starts it again", verb: Restart, moments: []moment{{0, up, nil}, {20 * time.Millisecond, ended, &news{}}, {120 * time.Millisecond, again, &news{}}},
			want: outcome{Reason: Failed, What: "ended 120ms after its restart; systemd starts it again"}, took: 120 * time.Millisecond},
		{name: "a job that is started and done", verb: Start, before: run{active: "inactive"}, moments: []moment{{0, ended, nil}},
			want: outcome{Says: "u.service ended 1ms after its start, without an error"}, took: 250 * time.Millisecond},
		{name: "ran already", verb: Start, before: up, moments: []moment{{0, up, nil}, {20 * time.Millisecond, failed, nil}}},
		{name: "oneshot", verb: Restart, moments: []moment{{0, ended.with(func(r *run) { r.kind = "oneshot" }), nil}}},
		{name: "oneshot that remains", verb: Restart, moments: []moment{{0, up.with(func(r *run) { r.kind = "oneshot" }), nil}}},
		{name: "socket", verb: Restart, moments: []moment{{0, run{active: "active", invocation: "new"}, nil}}},
		{name: "socket that failed", verb: Restart, moments: []moment{{0, run{active: "failed", invocation: "new"}, nil}},
			want: outcome{Reason: Failed, What: "failed 1ms after its restart"}},
		{name: "somebody else stops it", verb: Restart, moments: []moment{{0, up, nil}, {100 * time.Millisecond, up.with(func(r *run) { r.active = "deactivating" }), &news{}}, {900 * time.Millisecond, ended, &news{other: true}}},
			want: outcome{Says: "u.service was stopped by somebody else 900ms after its restart"}, took: 1250 * time.Millisecond},
		{name: "somebody else restarts it", verb: Restart, moments: []moment{{0, up, nil}, {100 * time.Millisecond, theirs, &news{other: true}}}, took: 3 * time.Second},
		{name: "somebody else is restarting it", verb: Restart, moments: []moment{{0, up, nil}, {2900 * time.Millisecond, theirs.with(func(r *run) { r.active = "activating" }), &news{other: true}}}, took: 3 * time.Second},
		{name: "somebody else restarts it in vain", verb: Restart, moments: []moment{{0, up, nil}, {100 * time.Millisecond, theirs, &news{other: true}},
			{200 * time.Millisecond, theirs.with(func(r *run) { r.active, r.death = "failed", exited1 }), &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 200ms after its restart: exit status 1"}, took: 200 * time.Millisecond},
		{name: "is still ending", verb: Restart, moments: []moment{{0, up, nil}, {time.Second, up.with(func(r *run) { r.active = "deactivating" }), &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 3s after its restart: exit status 1"}, took: 3 * time.Second},
		{name: "dies of its reload", verb: Reload, before: up, moments: []moment{{0, up, nil}, {30 * time.Millisecond, failed, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 30ms after its reload: exit status 1"}, took: 250 * time.Millisecond},
		{name: "its reload is a restart, and for a moment it has failed", verb: Reload, before: up, moments: []moment{{0, up, nil}, {30 * time.Millisecond, failed, &news{death: exited1}}, {31 * time.Millisecond, waits, &news{}}, {130 * time.Millisecond, again, &news{}}},
			want: outcome{Says: "u.service failed 31ms after its reload: exit status 1; systemd has started it again, with the new files"}, took: 3 * time.Second},
		{name: "ends by its reload", verb: Reload, before: up, moments: []moment{{0, ended, nil}},
			want: outcome{Reason: Failed, What: "ended 1ms after its reload"}, took: 250 * time.Millisecond},
		{name: "its reload is a restart", verb: Reload, before: up, moments: []moment{{0, waits, &news{death: exited1}}, {100 * time.Millisecond, again, &news{}}},
			want: outcome{Says: "u.service failed 1ms after its reload: exit status 1; systemd has started it again, with the new files"}, took: 3 * time.Second},
		{name: "its reload begins a loop", verb: Reload, before: up, moments: []moment{{0, waits, &news{death: exited1}}, {100 * time.Millisecond, again, &news{}},
			{150 * time.Millisecond, again.with(func(r *run) { r.active, r.death = "activating", exited1 }), &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 150ms after its reload: exit status 1; systemd starts it again"}, took: 150 * time.Millisecond},
		{name: "its reload ends it, and systemd takes its time", verb: Reload, before: up, moments: []moment{{0, waits, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 1ms after its reload: exit status 1; systemd starts it again"}, took: 3 * time.Second},
		{name: "stays up for as long as the config says", verb: Restart, upFor: 10 * time.Second, moments: []moment{{0, up, nil}}, took: 10 * time.Second},
		{name: "fails within what the config says", verb: Restart, upFor: 10 * time.Second, moments: []moment{{0, up, nil}, {8 * time.Second, failed, &news{death: exited1}}},
			want: outcome{Reason: Failed, What: "failed 8s after its restart: exit status 1"}, took: 8 * time.Second},
		{name: "fails after what the config says", verb: Restart, upFor: time.Second, moments: []moment{{0, up, nil}, {2 * time.Second, failed, nil}}, took: time.Second},
		{name: "its reload is a restart, for as long as the config says", verb: Reload, upFor: 5 * time.Second, before: up, moments: []moment{{0, waits, &news{death: exited1}}, {4900 * time.Millisecond, again, &news{}}},
			want: outcome{Says: "u.service failed 1ms after its reload: exit status 1; systemd has started it again, with the new files"}, took: 5 * time.Second},
		{name: "somebody else restarts it as it is reloaded", verb: Reload, before: upBefore, moments: []moment{{0, theirs, nil}}, took: 500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				var now atomic.Pointer[run]
				now.Store(&tt.moments[0].run)
				heard := make(chan news, len(tt.moments))
				for _, m := range tt.moments[1:] {
					time.AfterFunc(m.after, func() {
						if now.Store(&m.run); m.news != nil {
							heard <- *m.news
						}
					})
				}
				v := vigil{verb: tt.verb, unit: "u.service", upFor: tt.upFor, before: tt.before, news: heard,
					look: func(context.Context) (run, error) { return *now.Load(), nil }}
				if n := tt.moments[0].news; n != nil {
					heard <- *n
				}
				said, err := v.keep(t.Context())
				took := time.Since(begun)
				got := outcome{Says: string(said.Text)}
				if e, ok := errors.AsType[*Error](err); ok {
					got.Reason, got.What = e.Reason, e.What
					if e.Figure == "" || !strings.Contains(e.What, e.Figure) || len(e.Hints) < 2 {
						t.Errorf("the figure is %q, the hints are %q", e.Figure, e.Hints)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if !said.Own && said.Text != nil {
					t.Error("its own words are foreign")
				}
			})
		})
	}
}

// The daemon's end ends a vigil: what systemd said counts. So does a bus that goes away.
func TestVigilIsBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		v := vigil{verb: Restart, unit: "u.service", look: func(context.Context) (run, error) { return up, nil }}
		if said, err := v.keep(ctx); err != nil || said.Text != nil || time.Since(begun) != time.Second {
			t.Errorf("%s, %v after %v", said.Text, err, time.Since(begun))
		}
		begun, v.look = time.Now(), func(context.Context) (run, error) { return run{}, dbus.ErrClosed }
		if said, err := v.keep(t.Context()); err != nil || said.Text != nil || time.Since(begun) != vigils[Restart] {
			t.Errorf("%s, %v after %v", said.Text, err, time.Since(begun))
		}
	})
}

// What differs from one try to the next is no other trouble.
func TestTroubleIsTheSame(t *testing.T) {
	w := witness{vigil: vigil{verb: Restart, unit: "u.service"}}
	r := up.with(func(r *run) { r.active, r.death = "failed", exited1 })
	a, b := w.failure(r, 20*time.Millisecond, false), w.failure(r, 1200*time.Millisecond, false)
	if a.Error() == b.Error() || Message(a) != Message(b) || Message(a) != "failed soon after its restart: exit status 1" {
		t.Errorf("%q and %q", Message(a), Message(b))
	}
}

// Over a bus: the unit fails when the job is done, systemd says so, and what it wrote last is the
// output, which is not ours.
func TestUnitFailsAfterItsJob(t *testing.T) {
	address := bus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": {"loaded", "active", true, nil}})
	shortVigils(t, time.Millisecond)
	journalctl = filepath.Join(t.TempDir(), "journalctl")
	if err := os.WriteFile(journalctl, []byte("#!/bin/sh\necho \"$@\"\necho cannot use the password hunter2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.more = map[string]dbus.Variant{"InvocationID": dbus.MakeVariant([]byte{1}), "NRestarts": dbus.MakeVariant(uint32(0)), "Type": dbus.MakeVariant("simple")}
	s.mu.Unlock()
	type answer struct {
		output Output
		err    error
	}
	answered := make(chan answer)
	begun := time.Now()
	go func() {
		output, err := Systemd{Verb: Restart, Unit: "u", UpFor: time.Minute, Bus: address}.Do(t.Context(), Change{})
		answered <- answer{output, err}
	}()
	<-s.asked
	s.mu.Lock()
	s.units["u.service"].active = "failed"
	s.results = map[string]string{"Result": "exit-code"}
	s.mu.Unlock()
	changed := map[string]dbus.Variant{"Result": dbus.MakeVariant("exit-code"), "ExecMainCode": dbus.MakeVariant(int32(1)), "ExecMainStatus": dbus.MakeVariant(int32(3))}
	if err := s.conn.Emit(path("u.service"), propertiesType+".PropertiesChanged", serviceType, changed, []string{}); err != nil {
		t.Fatal(err)
	}
	got := <-answered
	e, ok := errors.AsType[*Error](got.err)
	if !ok || e.Reason != Failed || Message(e) != "failed soon after its restart: exit status 3" && Message(e) != "failed soon after its restart" {
		t.Errorf("%v", got.err)
	}
	want := fmt.Sprintf("--quiet --no-pager --output=cat --lines=10 --unit=u.service --since=@%d", begun.Unix())
	if text := string(got.output.Text); got.output.Own || !strings.HasPrefix(text, want[:len(want)-1]) || !strings.Contains(text, "hunter2") {
		t.Errorf("the output is %+v: %s", got.output.Own, text)
	}
}
