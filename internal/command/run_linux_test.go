package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func sh(line string) Command { return Command{Shell: line} }

func TestRun(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	for name, content := range map[string]string{"": "#!/no/such/interpreter\n", ".noexec": "#!/bin/sh\n", ".format": "what"} {
		mode := os.FileMode(0o755)
		if name == ".noexec" {
			mode = 0o644
		}
		if err := os.WriteFile(script+name, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		c      Command
		o      Options
		output string
		want   *Error // nil: it succeeds
		text   string // of the error, after the command
	}{
		{c: sh("echo out; echo err >&2; echo out"), output: "out\nerr\nout\n"},
		{c: Command{Args: []string{"echo", "a b", "$HOME", "{}"}}, output: "a b $HOME {}\n"},
		{c: sh("cat; echo end"), output: "end\n"}, // stdin is empty
		{c: sh("pwd"), o: Options{Dir: "/"}, output: "/\n"},
		{c: sh("echo $A"), o: Options{Env: []string{"A=one", "A=two"}}, output: "two\n"},
		{c: sh("printf 'a\\nb\\nc\\n'"), o: Options{Limit: 4}, output: "a\n… 2 bytes left out …\nc\n"},
		{c: sh("echo no; exit 3"), output: "no\n", want: &Error{Reason: Exit, Code: 3}, text: "exit status 3"},
		{c: sh("kill -SEGV $$"), want: &Error{Reason: Signal, Signal: syscall.SIGSEGV}, text: "killed by SIGSEGV"},
		{c: Command{Args: []string{"no-such-program"}}, want: &Error{Reason: Start}, text: "cannot be started: no-such-program is not in PATH"},
		{c: Command{Args: []string{"/no/such"}}, want: &Error{Reason: Start}, text: "cannot be started: /no/such does not exist"},
		{c: Command{Args: []string{script}}, want: &Error{Reason: Start}, text: "cannot be started: the interpreter that its first line names does not exist"},
		{c: Command{Args: []string{script + ".noexec"}}, want: &Error{Reason: Start}, text: "cannot be started: " + script + ".noexec may not be executed"},
		{c: Command{Args: []string{script + ".format"}}, want: &Error{Reason: Start},
			text: "cannot be started: " + script + ".format is neither a program for this machine nor a script that begins with #!"},
		{c: Command{Args: []string{"true"}}, o: Options{Dir: "/no/such"}, want: &Error{Reason: Start},
			text: "cannot be started: its working directory /no/such does not exist"},
		{c: Command{}, want: &Error{Reason: Start}, text: "cannot be started: no command is given"},
		{c: Command{Args: []string{"sleep", "60"}}, o: Options{Timeout: 50 * time.Millisecond}, want: &Error{Reason: Timeout},
			text: "still running after 50ms, stopped"},
		{c: sh("trap '' TERM; while :; do sleep 60; done"), o: Options{Timeout: 50 * time.Millisecond, KillAfter: 50 * time.Millisecond},
			want: &Error{Reason: Timeout}, text: "still running after 50ms, stopped"},
	} {
		output, err := Run(t.Context(), tt.c, tt.o)
		if string(output) != tt.output {
			t.Errorf("%v: output %q, want %q", tt.c, output, tt.output)
		}
		if tt.want == nil {
			if err != nil {
				t.Errorf("%v: %v", tt.c, err)
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%v: %v, want a *Error", tt.c, err)
			continue
		}
		if e.Reason != tt.want.Reason || e.Code != tt.want.Code || e.Signal != tt.want.Signal || !bytes.Equal(e.Output, output) {
			t.Errorf("%v: %+v, want %+v", tt.c, e, tt.want)
		}
		if got := e.Error(); got != tt.c.String()+": "+tt.text {
			t.Errorf("%v: %q, want %q", tt.c, got, tt.text)
		}
	}
}

// What the daemon knows and a child must not.
func TestEnvironmentHoldsNoCredentials(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", "NOTIFY_SOCKET",
		"WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "CREDENTIALS_DIRECTORY", "JOURNAL_STREAM",
		"RENDERED_LOG_LEVEL", "RENDERED_SERVICE",
	} {
		t.Setenv(name, "canary")
	}
	for _, name := range []string{"AWS_REGION", "AWS_PROFILE", "LISTENER", "OTHER"} {
		t.Setenv(name, "stays")
	}
	output, err := Run(t.Context(), Command{Args: []string{"env"}}, Options{Env: []string{"RENDERED_SERVICE=nginx"}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(output), "canary") {
		t.Errorf("the environment holds what it must not:\n%s", output)
	}
	for _, want := range []string{"AWS_REGION=stays\n", "AWS_PROFILE=stays\n", "LISTENER=stays\n", "OTHER=stays\n", "RENDERED_SERVICE=nginx\n", "PATH="} {
		if !strings.Contains(string(output), want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
}

// told runs a line with a fifo at $FIFO and gives what comes through it, line by line, and what Run
// will give.
func told(t *testing.T, ctx context.Context, line string, o Options) (*bufio.Reader, <-chan error) {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	o.Env = append(o.Env, "FIFO="+fifo)
	result := make(chan error, 1)
	go func() {
		_, err := Run(ctx, sh(line), o)
		result <- err
	}()
	return bufio.NewReader(f), result
}

// process reads a process id and opens the process.
func processOf(t *testing.T, r *bufio.Reader) (pid, fd int) {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	fd, err = unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
		unix.Close(fd)
	})
	return pid, fd
}

// ends reports whether the process ends within patience.
func ends(fd int, patience time.Duration) bool {
	for end := time.Now().Add(patience); ; {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Until(end).Milliseconds()))
		if err != unix.EINTR {
			return err == nil && n == 1
		}
	}
}

// A shell dies of SIGTERM at once; what it started does not, and must not live on.
func TestNobodyOfTheGroupOutlivesATimeout(t *testing.T) {
	r, result := told(t, t.Context(), `
		sh -c 'trap "" TERM; echo $$ >$FIFO; while :; do sleep 60 >/dev/null 2>&1; done' &
		wait`, Options{Timeout: 300 * time.Millisecond, KillAfter: 100 * time.Millisecond})
	_, fd := processOf(t, r)
	var e *Error
	if err := <-result; !errors.As(err, &e) || e.Reason != Timeout {
		t.Fatalf("%v, want a timeout", err)
	}
	if !ends(fd, 5*time.Second) {
		t.Error("a child lives on after the timeout")
	}
}

// A child that cleans up after SIGTERM may finish, although its shell is gone.
func TestChildrenMayCleanUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := filepath.Join(t.TempDir(), "done")
	r, result := told(t, ctx, `
		sh -c 'trap "sleep 0.05; echo > '"$DONE"'; exit" TERM; echo $$ >$FIFO; while :; do sleep 0.01; done' &
		wait`, Options{Env: []string{"DONE=" + done}})
	processOf(t, r)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want it canceled", err)
	}
	if _, err := os.Stat(done); err != nil {
		t.Error("the child was killed while it cleaned up")
	}
}

// The daemon exits within a second, whatever the command thinks of SIGTERM and however patient the
// options are. A busy machine may take longer to give it the processor.
func TestEndOfContextEndsTheCommandWithinASecond(t *testing.T) {
	for _, line := range []string{
		`echo $$ >$FIFO; exec sleep 60`,
		`trap '' TERM; echo $$ >$FIFO; while :; do sleep 60; done`,
		`setsid sleep 60 & trap '' TERM; echo $$ >$FIFO; while :; do sleep 60; done`,
		`echo $$ >$FIFO; kill -STOP $$`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r, result := told(t, ctx, line, Options{KillAfter: time.Hour})
		_, fd := processOf(t, r)
		begun := time.Now()
		cancel()
		var e *Error
		if err := <-result; !errors.As(err, &e) || e.Reason != Stopped || time.Since(begun) > 15*time.Second {
			t.Errorf("%s: %v after %v", line, err, time.Since(begun))
		}
		if !ends(fd, 0) {
			t.Errorf("%s: it lives on", line)
		}
	}
}

// The end of the context also cuts the patience of a timeout short.
func TestEndOfContextDuringATimeout(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, result := told(t, ctx, `trap 'echo $$ >$FIFO' TERM; while :; do sleep 0.01; done`,
		Options{Timeout: 100 * time.Millisecond, KillAfter: time.Hour})
	processOf(t, r)
	cancel()
	begun := time.Now()
	if err := <-result; err == nil || time.Since(begun) > 15*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}

// A command may leave a daemon behind: it lives, and nobody waits for the pipe that it holds.
func TestWhatIsLeftInTheBackgroundLives(t *testing.T) {
	r, result := told(t, t.Context(), `sleep 60 & echo $! >$FIFO`, Options{})
	_, fd := processOf(t, r)
	begun := time.Now()
	if err := <-result; err != nil || time.Since(begun) > 15*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	if ends(fd, 0) {
		t.Error("it was killed")
	}
}

func TestAnEndedContextStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "f")
	if _, err := Run(ctx, sh("touch "+path), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it ran")
	}
}

func TestErrorsHoldNoOutput(t *testing.T) {
	_, err := Run(t.Context(), sh("echo canary; exit 1"), Options{})
	if err == nil || strings.Contains(strings.TrimPrefix(err.Error(), "echo canary; exit 1: "), "canary") {
		t.Errorf("%v", err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	run := func() {
		Run(t.Context(), sh("true"), Options{})
		Run(t.Context(), sh("exit 1"), Options{})
		Run(t.Context(), Command{Args: []string{"/no/such"}}, Options{})
		Run(t.Context(), Command{Args: []string{"sleep", "60"}}, Options{Timeout: time.Millisecond})
		Run(t.Context(), sh("trap '' TERM; while :; do sleep 60; done"), Options{Timeout: 10 * time.Millisecond, KillAfter: time.Millisecond})
	}
	run()
	before := descriptors(t)
	for range 20 {
		run()
	}
	if diff := cmp.Diff(before, descriptors(t)); diff != "" {
		t.Errorf("descriptors (-before +after):\n%s", diff)
	}
	if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("there are children left: %v", err)
	}
}

// descriptors counts the open ones by what they are; those of Go's poller are its own affair.
func descriptors(t *testing.T) map[string]int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "/proc/") {
			kind, _, _ := strings.Cut(target, ":")
			count[kind]++
		}
	}
	return count
}

// What is missing may be nothing of the command's.
func TestWithoutDevNull(t *testing.T) {
	err := NotStarted(Command{Args: []string{"/bin/sh"}}, "", &fs.PathError{Op: "open", Path: os.DevNull, Err: fs.ErrNotExist})
	if err.Outcome() != "cannot be started: open /dev/null: file does not exist" {
		t.Error(err)
	}
}
