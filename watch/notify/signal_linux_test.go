package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
)

// The tests may run under nohup(1): what is ignored from the start is ignored by every program that
// they launch, and a shell cannot change that.
func TestMain(m *testing.M) {
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
	os.Exit(m.Run())
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A program is a shell that says ready once it has set its traps, and a line for each signal that
// it handles.
type program struct {
	pid  int
	says *bufio.Reader
	end  func() // ends and reaps it
}

func launch(t *testing.T, traps string) *program {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", traps+"\necho ready\nwhile :; do sleep 60 >/dev/null & wait $!; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait() // which closes the pipe
	})
	t.Cleanup(end)
	p := &program{cmd.Process.Pid, bufio.NewReader(out), end}
	p.hears(t, "ready")
	return p
}

func (p *program) hears(t *testing.T, want string) {
	t.Helper()
	// What it never says must not be waited for until all tests are stopped.
	limit := time.AfterFunc(time.Minute, p.end)
	defer limit.Stop()
	if line, err := p.says.ReadString('\n'); err != nil || strings.TrimSpace(line) != want {
		t.Fatalf("the program says %q (%v), want %q", line, err, want)
	}
}

func pidFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.pid")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParseSignal(t *testing.T) {
	for text, want := range map[string]syscall.Signal{
		"HUP": unix.SIGHUP, "SIGHUP": unix.SIGHUP, "hup": unix.SIGHUP, "sigusr1": unix.SIGUSR1, "USR2": unix.SIGUSR2,
		"TERM": unix.SIGTERM, "WINCH": unix.SIGWINCH, "KILL": unix.SIGKILL,
	} {
		if got, err := ParseSignal(text); got != want || err != nil {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":       "there are HUP, USR1",
		"1":      "by its name",
		"HPU":    "did you mean HUP?",
		"SIGUSR": "did you mean USR1?",
		"STOP":   "no signal that tells",
		"SEGV":   "no signal that tells",
		"CHLD":   "no signal that tells",
	} {
		if got, err := ParseSignal(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestSignalByPIDFile(t *testing.T) {
	p := launch(t, "trap 'echo hup' HUP; trap 'echo usr1' USR1; trap '' USR2")
	number := strconv.Itoa(p.pid)
	path := pidFile(t, number+"\nmore\n")
	if got := do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path}); got != (outcome{}) {
		t.Fatalf("%+v", got)
	}
	p.hears(t, "hup")
	if got := do(t.Context(), Signal{Signal: unix.SIGUSR1, PIDFile: path}); got != (outcome{}) {
		t.Fatalf("%+v", got)
	}
	p.hears(t, "usr1")

	old := pidFile(t, number)
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		signal syscall.Signal
		file   string
		want   outcome
	}{
		{unix.SIGALRM, path, outcome{Reason: NotHandled, What: "process " + number + " does not handle SIGALRM (yet)"}},
		{unix.SIGUSR2, path, outcome{Reason: NotHandled, What: "process " + number + " ignores SIGUSR2"}},
		{unix.SIGHUP, old, outcome{Reason: Stale, What: "pid file is stale: process " + number + " is younger than it"}},
		{unix.SIGHUP, "/no/such.pid", outcome{Reason: NotRunning, What: "not running: there is no pid file"}},
		{unix.SIGHUP, pidFile(t, ""), outcome{Reason: NotRunning, What: "pid file is empty"}},
		{unix.SIGHUP, pidFile(t, "x"), outcome{Reason: Stale, What: "pid file does not begin with a process's number"}},
		{unix.SIGHUP, pidFile(t, "-1"), outcome{Reason: Stale, What: "pid file does not begin with a process's number"}},
		{unix.SIGHUP, pidFile(t, "0"), outcome{Reason: Stale, What: "pid file does not begin with a process's number"}},
		{unix.SIGHUP, pidFile(t, "99999999999"), outcome{Reason: Stale, What: "pid file does not begin with a process's number"}},
		{unix.SIGHUP, pidFile(t, "2147483647"), outcome{Reason: Stale, What: "pid file is stale: there is no process 2147483647"}},
		{unix.SIGHUP, fifo, outcome{Reason: Stale, What: "pid file is not a regular file"}},
		{unix.SIGHUP, t.TempDir(), outcome{Reason: Stale, What: "pid file is not a regular file"}},
	} {
		if diff := cmp.Diff(tt.want, do(t.Context(), Signal{Signal: tt.signal, PIDFile: tt.file})); diff != "" {
			t.Errorf("%v %s (-want +got)\n%s", tt.signal, tt.file, diff)
		}
	}
	// None of these has harmed it.
	if got := do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path}); got != (outcome{}) {
		t.Fatalf("%+v", got)
	}
	p.hears(t, "hup")
}

// A program that blocks a signal waits for it elsewhere, by sigwait(3) or signalfd(2): it does not
// die of it.
func TestBlockedSignalsAreHandled(t *testing.T) {
	if err := exec.Command("env", "--block-signal=HUP", "true").Run(); err != nil {
		t.Skip("env cannot block signals here")
	}
	cmd := exec.Command("env", "--block-signal=HUP", "sh", "-c", "echo ready; exec sleep 60")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	path := pidFile(t, strconv.Itoa(cmd.Process.Pid))
	for range 2 { // a dead one would not be found the second time
		if got := do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path}); got != (outcome{}) {
			t.Errorf("%+v", got)
		}
	}
}

// SIGTERM is there to end a program; it needs no handler.
func TestSignalsThatEnd(t *testing.T) {
	p := launch(t, "")
	path := pidFile(t, strconv.Itoa(p.pid))
	if got := do(t.Context(), Signal{Signal: unix.SIGTERM, PIDFile: path}); got != (outcome{}) {
		t.Errorf("%+v", got)
	}
	if _, err := p.says.ReadString('\n'); err == nil {
		t.Error("it still speaks")
	}
}

// A process that has ended and waits to be reaped is not running.
func TestSignalToAZombie(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	got := do(t.Context(), Signal{Signal: unix.SIGTERM, PIDFile: pidFile(t, strconv.Itoa(cmd.Process.Pid))})
	want := outcome{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d has ended", cmd.Process.Pid)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An ordinary user's pid file must not lead the daemon to the process of another.
func TestPIDFileOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	p := launch(t, "trap 'echo hup' HUP")
	path := pidFile(t, strconv.Itoa(p.pid))
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	got := do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path})
	want := outcome{Reason: NotPermitted, What: fmt.Sprintf("pid file belongs to user 65534, process %d to user 0", p.pid)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSignalByUnit(t *testing.T) {
	address := bus(t)
	p := launch(t, "trap 'echo hup' HUP")
	pid := uint32(p.pid)
	fakeSystemd(t, address, map[string]*fakeUnit{
		"app.service":     {"loaded", "active", true, []uint32{pid}},
		"stopped.service": {"loaded", "inactive", true, []uint32{0}},
		"masked.service":  {"masked", "inactive", true, []uint32{0}},
		"none.service":    {"not-found", "inactive", true, []uint32{0}},
		"swift.service":   {"loaded", "active", true, []uint32{pid, pid + 1}},
		"dead.service":    {"loaded", "active", true, []uint32{1<<31 - 1}},
		"app.socket":      {"loaded", "active", true, nil},
	})
	for unit, want := range map[string]outcome{
		"app":        {},
		"stopped":    {Reason: NotRunning, What: "unit is not running"},
		"masked":     {Reason: Masked, What: "unit is masked"},
		"none":       {Reason: Missing, What: "there is no such unit"},
		"swift":      {Reason: NotRunning, What: "unit is just being restarted"},
		"dead":       {Reason: NotRunning, What: "unit is just being restarted"},
		"app.socket": {Reason: NotSupported, What: "only a .service has a main process"},
	} {
		if diff := cmp.Diff(want, do(t.Context(), Signal{Signal: unix.SIGHUP, Unit: unit, Bus: address})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", unit, diff)
		}
	}
	p.hears(t, "hup")
}

// The number of a thread is none that anybody writes into a pid file.
func TestThreadIsNoProcess(t *testing.T) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil || len(entries) < 2 {
		t.Skip(err)
	}
	tid, _ := strconv.Atoi(entries[len(entries)-1].Name())
	if _, err := open(tid); err == nil || !strings.Contains(err.Error(), "a thread") {
		t.Errorf("%d of %d: %v", tid, os.Getpid(), err)
	}
}

func TestStartedIsWhenItBegan(t *testing.T) {
	before := time.Now()
	shell := launch(t, "")
	p, err := open(shell.pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	begun, err := p.started()
	if tick := 20 * time.Millisecond; err != nil || begun.Before(before.Add(-tick)) || begun.After(time.Now().Add(tick)) {
		t.Errorf("began %v, %v; launched %v", begun, err, before)
	}
}

func TestSignalLeavesNothing(t *testing.T) {
	p := launch(t, "trap '' HUP; trap : USR1")
	path := pidFile(t, strconv.Itoa(p.pid))
	leaks(t, func() {
		do(t.Context(), Signal{Signal: unix.SIGHUP, PIDFile: path})
		do(t.Context(), Signal{Signal: unix.SIGUSR1, PIDFile: path})
		do(t.Context(), Signal{Signal: unix.SIGUSR1, PIDFile: "/no/such"})
	})
}

func TestRun(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary")
	t.Setenv("RENDERED_CONFIG", "canary")
	r := Run{Command: command.Command{Shell: `env | grep -e canary; echo "$RENDERED_SERVICE: $RENDERED_PATHS"`}}
	output, err := r.Do(t.Context(), Change{Services: []string{"nginx"}, Paths: []string{"/etc/a b", "/etc/c"}})
	if err != nil || string(output.Text) != "nginx: /etc/a b\n/etc/c\n" {
		t.Errorf("%q, %v", output.Text, err)
	}
	if r.Name() != "run "+r.Command.Shell {
		t.Errorf("it is called %s", r.Name())
	}
	// More paths than fit into an environment are no reason to tell nobody.
	many := Change{Services: []string{"s"}}
	for i := range 10_000 {
		many.Paths = append(many.Paths, fmt.Sprintf("/etc/app/conf.d/%d.conf", i))
	}
	if output, err = r.Do(t.Context(), many); err != nil || string(output.Text) != "s: \n" {
		t.Errorf("many paths: %.100q, %v", output.Text, err)
	}
	output, err = Run{Command: command.Command{Shell: "echo why; exit 1"}}.Do(t.Context(), Change{})
	if e, ok := errors.AsType[*command.Error](err); !ok || e.Code != 1 || string(output.Text) != "why\n" || err.Error() != "exit status 1" {
		t.Errorf("%q, %v", output.Text, err)
	}
	_, err = Run{Command: command.Command{Args: []string{"sleep", "60"}}, Timeout: 10 * time.Millisecond}.Do(t.Context(), Change{})
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != Stopped || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want a timeout", err)
	}
	_, err = Run{Command: command.Command{Args: []string{"no-such-program"}}}.Do(t.Context(), Change{})
	if hints := Hints(err); len(hints) == 0 || Hints(fmt.Errorf("wrapped: %w", err)) == nil {
		t.Errorf("%v has no hints", err)
	}
}

func TestAnEndedContextTellsNobody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := launch(t, "trap 'echo hup' HUP")
	for _, a := range []Action{
		Signal{Signal: unix.SIGHUP, PIDFile: pidFile(t, strconv.Itoa(p.pid))},
		Signal{Signal: unix.SIGHUP, Unit: "u"},
		Systemd{Verb: Reload, Unit: "u"},
		Run{Command: command.Command{Args: []string{"true"}}},
	} {
		if _, err := a.Do(ctx, Change{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", a.Name(), err)
		}
	}
}
