package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

// An outcome is what an action says and why it failed.
type outcome struct {
	Says   string
	Reason Reason
	What   string
}

func do(ctx context.Context, a Action) outcome {
	says, err := a.Do(ctx, Change{Services: []string{"s"}, Paths: []string{"/a", "/b"}})
	o := outcome{Says: string(says.Text)}
	if e, ok := errors.AsType[*Error](err); ok {
		o.Reason, o.What = e.Reason, e.What
	} else if err != nil {
		o.What = err.Error()
	}
	return o
}

func TestSystemd(t *testing.T) {
	refuse := func(name string) *dbus.Error { return dbus.NewError(name, []any{"text"}) }
	address := bus(t)
	s := fakeSystemd(t, address, nil)
	shortVigils(t, 0)
	for _, tt := range []struct {
		name    string
		verb    Verb
		unit    fakeUnit
		refusal *dbus.Error
		result  string
		becomes string // the unit's state while the job is done
		results map[string]string
		want    outcome
		calls   int
	}{
		{name: "reload", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil}, calls: 1},
		{name: "restart", verb: Restart, unit: fakeUnit{"loaded", "active", false, nil}, calls: 1},
		{name: "start", verb: Start, unit: fakeUnit{"loaded", "inactive", false, nil}, becomes: "active", calls: 1},
		{name: "restart starts", verb: Restart, unit: fakeUnit{"loaded", "failed", false, nil}, becomes: "active", calls: 1},
		{name: "reload starts nothing", verb: Reload, unit: fakeUnit{"loaded", "inactive", true, nil},
			want: outcome{Says: "u.service is inactive: nothing to reload"}},
		{name: "reload of a failed unit", verb: Reload, unit: fakeUnit{"loaded", "failed", false, nil},
			want: outcome{Says: "u.service is failed: nothing to reload"}},
		{name: "stops while we ask", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil}, result: "invalid", becomes: "inactive",
			want: outcome{Says: "u.service is inactive: nothing to reload"}, calls: 1},
		{name: "starts while we ask", verb: Reload, unit: fakeUnit{"loaded", "activating", true, nil}, result: "invalid",
			want: outcome{Reason: NotRunning, What: "unit could not be reloaded: it is only just starting"}, calls: 1},
		{name: "skipped", verb: Start, unit: fakeUnit{"loaded", "inactive", false, nil}, result: "skipped",
			want: outcome{Says: "systemd skipped the job: it did not apply to the unit as it is"}, calls: 1},
		{name: "no reload", verb: Reload, unit: fakeUnit{"loaded", "active", false, nil},
			want: outcome{Reason: NotSupported, What: "unit has no way to reload"}},
		{name: "missing", verb: Restart, unit: fakeUnit{"not-found", "inactive", false, nil},
			want: outcome{Reason: Missing, What: "there is no such unit"}},
		{name: "missing reload", verb: Reload, unit: fakeUnit{"not-found", "inactive", false, nil},
			want: outcome{Reason: Missing, What: "there is no such unit"}},
		{name: "masked", verb: Reload, unit: fakeUnit{"masked", "inactive", false, nil}, want: outcome{Reason: Masked, What: "unit is masked"}},
		{name: "failed", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil}, result: "failed",
			want: outcome{Reason: Failed, What: "reload failed"}, calls: 1},
		{name: "reload that takes too long", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil}, result: "failed",
			results: map[string]string{"Result": "success", "ReloadResult": "timeout"},
			want:    outcome{Reason: TimedOut, What: "reload took longer than the unit allows"}, calls: 1},
		{name: "reload that fails", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil}, result: "failed",
			results: map[string]string{"Result": "timeout", "ReloadResult": "exit-code"},
			want:    outcome{Reason: Failed, What: "reload failed"}, calls: 1},
		{name: "start that takes too long", verb: Start, unit: fakeUnit{"loaded", "failed", true, nil}, result: "failed",
			results: map[string]string{"Result": "timeout", "ReloadResult": "success"},
			want:    outcome{Reason: TimedOut, What: "start took longer than the unit allows"}, calls: 1},
		{name: "timeout", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil}, result: "timeout",
			want: outcome{Reason: TimedOut, What: "restart took longer than the unit allows"}, calls: 1},
		{name: "canceled", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil}, result: "canceled",
			want: outcome{Reason: Failed, What: "restart was canceled by another job for the unit"}, calls: 1},
		{name: "dependency", verb: Start, unit: fakeUnit{"loaded", "inactive", true, nil}, result: "dependency",
			want: outcome{Reason: Failed, What: "a unit that it depends on failed"}, calls: 1},
		{name: "of tomorrow", verb: Start, unit: fakeUnit{"loaded", "inactive", true, nil}, result: "frobnicated",
			want: outcome{Reason: Failed, What: `start ended as "frobnicated"`}, calls: 1},
		{name: "denied", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil}, refusal: refuse("org.freedesktop.DBus.Error.AccessDenied"),
			want: outcome{Reason: NotPermitted, What: "we may not restart the unit"}, calls: 1},
		{name: "polkit would ask", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil},
			refusal: refuse("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"),
			want:    outcome{Reason: NotPermitted, What: "we may not reload the unit"}, calls: 1},
		{name: "polkit is masked", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil},
			refusal: dbus.NewError("org.freedesktop.systemd1.UnitMasked", []any{"Unit polkit.service is masked."}),
			want:    outcome{Reason: NotPermitted, What: "we may not reload the unit: polkit, which could let us, does not run"}, calls: 1},
		{name: "masked meanwhile", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil}, refusal: refuse("org.freedesktop.systemd1.UnitMasked"),
			want: outcome{Reason: Masked, What: "unit is masked"}, calls: 1},
		{name: "gone meanwhile", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil}, refusal: refuse("org.freedesktop.systemd1.NoSuchUnit"),
			want: outcome{Reason: Missing, What: "there is no such unit"}, calls: 1},
		{name: "not applicable", verb: Reload, unit: fakeUnit{"loaded", "active", true, nil},
			refusal: refuse("org.freedesktop.systemd1.JobTypeNotApplicable"), want: outcome{Reason: NotSupported, What: "unit has no way to reload"}, calls: 1},
		{name: "shutting down", verb: Restart, unit: fakeUnit{"loaded", "active", true, nil},
			refusal: dbus.NewError("org.freedesktop.systemd1.TransactionIsDestructive", []any{"text."}),
			want:    outcome{Reason: Failed, What: "systemd refuses to restart the unit: text"}, calls: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.mu.Lock()
			s.units = map[string]*fakeUnit{"u.service": &tt.unit}
			s.calls, s.refusal, s.result, s.results = nil, tt.refusal, "done", tt.results
			if tt.result != "" {
				s.result = tt.result
			}
			s.before = func() {
				if tt.becomes != "" {
					tt.unit.active = tt.becomes
				}
			}
			s.mu.Unlock()
			got := do(t.Context(), Systemd{Verb: tt.verb, Unit: "u", Bus: address})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.calls) != tt.calls || tt.calls == 1 && s.calls[0] != string(tt.verb)+" u.service replace" {
				t.Errorf("systemd was asked for %q", s.calls)
			}
		})
	}
}

// Only systemd's word counts, and only for our job.
func TestSystemdBelievesNobodyElse(t *testing.T) {
	address := bus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": {"loaded", "active", true, nil}})
	s.hang()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	result := make(chan outcome)
	go func() { result <- do(ctx, Systemd{Verb: Reload, Unit: "u.service", Bus: address}) }()
	<-s.asked
	liar := client(t, address)
	var names []string
	if err := liar.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	for _, name := range names { // to every connection: one of them is that of the action
		m := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(name),
			dbus.FieldPath:        dbus.MakeVariant(managerPath),
			dbus.FieldInterface:   dbus.MakeVariant(managerType),
			dbus.FieldMember:      dbus.MakeVariant("JobRemoved"),
			dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(uint32(0), managerPath, "", "")),
		}, Body: []any{uint32(1), managerPath + "/job/1", "u.service", "done"}}
		liar.Send(m, nil)
	}
	// The bus has passed the lies on.
	if err := liar.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.removed(managerPath+"/job/1", "u.service", "failed")
	s.mu.Unlock()
	if got := <-result; got.Reason != Failed {
		t.Errorf("%+v, want what systemd said", got)
	}
}

func TestSystemdStopsWaiting(t *testing.T) {
	address := bus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": {"loaded", "active", true, nil}})
	s.hang()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan outcome)
	go func() { result <- do(ctx, Systemd{Verb: Reload, Unit: "u.service", Bus: address}) }()
	<-s.asked
	begun := time.Now()
	cancel()
	want := outcome{Reason: Stopped, What: "stopped while waiting for systemd"}
	if diff := cmp.Diff(want, <-result); diff != "" || time.Since(begun) > 5*time.Second {
		t.Errorf("after %v (-want +got)\n%s", time.Since(begun), diff)
	}
	want.What = "gave up waiting for systemd: it takes too long"
	got := do(t.Context(), Systemd{Verb: Reload, Unit: "u.service", Bus: address, Timeout: 100 * time.Millisecond})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Whoever restarts himself does not see the end of it: it is done when systemd has accepted it,
// also where we are told to end by then.
func TestSystemdRestartsUs(t *testing.T) {
	address := bus(t)
	unit := fakeUnit{"loaded", "active", true, nil}
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": &unit, "v.service": &unit})
	s.hang()
	before := own
	own = func() string { return "u.service" }
	t.Cleanup(func() { own = before })
	ctx, cancel := context.WithCancel(t.Context())
	s.mu.Lock()
	s.before = cancel
	s.mu.Unlock()
	if diff := cmp.Diff(outcome{}, do(ctx, Systemd{Verb: Restart, Unit: "u", Bus: address})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want := outcome{Reason: Stopped, What: "gave up waiting for systemd: it takes too long"}
	if diff := cmp.Diff(want, do(t.Context(), Systemd{Verb: Restart, Unit: "v", Bus: address, Timeout: 100 * time.Millisecond})); diff != "" {
		t.Errorf("another unit (-want +got)\n%s", diff)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff([]string{"restart u.service replace", "restart v.service replace"}, s.calls); diff != "" {
		t.Errorf("systemd was asked (-want +got)\n%s", diff)
	}
}

// The bus, or systemd on it, may be away when we come and go while we wait.
func TestSystemdAway(t *testing.T) {
	want := outcome{Reason: Unreachable, What: "systemd does not answer on D-Bus"}
	gone := "unix:path=" + filepath.Join(t.TempDir(), "none")
	for name, address := range map[string]string{"no bus": gone, "no systemd": bus(t)} {
		if diff := cmp.Diff(want, do(t.Context(), Systemd{Verb: Reload, Unit: "u", Bus: address})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", gone)
	if diff := cmp.Diff(want, do(t.Context(), Signal{Signal: 1, Unit: "u"})); diff != "" {
		t.Errorf("by the variable (-want +got)\n%s", diff)
	}
}

// A bus that accepts connections and says nothing must not hold the daemon up.
func TestSystemdSilent(t *testing.T) {
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l := listen(t, filepath.Join(dir, "socket"))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan outcome)
	go func() {
		result <- do(ctx, Systemd{Verb: Reload, Unit: "u", Bus: "unix:path=" + filepath.Join(dir, "socket")})
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if diff := cmp.Diff(outcome{Reason: Stopped, What: "stopped while connecting to systemd"}, <-result); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		a    Action
		want string
	}{
		{Systemd{Verb: Reload, Unit: "nginx"}, "reload nginx.service"},
		{Systemd{Verb: Restart, Unit: "nginx.service"}, "restart nginx.service"},
		{Systemd{Verb: Start, Unit: "getty@tty1.service"}, "start getty@tty1.service"},
		{Systemd{Verb: Start, Unit: "my.app"}, "start my.app.service"},
		{Systemd{Verb: Start, Unit: "backup.target"}, "start backup.target"},
		{Signal{Signal: 1, Unit: "app"}, "HUP app.service"},
		{Signal{Signal: 10, PIDFile: "/run/app.pid"}, "USR1 /run/app.pid"},
	} {
		if got := tt.a.Name(); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.a, got, tt.want)
		}
	}
}

// leaks runs f some times and fails where it leaves descriptors or goroutines.
func leaks(t *testing.T, f func()) {
	t.Helper()
	count := func() (fds int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.HasPrefix(target, "/proc/") {
				fds++
			}
		}
		return fds
	}
	f()
	fds, routines := count(), runtime.NumGoroutine()
	for range 20 {
		f()
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > routines+5 || count() > fds+5; {
		if time.Now().After(deadline) {
			t.Fatalf("20 runs: %d descriptors became %d, %d goroutines %d", fds, count(), routines, runtime.NumGoroutine())
		}
		runtime.Gosched() // connections end in goroutines of their own
	}
}

func TestSystemdLeavesNothing(t *testing.T) {
	address := bus(t)
	shortVigils(t, time.Millisecond)
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": {"loaded", "active", true, []uint32{uint32(os.Getpid())}}})
	leaks(t, func() {
		do(t.Context(), Systemd{Verb: Reload, Unit: "u", Bus: address})
		do(t.Context(), Systemd{Verb: Reload, Unit: "none", Bus: address})
		do(t.Context(), Signal{Signal: 10, Unit: "u", Bus: address})
		do(t.Context(), Systemd{Verb: Reload, Unit: "u", Bus: "unix:path=/no/such"})
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) != 21 {
		t.Errorf("%d jobs", len(s.calls))
	}
}
