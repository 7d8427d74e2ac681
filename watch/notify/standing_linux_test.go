package notify

import (
	"errors"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"
)

func TestStandingOf(t *testing.T) {
	address := bus(t)
	s := fakeSystemd(t, address, map[string]*fakeUnit{
		"app.service": {load: "loaded", active: "failed"}, "app.socket": {load: "loaded", active: "active"}, "masked.service": {load: "masked", active: "inactive"},
	})
	s.mu.Lock() // it is asked already
	s.more = map[string]dbus.Variant{
		"InvocationID": dbus.MakeVariant([]byte{0xab, 0x01}), "NRestarts": dbus.MakeVariant(uint32(3)), "Type": dbus.MakeVariant("notify"),
		"InactiveExitTimestamp": dbus.MakeVariant(uint64(1_700_000_000_000_001)), "Result": dbus.MakeVariant("exit-code"),
		"ExecMainCode": dbus.MakeVariant(int32(1)), "ExecMainStatus": dbus.MakeVariant(int32(7)),
	}
	s.mu.Unlock()
	begun := time.UnixMicro(1_700_000_000_000_001)
	for _, tt := range []struct {
		unit   string
		want   Standing
		reason Reason
	}{
		{"app", Standing{Active: "failed", Invocation: "ab01", Kind: "notify", Restarts: 3, Failed: true, Failure: "exit status 7", Begun: begun}, ""},
		{"app.socket", Standing{Active: "active", Invocation: "ab01", Begun: begun}, ""},
		{"masked", Standing{}, Masked},
		{"none", Standing{}, Missing},
	} {
		got, err := StandingOf(t.Context(), address, tt.unit)
		var reason Reason
		if e, ok := errors.AsType[*Error](err); ok {
			reason = e.Reason
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || reason != tt.reason {
			t.Errorf("%s: %v (-want +got)\n%s", tt.unit, err, diff)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) > 0 {
		t.Errorf("systemd was asked for %q", s.calls)
	}
}
