package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/internal/e2e/breakdown"
	"github.com/rendered/rendered/watch/ledger"
)

// A daemon is one life of it.
type daemon struct {
	*exec.Cmd
	line *os.File // ends when the daemon and everything it has started are gone
}

// start begins a life, on a disk that may be slow: there a swap takes longer to go through.
func (s *storm) start(slow bool) *daemon {
	s.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Close()
	d := &daemon{exec.Command(program(s.t), "run", "-c", "rendered.yaml"), r}
	d.Dir, d.Stderr, d.ExtraFiles = s.dir, s.log, []*os.File{w}
	d.Env = append(os.Environ(), s.aws.Env()...)
	if slow {
		d.Env = append(d.Env, breakdown.SlowDisk+"=yes")
	}
	if err := d.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.living.Store(d)
	return d
}

// kill ends the daemon, as systemd does with what a unit has left, with everything that it has
// started: a command that lives on would be told of files that the next daemon replaces.
func (d *daemon) kill(t *testing.T) {
	if err := d.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	_ = d.Wait()
	if status := d.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("the daemon ended by itself: %v", d.ProcessState)
	}
	d.bury()
}

// bury waits until everything that the daemon has started is gone, too.
func (d *daemon) bury() {
	_, _ = io.Copy(io.Discard, d.line)
	d.line.Close()
}

// settle waits until every dependent knows the current version, and nothing is owed; then the
// daemon is to end as it is told to.
func (s *storm) settle(d *daemon) {
	s.t.Helper()
	until(s.t.Errorf, "all is told", func() bool {
		for _, name := range dependents {
			lines := strings.Split(strings.TrimSpace(s.read("notes/"+name)), "\n")
			if words := strings.Fields(lines[len(lines)-1]); len(words) < 2 || words[0] != "told" || words[1] != fmt.Sprint(s.version.Load()) {
				return false
			}
		}
		return !strings.Contains(s.read("state/"+ledger.Name), "path")
	})
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Error(err)
	}
	if err := d.Wait(); err != nil {
		s.t.Errorf("%v:\n%s", err, s.read("log"))
	}
	d.bury()
	s.living.Store(nil)
}
