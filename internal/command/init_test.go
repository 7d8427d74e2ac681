package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// asInit is the variable of the environment of a test that is the first process of its namespace.
const asInit = "RENDERED_TEST_AS_INIT"

// TestReap has this test run once more, as the first process of a PID namespace, as a daemon is in
// a container.
func TestReap(t *testing.T) {
	if os.Getenv(asInit) != "" {
		beInit(t)
		return
	}
	args := []string{"--fork", "--pid", "--mount-proc", "--kill-child"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	if out, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no PID namespace here: %v: %s", err, out)
		}
		t.Skipf("no PID namespace here: %v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "unshare", append(args, os.Args[0], "-test.run=^TestReap$", "-test.v", fmt.Sprint("-long=", long.Asked()))...)
	cmd.Env = append(os.Environ(), asInit+"=true")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "commands") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// beInit runs commands that leave children, by Run and by a library that waits by itself. No status
// is lost, and no zombie is left a second later.
func beInit(t *testing.T) {
	if os.Getpid() != 1 {
		t.Fatalf("the number is %d", os.Getpid())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go Reap(ctx)
	commands := long.Or(int64(200), 1000)
	var wait sync.WaitGroup
	var next, lost atomic.Int64
	most := 0
	for range 16 {
		wait.Go(func() {
			for i := next.Add(1); i <= commands; i = next.Add(1) {
				status := int(i % 5)
				// What it leaves ends before it, with it, and after it, and holds its output or
				// not.
				line := fmt.Sprintf("(sleep 0.0%d >/dev/null 2>&1 &); true & sleep 0.0%d; exit %d", i%7, i%3, status)
				var code int
				if i%10 == 0 {
					var e *exec.ExitError
					if err := exec.Command("/bin/sh", "-c", line).Run(); errors.As(err, &e) {
						code = e.ExitCode()
					} else if err != nil {
						code = -1
					}
				} else {
					var e *Error
					if _, err := Run(ctx, Command{Shell: line}, Options{}); errors.As(err, &e) {
						code = e.Code
					}
				}
				if code != status {
					lost.Add(1)
					t.Errorf("command %d ended with %d, want %d", i, code, status)
				}
			}
		})
	}
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		wait.Wait()
	}()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-tick.C:
			most = max(most, len(zombies()))
			continue
		case <-stop:
		}
		break
	}
	begun := time.Now()
	for len(zombies()) > 0 && time.Since(begun) < time.Minute {
		<-time.After(10 * time.Millisecond)
	}
	gone := time.Since(begun)
	t.Logf("%d commands, %d lost, at most %d zombies at a time, none %v after the last", commands, lost.Load(), most, gone.Round(10*time.Millisecond))
	if most == 0 {
		t.Error("nothing became a zombie: the test shows nothing")
	}
	if n := len(zombies()); n > 0 || gone > 10*time.Second {
		t.Errorf("%d zombies are left after %v", n, gone)
	}
	// One that Run waits for lies there for a second, while what it left holds its output: it is
	// not taken.
	output, err := Run(ctx, Command{Shell: "echo said; sleep 3 & exit 9"}, Options{})
	var e *Error
	if !errors.As(err, &e) || e.Code != 9 || string(output) != "said\n" {
		t.Errorf("%q, %v", output, err)
	}
}

// A process that is being started has no number yet: until it has one, no zombie is taken that is
// not older than it.
func TestReapWaitsForBirths(t *testing.T) {
	cmd := exec.Command("true")
	family.Lock()
	family.clock++
	family.births[cmd] = family.clock
	before, now := family.clock-1, family.clock
	family.Unlock()
	if borne(before) || !borne(now) {
		t.Errorf("borne before: %v, now: %v", borne(before), borne(now))
	}
	family.Lock()
	delete(family.births, cmd)
	family.Unlock()
	if borne(now) {
		t.Error("it is borne for ever")
	}
	if err := bear(cmd); err != nil || !ours(cmd.Process.Pid) {
		t.Errorf("%v; it is nobody's", err)
	}
	_ = cmd.Wait()
	if forget(cmd.Process.Pid); ours(cmd.Process.Pid) {
		t.Error("it is ours for ever")
	}
}
