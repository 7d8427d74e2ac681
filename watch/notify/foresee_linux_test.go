package notify

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
)

// What would fail is known before there is something to tell, and nobody is told.
func TestForesee(t *testing.T) {
	address := bus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{
		"nginx.service":   {"loaded", "active", true, nil},
		"plain.service":   {"loaded", "inactive", false, nil},
		"masked.service":  {"masked", "inactive", false, nil},
		"faulty.service":  {"bad-setting", "inactive", false, nil},
		"app@one.service": {"loaded", "inactive", true, nil},
	})
	s.files = []unitFile{{"/lib/systemd/system/nginx.service", "enabled"}, {"/lib/systemd/system/ssh.service", "enabled"}}
	here := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(here, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	units := func(verb Verb, unit string) Action { return Systemd{Verb: verb, Unit: unit, Bus: address} }
	for _, tt := range []struct {
		a    Action
		want outcome
	}{
		{units(Reload, "nginx"), outcome{}},
		{units(Restart, "plain"), outcome{}},
		{units(Start, "plain"), outcome{}},
		{units(Reload, "app@one.service"), outcome{}},
		{units(Reload, "plain"), outcome{Reason: NotSupported, What: "unit has no way to reload"}},
		{units(Reload, "ngnix.service"), outcome{Reason: Missing, What: "there is no such unit; did you mean nginx.service?"}},
		{units(Restart, "ngnix"), outcome{Reason: Missing, What: "there is no such unit; did you mean nginx.service?"}},
		{units(Restart, "something-else-altogether"), outcome{Reason: Missing, What: "there is no such unit"}},
		{units(Start, "masked"), outcome{Reason: Masked, What: "unit is masked"}},
		{units(Start, "faulty"), outcome{Reason: NotSupported, What: "systemd cannot use the unit's file"}},
		{units(Reload, "app@.service"), outcome{Reason: NotSupported, What: "app@.service is a template, and no unit without an instance"}},
		{units(Restart, "app@"), outcome{Reason: NotSupported, What: "app@.service is a template, and no unit without an instance"}},
		{Systemd{Verb: Reload, Unit: "nginx", Bus: "unix:path=/nonexistent"}, outcome{Reason: Unreachable, What: "systemd does not answer on D-Bus"}},
		{Signal{Signal: unix.SIGHUP, Unit: "ngnix", Bus: address}, outcome{Reason: Missing, What: "there is no such unit; did you mean nginx.service?"}},
		{Signal{Signal: unix.SIGHUP, Unit: "nginx", Bus: address}, outcome{}},
		{Signal{Signal: unix.SIGHUP, PIDFile: here}, outcome{}},
		{Signal{Signal: unix.SIGHUP, PIDFile: here + "-none"}, outcome{Reason: NotRunning, What: "not running: there is no pid file"}},
		{Run{Command: command.Command{Shell: "exit 1"}}, outcome{}},
	} {
		var got outcome
		if e, ok := errors.AsType[*Error](Foresee(t.Context(), tt.a)); ok {
			got.Reason, got.What = e.Reason, e.What
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.a.Name(), diff)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) > 0 {
		t.Errorf("systemd was asked for %q", s.calls)
	}
}
