package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// hangSite begins a daemon for two services of which one needs the directory mnt, which hangs.
type hangSite struct {
	*site
	*exec.Cmd
	disk *hanging
	n    int // of values that were put
}

const hangConfig = `
state_dir: state
values: values.yaml
settle: 50ms
schedule: '@every 1s'
splay: 0s
services:
  hangs: {files: [{content: '{{ secret "x" }}', path: mnt/f}]}
  works: {files: [{content: '{{ secret "x" }}', path: f}]}
`

// The file system that one service's files are on hangs: the other service goes on, also over a new
// config. SIGTERM ends the daemon, and the next one works as well.
func TestHangingDestination(t *testing.T) {
	long.Test(t)
	t.Parallel()
	// A process that waits for an answer which the file system has begun to make cannot be killed,
	// by nobody, until there is one.
	for name, takes := range map[string]bool{"asks in vain": false, "is asked and never answers": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newHangSite(t)
			s.disk = hang(t, s.path("mnt"), takes)
			write(t, s.path("rendered.yaml"), hangConfig)
			first := s.start()
			s.follows()
			before := threads(t, first.Process.Pid)
			for i := range 10 {
				write(t, s.path("rendered.yaml"), strings.ReplaceAll(hangConfig, "path: f}", fmt.Sprintf("path: f, mode: 06%d4}", i%8)))
				until(t.Fatalf, "the config is read again", func() bool { return must(os.Stat(s.path("f"))).Mode() == os.FileMode(0o604+i%8*8) })
			}
			s.follows()
			if after := threads(t, first.Process.Pid); after > before+4 {
				t.Errorf("%d threads, %d before the config was read again ten times", after, before)
			}

			ended, pid := make(chan error, 1), first.Process.Pid // who waits for it changes it
			if err := first.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			go func() { ended <- first.Wait() }()
			asked := time.Now()
			until(t.Fatalf, "the daemon is gone, or only what hangs of it is left", func() bool { return stuck(pid) })
			if took := time.Since(asked); took > 15*time.Second { // two seconds, on a busy machine
				t.Errorf("SIGTERM ended it after %v", took)
			}
			second := s.start()
			s.follows()
			s.disk.mended()
			if err := <-ended; err != nil {
				t.Errorf("%v:\n%s", err, s.read("log"))
			}
			until(t.Fatalf, "the log tells the trouble", func() bool { return strings.Contains(s.read("log"), "service=hangs err=") })
			s.end(second)
		})
	}
}

// The file system that one service's template, or a file that it looks up, is on begins to hang:
// the others go on with the config that is in force, and when it answers again so does this one.
func TestHangingInput(t *testing.T) {
	long.Test(t)
	t.Parallel()
	for what, tt := range map[string]struct{ service, says string }{
		"template": {`{files: [{template: mnt/in, path: g}]}`, `mnt/in err="its file system does not answer"`},
		"file":     {`{files: [{content: '{{ file "mnt/in" }}{{ secret "x" }}', path: g}]}`, "service=hangs file="},
		"partial":  {`{files: [{template: t, path: g}]}`, "its file system does not answer"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newHangSite(t)
			write(t, s.path("mnt/in"), `old {{ secret "x" }}`)
			write(t, s.path("t"), `{{ template "_part" }}`)
			if what == "partial" {
				if err := os.Symlink("mnt/in", s.path("_part")); err != nil {
					t.Fatal(err)
				}
			}
			write(t, s.path("rendered.yaml"), "aws: {timeout: 1s}\n"+strings.ReplaceAll(hangConfig, `{files: [{content: '{{ secret "x" }}', path: mnt/f}]}`, tt.service))
			d := s.start()
			s.follows()
			until(t.Fatalf, "the first service has its file", func() bool { return strings.HasPrefix(s.read("g"), "old ") })
			s.disk = hang(t, s.path("mnt"), false)
			s.follows()
			until(t.Fatalf, "the log tells the trouble", func() bool { return strings.Contains(s.read("log"), tt.says) })
			s.follows()
			before := threads(t, d.Process.Pid)
			for range 20 {
				if err := d.Process.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
				s.follows()
			}
			if after := threads(t, d.Process.Pid); after > before+4 {
				t.Errorf("%d threads, %d before everything was looked at twenty times", after, before)
			}
			s.disk.mended()
			write(t, s.path("mnt/in"), `new {{ secret "x" }}`)
			until(t.Fatalf, "the first service follows again", func() bool { return strings.HasPrefix(s.read("g"), "new ") })
			s.end(d)
		})
	}
}

func newHangSite(t *testing.T) *hangSite {
	s := &hangSite{site: &site{t: t, dir: t.TempDir()}, disk: &hanging{mended: func() {}}}
	if err := os.Mkdir(s.path("mnt"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.put()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("f: %q, put: %d, the log:\n%s", s.read("f"), s.n, s.read("log"))
		}
	})
	return s
}

func (s *hangSite) put() {
	s.n++
	write(s.t, s.path("values.new"), fmt.Sprintf("secrets: {x: text %d}\n", s.n))
	if err := os.Rename(s.path("values.new"), s.path("values.yaml")); err != nil {
		s.t.Fatal(err)
	}
}

// follows puts a new value, and waits for the service that works to have it.
func (s *hangSite) follows() {
	s.t.Helper()
	s.put()
	until(s.t.Fatalf, "the other service follows", func() bool { return s.read("f") == fmt.Sprint("text ", s.n) })
}

func (s *hangSite) start() *exec.Cmd {
	log := must(os.OpenFile(s.path("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600))
	defer log.Close()
	cmd := exec.Command(program(s.t), "run", "-c", "rendered.yaml")
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, os.Environ(), log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		s.disk.mended()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// end wants a daemon to end as it is told to.
func (s *hangSite) end(cmd *exec.Cmd) {
	s.t.Helper()
	begun := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || time.Since(begun) > 10*time.Second {
		s.t.Errorf("%v after %v:\n%s", err, time.Since(begun), s.read("log"))
	}
}

// stuck tells whether all threads of a process have ended but those that wait in the kernel and
// cannot be killed.
func stuck(pid int) bool {
	list, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range list {
		data, err := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(data), ") ")
		if err == nil && !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X") && !strings.HasPrefix(rest, "D") {
			return false
		}
	}
	return true
}

// threads counts the threads of a process.
func threads(t *testing.T, pid int) int {
	data := must(os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)))
	_, after, _ := strings.Cut(string(data), "Threads:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
