package command

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Who has awaited a child finds its status where it was.
func TestAwait(t *testing.T) {
	cmd := exec.Command("sh", "-c", "exit 3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	Await(cmd.Process.Pid)
	Await(cmd.Process.Pid) // it has ended already
	ended := (*exec.ExitError)(nil)
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 3 {
		t.Error(err)
	}
	Await(cmd.Process.Pid) // there is none
}

// A child that is stopped has not ended.
func TestAwaitStopped(t *testing.T) {
	cmd := exec.Command("sh", "-c", "kill -STOP $$")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatal(status, err)
	}
	ended := make(chan bool)
	go func() {
		Await(cmd.Process.Pid)
		close(ended)
	}()
	select {
	case <-ended:
		t.Error("it has ended")
	case <-time.After(50 * time.Millisecond):
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
