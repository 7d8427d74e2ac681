package e2e

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/watch/ledger"
)

// Where there is no D-Bus a reload stays owed, over a restart too; the log says what is away, and
// it is tried again.
func TestBusAway(t *testing.T) {
	t.Parallel()
	s := &site{t: t, dir: t.TempDir()}
	write(t, s.path("rendered.yaml"), `{state_dir: state, schedule: '@hourly', services: {web: {files: [{content: x, path: f}], notify: [{reload: nginx.service}]}}}`)
	environ := append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+s.path("bus"))
	once := exec.CommandContext(t.Context(), program(t), "once", "-c", "rendered.yaml")
	once.Dir, once.Env = s.dir, environ
	out, err := once.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "reload nginx.service: systemd does not answer on D-Bus; still owed") || !strings.Contains(string(out), "is dbus running") {
		t.Errorf("%v:\n%s", err, out)
	}
	if record := s.read("state/" + ledger.Name); s.read("f") != "x" || !strings.Contains(record, "path") {
		t.Errorf("f holds %q, the ledger:\n%s", s.read("f"), record)
	}

	run := exec.Command(program(t), "run", "-c", "rendered.yaml")
	log := must(os.Create(s.path("log")))
	defer log.Close()
	run.Dir, run.Env, run.Stderr = s.dir, environ, log
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = run.Process.Kill()
		_ = run.Wait()
	}()
	until(t.Fatalf, "the log says that the bus is away", func() bool {
		return strings.Contains(s.read("log"), `msg="not told, still owed, will try again" service=web notice="reload nginx.service" err="systemd does not answer on D-Bus"`)
	})
	bus, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.path("bus"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer bus.Close()
	asked := make(chan struct{})
	go func() {
		if conn, err := bus.Accept(); err == nil {
			conn.Close()
			close(asked)
		}
	}()
	until(t.Fatalf, "it is tried again", func() bool {
		select {
		case <-asked:
			return true
		default:
			return false
		}
	})
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := run.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, s.read("log"))
	}
}
