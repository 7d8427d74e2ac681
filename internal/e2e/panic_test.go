package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/internal/e2e/breakdown"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

// TestPanicInAPass makes the command panic before each of its steps, over something that quotes a
// value. It says where that was and not the value, and the next pass puts everything right. Without
// -long it does so before every seventh.
func TestPanicInAPass(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustOnce()
	pace := long.Or(7, 1)
	for step := 1; ; step += pace {
		s.put(strconv.Itoa(step))
		out, err := s.once("env", fmt.Sprint(breakdown.PanicAt, "=", step))
		if err == nil {
			t.Logf("panics before %d steps", (step-1)/pace)
			return
		}
		end, ok := errors.AsType[*exec.ExitError](err)
		if !ok || end.ExitCode() != exitFailed && end.ExitCode() != exitPanic || strings.Contains(out, canary) || !strings.Contains(out, "a mistake in rendered itself: panic of *errors.errorString") {
			t.Fatalf("step %d: %v:\n%s", step, err, out)
		}
		s.mustOnce()
		s.whole(fmt.Sprint("after step ", step), strconv.Itoa(step), strconv.Itoa(step))
		if record := s.read("state/" + ledger.Name); strings.Contains(record, "path") {
			t.Fatalf("step %d: still owed:\n%s", step, record)
		}
	}
}

// TestPanicInTheDaemon makes the daemon panic in the middle of a pass: the pass fails, and is done
// again. Or it panics beside it, while it has the config remembered.
func TestPanicInTheDaemon(t *testing.T) {
	t.Parallel()
	inPass := 0
	for step := 30; step < 66; step += 8 {
		s := newSite(t)
		log := must(os.Create(s.path("log")))
		defer log.Close()
		run := exec.Command(program(t), "run", "-c", "rendered.yaml")
		run.Dir, run.Stderr = s.dir, log
		run.Env = append(os.Environ(), append(s.aws.Env(), fmt.Sprint(breakdown.PanicAt, "=", step))...)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		until(t.Errorf, "all is told, after a panic", func() bool {
			said := s.read("log")
			good := strings.Contains(said, "up to date again") || strings.Contains(said, "cannot be remembered")
			return s.exited(run) || strings.Contains(said, "a mistake in rendered itself") && good && s.read("told") != "" && !strings.Contains(s.read("state/"+ledger.Name), "path")
		})
		_ = run.Process.Signal(syscall.SIGTERM)
		err := run.Wait()
		if strings.Contains(s.read("log"), canary) {
			t.Errorf("step %d: the log holds a value:\n%s", step, s.read("log"))
		}
		switch code := run.ProcessState.ExitCode(); {
		case err == nil:
			inPass++
		case code != exitPanic || inPass > 0: // the first steps are those of the start
			t.Errorf("step %d: %v:\n%s", step, err, s.read("log"))
		}
	}
	if inPass < 3 {
		t.Errorf("%d steps were a pass's", inPass)
	}
}

// exited tells whether a process has ended and waits to be asked why.
func (s *site) exited(cmd *exec.Cmd) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
