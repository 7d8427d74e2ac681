package notify

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Whatever keeps a unit from being told has a reason of its own, and hints that say what to do
// where a person can do something.
func TestEachTroubleIsToldApart(t *testing.T) {
	address := bus(t)
	shortVigils(t, 0)
	good := fakeUnit{"loaded", "active", true, []uint32{0}}
	s := fakeSystemd(t, address, nil)
	seen := make(map[Reason]string)
	texts := make(map[string]string)
	for _, tt := range []struct {
		name, result, bus string
		unit              fakeUnit
		action            Action
	}{
		{name: "D-Bus away", bus: "unix:path=" + filepath.Join(t.TempDir(), "none"), unit: good},
		{name: "masked", unit: fakeUnit{"masked", "inactive", false, nil}},
		{name: "missing", unit: fakeUnit{"not-found", "inactive", false, nil}},
		{name: "failed", result: "failed", unit: good},
		{name: "timed out", result: "timeout", unit: good},
		{name: "no reload", unit: fakeUnit{"loaded", "active", false, nil}},
		{name: "inactive, to be signaled", unit: fakeUnit{"loaded", "inactive", true, []uint32{0}}, action: Signal{Signal: unix.SIGHUP, Unit: "u", Bus: address}},
	} {
		s.mu.Lock()
		s.units, s.result = map[string]*fakeUnit{"u.service": &tt.unit}, tt.result
		s.mu.Unlock()
		if tt.bus == "" {
			tt.bus = address
		}
		if tt.action == nil {
			tt.action = Systemd{Verb: Reload, Unit: "u", Bus: tt.bus}
		}
		_, err := tt.action.Do(t.Context(), Change{})
		got := do(t.Context(), tt.action)
		if first := seen[got.Reason]; got.Reason == "" || first != "" {
			t.Errorf("%s: the reason is %q, as that of %q", tt.name, got.Reason, first)
		}
		if first := texts[got.What]; got.What == "" || first != "" {
			t.Errorf("%s: it says %q, as for %q", tt.name, got.What, first)
		}
		if len(Hints(err)) == 0 {
			t.Errorf("%s: nobody is told what to do", tt.name)
		}
		seen[got.Reason], texts[got.What] = tt.name, tt.name
	}
}

// The bus may go while systemd is at work: nobody knows what came of it, so that it is done again.
func TestBusGoesWhileWeWait(t *testing.T) {
	address, end := mortalBus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{"u.service": {"loaded", "active", true, nil}})
	s.hang()
	result := make(chan outcome)
	go func() { result <- do(t.Context(), Systemd{Verb: Reload, Unit: "u", Bus: address}) }()
	<-s.asked
	end()
	want := outcome{Reason: Unreachable, What: "the connection to systemd broke"}
	if diff := cmp.Diff(want, <-result); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A process that is held is told from another that has got its number, and the other hears nothing.
func TestReusedNumberIsNotSignaled(t *testing.T) {
	const last = "/proc/sys/kernel/ns_last_pid" // pid_namespaces(7)
	if os.Geteuid() != 0 {
		t.Skip("only root chooses the number of the next process")
	}
	for range 50 { // somebody else may get the number
		old := launch(t, "trap 'echo hup' HUP")
		path := pidFile(t, strconv.Itoa(old.pid))
		held, err := open(old.pid)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		old.end()
		if err := os.WriteFile(last, []byte(strconv.Itoa(old.pid-1)), 0); err != nil {
			t.Skip(err)
		}
		other := launch(t, "trap 'echo hup' HUP; trap 'echo usr1' USR1")
		if other.pid != old.pid {
			other.end()
			continue
		}
		gone := outcome{Reason: NotRunning, What: "process " + strconv.Itoa(old.pid) + " has just ended"}
		for what, err := range map[string]error{"look": held.heeds(unix.SIGHUP), "signal": held.send(unix.SIGHUP)} {
			if e, ok := err.(*Error); !ok || (outcome{Reason: e.Reason, What: e.What}) != gone {
				t.Errorf("%s: %v, want %+v", what, err, gone)
			}
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path}); got.Reason != Stale {
			t.Errorf("by the pid file of the old one: %+v", got)
		}
		if got := do(t.Context(), Signal{Signal: unix.SIGUSR1, PIDFile: pidFile(t, strconv.Itoa(other.pid))}); got != (outcome{}) {
			t.Fatalf("%+v", got)
		}
		other.hears(t, "usr1") // and no hup before it
		return
	}
	t.Skip("the number was taken by others each time")
}
