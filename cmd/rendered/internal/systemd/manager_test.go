package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// heard gives a manager, and what it has said since it was last asked, a line each.
func heard(watchdog time.Duration) (m *Manager, since func() []string) {
	var said []string
	m = &Manager{watchdog: watchdog, send: func(text string) {
		said = append(said, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	}}
	return m, func() []string { defer func() { said = nil }(); return said }
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("said %q, want %q", got, want)
	}
}

var (
	untried = watch.Report{Services: []watch.Standing{{Service: "a"}}}
	tried   = watch.Report{Tried: true, Services: []watch.Standing{{Service: "a", Tried: true}}}
)

func TestReadyWhenEverythingWasTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, said := heard(0)
		m.Report(untried)
		want(t, said(), "STATUS=1 not yet looked at", "EXTEND_TIMEOUT_USEC=60000000")
		m.Report(untried)
		want(t, said())
		<-time.After(beatAnyway)
		m.Report(untried)
		want(t, said(), "EXTEND_TIMEOUT_USEC=60000000")
		early := untried
		early.Doing = watch.Reloading
		m.Report(early) // it would be taken for the end of the start when it is over
		want(t, said(), "STATUS=reading the config again; 1 not yet looked at")
		m.Report(tried)
		want(t, said(), "READY=1", "STATUS=1 current")
		<-time.After(time.Hour)
		m.Report(tried)
		want(t, said())
		end := tried
		end.Doing = watch.Stopping
		m.Report(end)
		want(t, said(), "STOPPING=1", "STATUS=stopping; 1 current")
	})
}

func TestReloadHasItsTime(t *testing.T) {
	m, said := heard(0)
	m.Report(tried)
	said()
	before := monotonicNow(t)
	during := tried
	during.Doing = watch.Reloading
	m.Report(during)
	list := said()
	if len(list) != 3 || list[0] != "RELOADING=1" {
		t.Fatalf("said %q", list)
	}
	at, err := strconv.ParseInt(strings.TrimPrefix(list[1], "MONOTONIC_USEC="), 10, 64)
	if err != nil || at < before || at > monotonicNow(t) {
		t.Errorf("%s, not between %d and now", list[1], before)
	}
	m.Report(during)
	want(t, said())
	m.Report(tried)
	want(t, said(), "READY=1", "STATUS=1 current")
}

func monotonicNow(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

// The watchdog hears of each beat, and not of each of many rounds.
func TestWatchdogHearsOfRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, said := heard(30 * time.Second)
		if m.Beat() != 10*time.Second {
			t.Errorf("beat %v", m.Beat())
		}
		m.Report(tried)
		want(t, said(), "READY=1", "STATUS=1 current", "WATCHDOG=1")
		for range 60 {
			<-time.After(time.Second / 2)
			m.Report(tried)
		}
		if n := len(said()); n < 3 || n > 4 {
			t.Errorf("%d signs of life in 30 s", n)
		}
	})
}

// What the environment says is honoured, with sockets that have a path and those that have none.
func TestFromEnviron(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@" + t.Name() + strconv.Itoa(os.Getpid())} {
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		t.Setenv("NOTIFY_SOCKET", name)
		t.Setenv("WATCHDOG_USEC", "3000000")
		t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
		m := FromEnviron(slog.New(slog.DiscardHandler))
		m.Report(tried)
		buffer := make([]byte, 4096)
		n, err := socket.Read(buffer)
		if got := string(buffer[:n]); err != nil || got != "READY=1\nSTATUS=1 current\nWATCHDOG=1\n" || m.Beat() != time.Second {
			t.Errorf("%s: %v: %q, beat %v", name, err, got, m.Beat())
		}
	}
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()+1)) // somebody else's
	if m := FromEnviron(slog.New(slog.DiscardHandler)); m.Beat() != beatAnyway {
		t.Errorf("beat %v for a watchdog that watches another process", m.Beat())
	}
	t.Setenv("NOTIFY_SOCKET", "")
	if m := FromEnviron(slog.New(slog.DiscardHandler)); m != nil || m.Beat() != 0 {
		t.Error("there is a systemd where no socket is named")
	}

	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	var log bytes.Buffer
	m := FromEnviron(slog.New(slog.NewTextHandler(&log, nil)))
	m.Report(tried)
	m.Report(untried)
	if n := strings.Count(log.String(), "systemd cannot be told"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}

func TestWatchdogOf(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
		fails     bool
	}{
		{"", "", 0, false},
		{"60000000", "", time.Minute, false},
		{"60000000", own, time.Minute, false},
		{"60000000", own + "1", 0, false},
		{"0", own, 0, true},
		{"-1", own, 0, true},
		{"a minute", own, 0, true},
		{"9223372036854775807", own, 0, true},
	} {
		got, err := watchdogOf(c.usec, c.pid)
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%q, %q: %v, %v", c.usec, c.pid, got, err)
		}
	}
}

// A systemd that hangs does not hold up whoever tells it something.
func TestSystemdHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for { // until its queue is full
		if err := send(path, "x"); errors.Is(err, os.ErrDeadlineExceeded) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatus(t *testing.T) {
	current := watch.Standing{Service: "a", Tried: true}
	held := watch.Standing{Service: "b", Tried: true, Owed: []tell.Owed{{Dependent: "reload b.service"}}}
	refused := watch.Standing{Service: "c", Tried: true, Owed: []tell.Owed{{Dependent: "x"}, {Dependent: "reload c.service", Failure: "unit is masked"}}}
	failing := watch.Standing{Service: "d", Tried: true, Failure: "secret prod/d: access denied", Owed: held.Owed}
	second := watch.Standing{Service: "e", Tried: true, Failure: "no"}
	back := watch.Standing{Service: "f", Tried: true, Rollout: &pass.Rollout{Stage: pass.Rejected, Failure: "answered 502"}}
	undone := watch.Standing{Service: "g", Tried: true, Rollout: &pass.Rollout{Drained: true, Undone: "after: undrain: exit status 3"}}
	either := watch.Standing{Service: "either", Tried: true, Rollout: &pass.Rollout{Stage: pass.Reverted, Failure: "answered 502", Still: "unit is not active"}}
	unknown := fault.List{{Place: fault.Place{File: "conf.d/b.yaml", Line: 2, Column: 3}, What: "unknown key"}}
	for _, c := range []struct {
		report watch.Report
		want   string
	}{
		{watch.Report{}, "no services"},
		{watch.Report{Services: []watch.Standing{current, current}}, "2 current"},
		{watch.Report{Services: []watch.Standing{current, held}}, "1 current, 1 owes a notice"},
		{watch.Report{Services: []watch.Standing{held, current}}, "1 current, 1 owes a notice"},
		{watch.Report{Services: []watch.Standing{held, refused}}, "2 owe notices: c: reload c.service: unit is masked"},
		{watch.Report{Services: []watch.Standing{current, refused, failing, second}}, "1 current, 1 owes a notice, 2 failing: d: secret prod/d: access denied"},
		{watch.Report{Services: []watch.Standing{back, second, either, undone}}, "1 rolled back, 2 not well, 1 failing: e: no"},
		{watch.Report{Services: []watch.Standing{back, undone, either}}, "1 rolled back, 2 not well: g: after: undrain: exit status 3"},
		{watch.Report{Services: []watch.Standing{refused, back, {Service: "h", Held: new(pass.Hold)}}}, "1 held, 1 owes a notice, 1 rolled back: f: answered 502"},
		{watch.Report{Services: []watch.Standing{either}}, "1 not well: either: unit is not active"},
		{watch.Report{Services: []watch.Standing{{Service: "a"}, current}}, "1 current, 1 not yet looked at"},
		{watch.Report{Services: []watch.Standing{{Service: "a", Tried: true, Failure: "no", Paused: new(pass.Pause)}, current}}, "1 current, 1 paused"},
		{watch.Report{Doing: watch.Reloading, Services: []watch.Standing{current}}, "reading the config again; 1 current"},
		{watch.Report{Unusable: "rendered.yaml:3:5: unknown key\nand more", Services: []watch.Standing{current}},
			"config not usable, the old one is in force: rendered.yaml:3:5: unknown key; 1 current"},
		{watch.Report{Faulty: []watch.Faulty{{Service: "b", Instead: watch.OldSelf, Faults: unknown}}, Services: []watch.Standing{current}},
			"b keeps its old self: conf.d/b.yaml:2:3: unknown key; 1 current"},
		{watch.Report{Faulty: []watch.Faulty{{Part: "conf.d/b.yaml", Faults: unknown}, {Service: "c"}, {Service: "d"}}, Services: []watch.Standing{current}},
			"conf.d/b.yaml cannot be used, and 2 more are faulty: conf.d/b.yaml:2:3: unknown key; 1 current"},
		{watch.Report{Faulty: []watch.Faulty{{Service: "b", Part: "conf.d/b.yaml", Instead: watch.Namesake, Faults: unknown}, {Service: "c"}}},
			"b of conf.d/b.yaml is left out, and 1 more is faulty: conf.d/b.yaml:2:3: unknown key; no services"},
		{watch.Report{Services: []watch.Standing{{Service: "a", Failure: "two\nlines\x1b[2J\u009b\u202e\xff"}}}, `1 failing: a: two lines\x1b[2J\u009b\u202e\xff`},
	} {
		if got := status(c.report); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	long := status(watch.Report{Services: []watch.Standing{{Service: "a", Failure: strings.Repeat("ü", 5000)}}})
	if len(long) > maxStatus || !strings.HasSuffix(long, "ü…") {
		t.Error(fmt.Sprintf("%d bytes: ", len(long)), long)
	}
}
