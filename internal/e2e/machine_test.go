package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A machine is this one with an /etc, /run, /var/lib, /var/log, network and processes of its own:
// real paths can be written to and real ports listened on, and nothing is left.
type machine struct {
	t   *testing.T
	pid string // of its first process
}

// machineSetup makes a copy of what is configured here. Nothing is mounted before the namespace is
// private.
const machineSetup = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mkdir "$DIR/etc"
mount -t tmpfs tmpfs "$DIR/etc"
cp -a /etc/. "$DIR/etc"
mount --bind "$DIR/etc" /etc
for dir in /run /var/lib /var/log; do mount -t tmpfs tmpfs $dir; done
mkdir /var/lib/haproxy /var/lib/nginx /var/log/nginx
for dir in /var/lib/postgresql /var/log/postgresql /run/postgresql; do
	mkdir $dir
	if id postgres >/dev/null 2>&1; then chown postgres: $dir; fi
done
ip link set lo up
touch "$DIR/up"
exec cat
`

// newMachine needs root. It lives as long as the test.
func newMachine(t *testing.T) *machine {
	t.Helper()
	for _, program := range []string{"ip", "nsenter", "setpriv"} {
		needed(t, program)
	}
	neededRoot(t)
	dir := t.TempDir()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", machineSetup)
	cmd.Env = append(os.Environ(), "DIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID}
	life, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		lacking(t, err)
	}
	// The end of its first process is that of all others.
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = life.Close()
		<-ended
	})
	m := &machine{t: t, pid: strconv.Itoa(cmd.Process.Pid)}
	until(t.Fatalf, "the machine is up", func() bool {
		select {
		case err := <-ended:
			ended <- err
			lacking(t, err, said.String())
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "up"))
		return err == nil
	})
	return m
}

// lacking skips a test that this machine does not allow, but fails it in CI.
func lacking(t *testing.T, why ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why...)
	}
	t.Skip(why...)
}

// try runs a command there. What it says goes to a file: it may leave a process behind, which a
// pipe would wait for.
func (m *machine) try(args ...string) (string, error) {
	m.t.Helper()
	said, err := os.CreateTemp(m.t.TempDir(), "said")
	if err != nil {
		m.t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.CommandContext(m.t.Context(), "nsenter", append([]string{"-t", m.pid, "-m", "-n", "-p", "--"}, args...)...)
	cmd.Env = os.Environ()
	cmd.Stdout, cmd.Stderr = said, said
	failed := cmd.Run()
	text, err := os.ReadFile(said.Name())
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text), failed
}

// run runs a command that must succeed, and gives what it said.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	said, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%q: %v:\n%s", args, err, said)
	}
	return said
}

// as gives the words that run a command as another user, in his home.
func as(user, home string, args ...string) []string {
	return append([]string{"setpriv", "--reuid", user, "--regid", user, "--init-groups", "env", "HOME=" + home}, args...)
}
