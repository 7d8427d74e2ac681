package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
)

// lookScript notes what a child of the daemon has: its arguments, its environment, its open files.
const lookScript = `
{
	tr '\0' '\n' </proc/$$/cmdline
	tr '\0' '\n' </proc/$$/environ
	tr '\0' '\n' </proc/$PPID/cmdline
	tr '\0' '\n' </proc/$PPID/environ
} >>seen
for fd in /proc/$$/fd/*; do
	echo "$1 has ${fd##*/}" >>fds
done
`

// TestChildrenHoldNoValues has strace write down every program that a pass executes, with all
// arguments and the whole environment, and what the daemon tells the helper of a service's check;
// and each child look at itself. None of it holds a value of a lookup.
func TestChildrenHoldNoValues(t *testing.T) {
	t.Parallel()
	needed(t, "strace")
	// Without CAP_SYS_ADMIN a check takes a user namespace.
	for _, how := range []string{"", "setpriv --bounding-set=-sys_admin"} {
		if how != "" && os.Geteuid() != 0 {
			continue
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := &site{t: t, dir: t.TempDir(), aws: awsfake.Start(t)}
			values := canaries()
			config := "state_dir: state\nservices:\n  all:\n    check: sh look service\n    notify: [{run: [sh, look, notice]}, {run: 'sh look line'}]\n    files:\n"
			for name, value := range values {
				s.aws.PutSecret(name, value)
				config += fmt.Sprintf("      - {content: '{{ secret %q }}', path: %s, check: 'sh look file <{}'}\n", name, "f-"+name)
			}
			write(t, s.path("look"), lookScript)
			write(t, s.path("rendered.yaml"), config)
			trace := append(underStrace("-v -s 1000000", "execve,pwrite64"), strings.Fields(how)...)
			if out, err := s.once(append(trace, "env", "WITNESS="+canary)...); err != nil {
				if strings.Contains(out, "it cannot be shown the new files") && os.Getenv("CI") == "" {
					t.Skip(out)
				}
				t.Fatalf("%v:\n%s", err, out)
			}
			output := map[string]string{"what strace saw": s.read("trace"), "what children saw": s.read("seen")}
			for _, want := range []string{`\["rendered-preview", "(enter|show)"`, `\["sh", "look", "service"\]`, `\["sh", "look", "notice"\]`, `"sh look line"`, `"sh look file <`, `pwrite64\(.*/bin/sh`, "WITNESS=" + canary} {
				if !regexp.MustCompile(want).MatchString(output["what strace saw"]) {
					t.Errorf("strace did not see %s", want)
				}
			}
			if !strings.Contains(output["what children saw"], "RENDERED_SERVICE=all") {
				t.Errorf("children saw %s", output["what children saw"])
			}
			for where, text := range output {
				for name, value := range values {
					for shape, found := range disguises(value) {
						if i := strings.Index(text, found); i >= 0 {
							t.Errorf("%s: the %s %s: …%.300q…", where, name, shape, text[max(0, i-150):])
						}
					}
				}
			}
			// A shell that we start has what we have ourselves, and what shells open.
			base := exec.CommandContext(t.Context(), "sh", "look", "base")
			if base.Dir = s.dir; base.Run() != nil {
				t.Fatal("no shell")
			}
			open := func(child string) (list []string) {
				for line := range strings.Lines(s.read("fds")) {
					if fd, ok := strings.CutPrefix(line, child+" has "); ok {
						list = append(list, strings.TrimSpace(fd))
					}
				}
				return list
			}
			for _, child := range []string{"service", "notice", "line"} {
				if got, want := fmt.Sprint(open(child)), fmt.Sprint(open("base")); got != want {
					t.Errorf("%s: open are %s, want %s", child, got, want)
				}
			}
		})
	}
}

// TestNobodyReadsItsMemory has the daemon run as a user, whose other programs then see neither its
// environment nor its memory; and makes it end by a signal that has others leave a core file, with
// a value in its memory.
func TestNobodyReadsItsMemory(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "memory") // which another user can reach
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	user := &syscall.SysProcAttr{}
	uid := os.Geteuid()
	if uid == 0 {
		uid = ordinaryUser
		user.Credential = &syscall.Credential{Uid: ordinaryUser, Gid: ordinaryUser}
	}
	own := filepath.Join(dir, "rendered")
	copyProgram(t, own)
	write(t, filepath.Join(dir, "rendered.yaml"), `{state_dir: state, values: values.yaml, schedule: '@hourly', services: {a: {files: [{content: '{{ secret "x" }}', path: f}], notify: [{run: 'echo $$ >pid; exec sleep 1000', timeout: 1h}]}}}`)
	write(t, filepath.Join(dir, "values.yaml"), "secrets: {x: "+canary+"}\n")
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rendered.yaml", "values.yaml"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := &site{t: t, dir: dir}
	t.Cleanup(func() {
		if pid, err := strconv.Atoi(strings.TrimSpace(s.read("pid"))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // the daemon could not
		}
	})
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("sh", append([]string{"-c", `ulimit -c unlimited; exec "$@"`, "sh"}, args...)...)
		log := must(os.OpenFile(s.path("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600))
		defer log.Close()
		cmd.Dir, cmd.SysProcAttr, cmd.Stderr = dir, user, log
		cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		return cmd
	}
	reads := func(pid int, name string) error {
		cmd := exec.Command("head", "-c1", fmt.Sprintf("/proc/%d/%s", pid, name))
		cmd.SysProcAttr = user
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	dumps := func(cmd *exec.Cmd) bool {
		if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		return cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump()
	}

	other, daemon := start("sleep", "1000"), start(own, "run", "-c", "rendered.yaml")
	until(t.Fatalf, "the daemon holds a value", func() bool { return s.read("f") == canary && strings.HasSuffix(s.read("pid"), "\n") })
	until(t.Fatalf, "the other program runs", func() bool { return reads(other.Process.Pid, "environ") == nil })
	for _, name := range []string{"environ", "maps", "auxv", "fd/0"} {
		if err := reads(daemon.Process.Pid, name); err == nil || !strings.Contains(err.Error(), "ermission denied") {
			t.Errorf("%s can be read: %v", name, err)
		}
	}
	switch {
	case dumps(other):
	case os.Getenv("CI") != "":
		t.Fatal("no program leaves a core file here")
	default:
		t.Skip("no program leaves a core file here")
	}
	if dumps(daemon) {
		t.Error("it left a core file")
	}
	if log := s.read("log"); !strings.Contains(log, "SIGABRT") || strings.Contains(log, canary) {
		t.Errorf("the log:\n%s", log)
	}
}
