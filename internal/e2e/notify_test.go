package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A systemdEar is what the daemon tells systemd, as it comes.
type systemdEar struct {
	t      *testing.T
	socket *net.UnixConn
	lines  []string
}

func listenAs(t *testing.T, dir string) *systemdEar {
	t.Helper()
	socket := must(net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}))
	t.Cleanup(func() { socket.Close() })
	return &systemdEar{t: t, socket: socket}
}

// until hears more until a line is among those that were heard; then it forgets all of them, and
// gives them.
func (s *systemdEar) until(line string) []string {
	s.t.Helper()
	_ = s.socket.SetReadDeadline(time.Now().Add(patience))
	for !slices.Contains(s.lines, line) {
		buffer := make([]byte, 8192)
		n, err := s.socket.Read(buffer)
		if err != nil {
			s.t.Fatalf("waited in vain for %q; heard %q", line, slices.Compact(slices.Sorted(slices.Values(s.lines))))
		}
		s.lines = append(s.lines, strings.Split(strings.TrimSpace(string(buffer[:n])), "\n")...)
	}
	heard := s.lines
	s.lines = nil
	return heard
}

// systemd hears that the daemon is ready when everything was tried, how things stand, and that it
// is alive while a check hangs.
func TestSystemdHears(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	systemd := listenAs(t, s.dir)
	write(t, s.path("v.yaml"), "secrets: {}")
	if err := syscall.Mkfifo(s.path("gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, s.path("rendered.yaml"), `{state_dir: state, schedule: '@hourly', values: v.yaml, services: {
		good: {files: [{content: x, path: f}]},
		bad: {files: [{content: '{{secret "gone"}}', path: g}]},
		slow: {files: [{content: x, path: h, check: 'read line <gate; test -f {}'}]}}}`)
	run := exec.Command(program(t), "run", "-c", "rendered.yaml")
	run.Dir, run.Stderr = s.dir, must(os.Create(s.path("log")))
	run.Env = append(os.Environ(), "NOTIFY_SOCKET="+s.path("notify"), "WATCHDOG_USEC=300000")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = run.Process.Kill()
		_ = run.Wait()
	}()

	failing := "1 failing: bad: secret gone does not exist: not in " + s.path("v.yaml")
	heard := systemd.until("STATUS=1 current, 1 not yet looked at, " + failing)
	for range 3 { // while a check hangs
		heard = append(heard, systemd.until("WATCHDOG=1")...)
	}
	if slices.Contains(heard, "READY=1") {
		t.Errorf("ready before everything was tried: %q", heard)
	}
	write(t, s.path("gate"), "\n")
	heard = systemd.until("STATUS=2 current, " + failing)
	if !slices.Contains(heard, "READY=1") {
		t.Errorf("not ready: %q", heard)
	}

	write(t, s.path("rendered.yaml"), "services: []")
	if err := run.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	heard = systemd.until("READY=1")
	i := slices.Index(heard, "RELOADING=1")
	if i < 0 || !strings.HasPrefix(heard[i+1], "MONOTONIC_USEC=") {
		t.Errorf("reload: %q", heard)
	}
	status := slices.IndexFunc(heard, func(line string) bool {
		return strings.HasPrefix(line, "STATUS=config not usable, the old one is in force: ")
	})
	if status < i || !strings.HasSuffix(heard[status], "; 2 current, "+failing) {
		t.Errorf("reload of a broken config: %q", heard)
	}

	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	systemd.until("STOPPING=1")
	if err := run.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, s.read("log"))
	}
}
