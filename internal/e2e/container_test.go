package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/long"
)

// TestReapsInAContainer has the daemon run as process 1 and tell a hundred dependents whose
// commands leave a child behind, without -long twenty. None of the children is a zombie a second
// after its end, and what the commands ended with is known.
func TestReapsInAContainer(t *testing.T) {
	t.Parallel()
	program(t)
	notices := long.Or(20, 100)
	s := &site{t: t, dir: t.TempDir()}
	config := "{state_dir: state, values: values.yaml, schedule: '@hourly', services: {a: {files: [{content: x, path: f}], notify: [\n"
	for i := range notices {
		// What is left is in a process group and a session of its own, and its parent ends before
		// it, or after.
		line := fmt.Sprintf("(sleep 0.2 >/dev/null 2>&1 & echo $! >>left); setsid sleep 0.1 >/dev/null 2>&1 & exit %d # %d", i%2, i)
		config += fmt.Sprintf("{run: %q},\n", line)
	}
	write(t, s.path("rendered.yaml"), config+"{run: 'sh census; touch over'}]}}}\n")
	// The census is taken until no zombie is left: the last command's child has a second.
	write(t, s.path("census"), `i=0; while [ $i -lt 400 ]; do
	grep -hs '^State:	Z' /proc/[0-9]*/status >zombies; test -s zombies || exit 0
	i=$((i+1)); sleep 0.05
done
exit 0
`)
	write(t, s.path("values.yaml"), "{}\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "mount --make-rprivate / && mount -t proc proc /proc && touch up && exec rendered run -c rendered.yaml")
	cmd.Dir, cmd.Env = s.dir, os.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	if uid, gid := os.Geteuid(), os.Getegid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	log := must(os.Create(s.path("log")))
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		lacking(t, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // all others of the namespace end before it
		<-ended
	})
	until(t.Fatalf, "the daemon begins", func() bool {
		select {
		case err := <-ended:
			ended <- err
			lacking(t, err, s.read("log"))
		default:
		}
		_, err := os.Stat(s.path("up"))
		return err == nil
	})
	until(t.Fatalf, "all are told", func() bool {
		_, err := os.Stat(s.path("over"))
		return err == nil
	})
	children := func() int { return len(strings.Fields(s.read("left"))) }
	if n := children(); n < notices {
		t.Errorf("%d children were left, want %d", n, notices)
	}
	if z := s.read("zombies"); z != "" {
		t.Errorf("zombies are left:\n%s", z)
	}
	until(t.Fatalf, "the failures are in the log", func() bool { return strings.Count(s.read("log"), "not told, still owed") >= notices/2 })
	told := func() int { return strings.Count(s.read("log"), "msg=told") }
	until(t.Fatalf, "the acknowledgements are in the log", func() bool { return told() > notices/2 })
	if n := told(); n != notices/2+1 {
		t.Errorf("%d were told, want %d:\n%.2000s", n, notices/2+1, s.read("log"))
	}
	if n := strings.Count(s.read("log"), "exit status 1"); n < notices/2 {
		t.Errorf("%d failed with their status, want %d", n, notices/2)
	}
}
