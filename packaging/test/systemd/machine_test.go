package systemd_test

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed keeper.sh
var keeper string

// A machine is a Debian with systemd as its first process. It has no network but loopback.
type machine struct {
	t      *testing.T // of the story that is being told
	name   string
	image  string
	dir    string
	leader int // its first process, as it is seen here; 0: it is off
	ended  chan error
}

// newMachine makes a machine of an image, and boots it. It lasts as long as the test.
func newMachine(t *testing.T, image, name string) *machine {
	t.Helper()
	m := &machine{t: t, name: fmt.Sprintf("rendered-%s-%d", name, os.Getpid()), image: image, dir: t.TempDir()}
	t.Cleanup(func() {
		m.t = t
		if t.Failed() {
			m.explain()
		}
		m.powerOff()
	})
	m.boot()
	return m
}

// boot starts the machine and waits until everything is up that starts with it.
func (m *machine) boot() {
	m.t.Helper()
	begun := time.Now()
	m.start()
	state := ""
	m.until("the machine is up", func() bool {
		out, _ := m.run("systemctl", "is-system-running", "--wait")
		state = strings.TrimSpace(out)
		return slices.Contains([]string{"running", "degraded", "maintenance"}, state)
	})
	if state != "running" {
		m.t.Fatalf("the machine is %s:\n%s", state, m.must("systemctl", "--failed", "--no-legend"))
	}
	m.t.Logf("booted in %v", since(begun))
}

// start has the keeper start it.
func (m *machine) start() {
	m.t.Helper()
	cmd := exec.Command("bash", "-c", keeper, "keeper.sh", m.name, m.image, m.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		// Ctrl-C ends the test; what then happens to the machine is the keeper's business.
		Setpgid:      true,
		Unshareflags: syscall.CLONE_NEWNS,
	}
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	m.ended = make(chan error, 1)
	go func() {
		err := cmd.Wait()
		hold.Close()
		m.ended <- err
	}()
	nspawn, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		m.t.Fatalf("the keeper of %s did not start it: %v", m.name, <-m.ended)
	}
	m.until("the machine has a first process", func() bool {
		m.leader = firstChild(nspawn, "systemd")
		return m.leader != 0
	})
}

// firstChild gives the child of a process that runs a program, 0 where there is none.
func firstChild(parent int, program string) int {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", parent))
	for child := range strings.FieldsSeq(string(children)) {
		if comm, _ := os.ReadFile("/proc/" + child + "/comm"); strings.TrimSpace(string(comm)) == program {
			pid, _ := strconv.Atoi(child)
			return pid
		}
	}
	return 0
}

// powerOff shuts the machine down in good order. It does nothing where the machine is off.
func (m *machine) powerOff() {
	m.t.Helper()
	if m.leader == 0 {
		return
	}
	begun := time.Now()
	if err := unix.Kill(m.leader, syscall.Signal(34+4)); err != nil { // SIGRTMIN+4 of systemd(1)
		m.t.Error(err)
	}
	m.leader = 0
	select {
	case err := <-m.ended:
		if err != nil {
			m.t.Errorf("power-off: %v", err)
		}
		m.t.Logf("powered off in %v", since(begun))
	case <-time.After(patience):
		m.t.Errorf("the machine does not power off")
	}
}

// program makes a command that is to run in the machine, as root, in an environment of its own.
func (m *machine) program(args ...string) *exec.Cmd {
	return exec.Command("nsenter", slices.Concat([]string{"--target", strconv.Itoa(m.leader), "--all", "--", "timeout", "60", "env", "-i",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}, args)...)
}

// run gives what a program printed, both streams together.
func (m *machine) run(args ...string) (string, error) {
	out, err := m.program(args...).CombinedOutput()
	return string(out), err
}

// must is run for what has to succeed.
func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, err := m.run(args...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// path gives where a file of the machine is found from here.
func (m *machine) path(name string) string {
	return filepath.Join("/proc", strconv.Itoa(m.leader), "root", name)
}

// read gives the content of a file, "" where there is none.
func (m *machine) read(name string) string {
	data, _ := os.ReadFile(m.path(name))
	return string(data)
}

// write makes a file that everybody may read, and the directories above it.
func (m *machine) write(name, text string) {
	m.t.Helper()
	err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755)
	if err == nil {
		err = os.WriteFile(m.path(name), []byte(text), 0o644)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// show gives a property of a unit.
func (m *machine) show(unit, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.must("systemctl", "show", "--value", "--property="+property, unit))
}

// patience bounds every wait for something that is sure to come.
const patience = time.Minute

// until asks again and again.
func (m *machine) until(what string, ok func() bool) {
	m.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			m.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// explain shows what is left to look at when a story failed.
func (m *machine) explain() {
	console, _ := os.ReadFile(filepath.Join(m.dir, "console.log"))
	m.t.Logf("console:\n%s", tail(string(console), 40))
	if m.leader != 0 {
		journal, _ := m.run("journalctl", "--no-pager", "--output=short-precise", "--lines=60")
		m.t.Logf("journal:\n%s", journal)
	}
}

func tail(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
