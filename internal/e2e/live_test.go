package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
)

// A live is a directory that a daemon keeps, with real programs that read its files.
type live struct {
	t   *testing.T
	dir string
	uid int // whom all of it belongs to, and who runs it; his group has the same number
	aws *awsfake.Server
	log *os.File
	exe string
}

// newLive gives one in a directory whose name is short enough for sockets, and whose user may be
// another: some servers refuse root.
func newLive(t *testing.T, uid int) *live {
	t.Helper()
	dir := must(os.MkdirTemp("/tmp", "rendered-live"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &live{t: t, dir: dir, uid: uid, aws: awsfake.Start(t), exe: program(t)}
	l.log = must(os.Create(l.path("log")))
	t.Cleanup(func() {
		if l.log.Close(); t.Failed() {
			t.Logf("the daemon's log:\n%s", l.read("log"))
		}
	})
	if uid != os.Geteuid() {
		l.exe = l.path("rendered")
		copyProgram(t, l.exe)
	}
	l.give()
	return l
}

func (l *live) path(name string) string { return filepath.Join(l.dir, name) }

// give makes everything belong to the user.
func (l *live) give() {
	l.t.Helper()
	err := filepath.WalkDir(l.dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, l.own(path))
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// own makes a file belong to the user.
func (l *live) own(path string) error {
	if l.uid == os.Geteuid() {
		return nil
	}
	return os.Lchown(path, l.uid, l.uid)
}

// write puts a text in the place of a file in one step, with DIR for the directory.
func (l *live) write(name, text string) {
	l.t.Helper()
	write(l.t, l.path(".new"), strings.ReplaceAll(text, "DIR", l.dir))
	if err := errors.Join(l.own(l.path(".new")), os.Rename(l.path(".new"), l.path(name))); err != nil {
		l.t.Fatal(err)
	}
}

func (l *live) read(name string) string {
	data, err := os.ReadFile(l.path(name))
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return string(data)
}

// command gives a command of the user.
func (l *live) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), append(l.aws.Env(), "HOME="+l.dir, "RENDERED_CONFIG=rendered.yaml", "RENDERED_SOCKET="+l.path("socket"))...)
	if l.uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(l.uid), Gid: uint32(l.uid)}}
	}
	return cmd
}

// serve runs a server until the test is over.
func (l *live) serve(name string, args ...string) {
	l.t.Helper()
	cmd := l.command(name, args...)
	said := must(os.CreateTemp(l.t.TempDir(), "said"))
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT)
		killing := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		killing.Stop()
		if text, _ := os.ReadFile(said.Name()); l.t.Failed() {
			l.t.Logf("%s said:\n%s", filepath.Base(name), text)
		}
		said.Close()
	})
}

// start begins a life of the daemon, which ends with the test at the latest.
func (l *live) start(env ...string) *daemon {
	l.t.Helper()
	r, w := must2(os.Pipe())
	defer w.Close()
	d := &daemon{l.command(l.exe, "run"), r}
	d.Stderr, d.ExtraFiles = l.log, []*os.File{w}
	d.Env = append(d.Env, env...)
	if err := d.Start(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if d.ProcessState == nil {
			_ = d.Process.Kill()
			_ = d.Wait()
			d.bury()
		}
	})
	return d
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// end has the daemon end by itself.
func (l *live) end(d *daemon) {
	l.t.Helper()
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		l.t.Error(err)
	}
	if err := d.Wait(); err != nil {
		l.t.Errorf("the daemon: %v", err)
	}
	d.bury()
}

// asks runs the program, and gives what it says.
func (l *live) asks(args ...string) string {
	l.t.Helper()
	out, err := l.command(l.exe, args...).Output()
	if code := 0; err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if ok {
			code = failed.ExitCode()
		}
		if !ok || code != exitFailed {
			l.t.Fatalf("rendered %v: %v:\n%s", args, err, out)
		}
	}
	return string(out)
}

// A stand is what status says of the one service.
type stand struct {
	State, Failure string
	Looked         time.Time
	Dependents     []struct {
		Name string
		Told time.Time
		Owed bool
	}
	Rollout *struct {
		Stage, Failure, Stays string
		Hints                 []string
	}
}

// stands gives how the service stands; the zero stand where no daemon answers.
func (l *live) stands() (s stand) {
	l.t.Helper()
	out, _ := l.command(l.exe, "status", "--json").Output()
	var all struct{ Services []stand }
	if json.Unmarshal(out, &all) != nil || len(all.Services) != 1 {
		return s
	}
	return all.Services[0]
}

// becomes waits until the service stands so, by status, as far as a rollout has come, "" being that
// there is none.
func (l *live) becomes(state, stage string) (s stand) {
	l.t.Helper()
	fail := func(format string, a ...any) {
		l.t.Helper()
		l.t.Fatalf("%s; it is %+v", fmt.Sprintf(format, a...), s)
	}
	untilWithin(2*patience, fail, "the service is "+state+" "+stage, func() bool {
		s = l.stands()
		is := ""
		if s.Rollout != nil {
			is = s.Rollout.Stage
		}
		return s.State == state && is == stage
	})
	return s
}

// looks waits until the daemon has looked once more by itself.
func (l *live) looks() {
	l.t.Helper()
	now := time.Now()
	until(l.t.Fatalf, "it has looked again", func() bool { return l.stands().Looked.After(now) })
}

// says wants texts in what the program says, wherever its lines end.
func (l *live) says(said string, want ...string) {
	l.t.Helper()
	all := strings.Join(strings.Fields(said), " ")
	for _, w := range want {
		if !strings.Contains(all, strings.Join(strings.Fields(w), " ")) {
			l.t.Errorf("it does not say %q:\n%s", w, said)
		}
	}
}

// happened gives the kinds of events in the history, the oldest first.
func (l *live) happened() (kinds []string) {
	l.t.Helper()
	var all struct{ Events []struct{ Kind string } }
	if err := json.Unmarshal([]byte(l.asks("history", "--json")), &all); err != nil {
		l.t.Fatal(err)
	}
	for _, e := range all.Events {
		kinds = append(kinds, e.Kind)
	}
	return slices.Clip(kinds)
}

// keepsNothing wants nothing kept any more of what files held before.
func (l *live) keepsNothing() {
	l.t.Helper()
	entries, err := os.ReadDir(l.path("state/former"))
	if len(entries) > 0 || err != nil && !os.IsNotExist(err) {
		l.t.Errorf("what the files held is still kept: %v, %v", entries, err)
	}
}

// encoded gives a secret's JSON.
func encoded(secret entries) string { return string(must(json.Marshal(secret))) }
