package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestStoppedDaemon has every verb ask a daemon that is stopped, before or while it is asked: each
// says so in a bounded time.
func TestStoppedDaemon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "values.yaml"), "secrets: {}\n")
	write(t, filepath.Join(dir, "rendered.yaml"), "values: values.yaml\nstate_dir: state\nservices:\n  a: {files: [{content: x, path: f}]}\n  b: {files: [{content: '{{ secret \"none\" }}', path: g}]}\n")
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program(t), args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "RENDERED_CONFIG=rendered.yaml", "RENDERED_SOCKET="+filepath.Join(dir, "socket"))
		return cmd
	}
	daemon := command("run")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	}()
	until(t.Fatalf, "the daemon can be asked", func() bool { return command("wait", "a").Run() == nil })

	var asked sync.WaitGroup
	ask := func(what, within string, args ...string) {
		asked.Go(func() {
			var said bytes.Buffer
			cmd := command(args...)
			cmd.Stdout, cmd.Stderr = &said, &said
			begun := time.Now()
			err := cmd.Run()
			exit, _ := errors.AsType[*exec.ExitError](err)
			if exit == nil || exit.ExitCode() != 2 || !strings.Contains(said.String(), "does not answer within "+within) || !strings.Contains(said.String(), "systemctl restart rendered") {
				t.Errorf("%s: %v after %v:\n%s", what, err, time.Since(begun), &said)
			}
			// What has the daemon do something is in its socket, and may be done when it goes on.
			does := slices.Contains([]string{"refresh", "reload", "pause", "resume"}, args[0])
			if within == "10s" && does != strings.Contains(said.String(), "it may be done all the same once the daemon goes on") {
				t.Errorf("%s:\n%s", what, &said)
			}
		})
	}
	// A wait that is longer than that goes on as long as the daemon is there.
	waiting := command("wait", "b", "--timeout", "12s")
	if err := waiting.Run(); waiting.ProcessState.ExitCode() != 1 {
		t.Errorf("wait: %v", err)
	}
	ask("wait, before", "10s", "wait", "b", "--timeout", "0")
	<-time.After(200 * time.Millisecond) // it has asked, or asks now: either is well
	if err := daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"status"}, {"status", "a"}, {"status", "--json"}, {"history"}, {"refresh"}, {"refresh", "a", "--wait"}, {"wait"}, {"reload"}, {"pause", "a", "--why", "x"}, {"resume", "a"}} {
		ask(strings.Join(args, " "), "10s", args...)
	}
	// Whose own time is over first does not know whether anything was begun, and does not say so.
	for _, args := range [][]string{{"refresh", "a", "--wait"}, {"wait"}, {"reload"}, {"pause", "a", "--why", "x"}} {
		ask(strings.Join(args, " ")+" for a second", "1s", append(args, "--timeout", "1s")...)
	}
	asked.Wait()
	for _, verb := range []string{"status", "resume"} {
		begun := time.Now()
		if out, err := command("__complete", verb, "").Output(); err != nil || time.Since(begun) > 5*time.Second {
			t.Errorf("completion of %s: %v after %v: %s", verb, err, time.Since(begun), out)
		}
	}
	if err := daemon.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if out, err := command("status", "a").CombinedOutput(); err == nil && !strings.Contains(string(out), "current") {
		t.Errorf("it goes on: %v: %s", err, out)
	}
}
