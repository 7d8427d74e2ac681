package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/e2e/breakdown"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
)

var soakFor = flag.Duration("soak", 0, "how long TestSoak works the daemon; 0: for 2s, with -long for 1m")

// A soak is a daemon at work, with few descriptors to spare, and everything that happens to one.
type soak struct {
	t   *testing.T
	dir string
	aws *awsfake.Server
	cmd *exec.Cmd
	log *os.File

	round int
	count map[string]int // by what was done
}

// soakConfig has a secret by two names, a check, a notice that can be made to fail, and what
// differs from round to round.
const soakConfig = `
state_dir: state
settle: 20ms
schedule: '@hourly'
splay: 0s
aws: {max_concurrency: %d}
triggers: {sqs: %s}
services:
  app:
    files:
      - path: app.json
        format: json
        check: "grep -q secret {}"
        mode: %#o
        content: '{"secret": {{ secret "prod/db" | toJson }}, "again": {{ secret "%s" | toJson }}, "param": {{ param "/app/key" | toJson }}}'
    notify: [{run: "test ! -e broken && cp app.json told"}]
  tree: {files: [{path: tree, content: '{{ range $k, $v := params "/tree" }}{{ $k }}={{ $v }} {{ end }}{{ imds "placement/region" }}'}]}
  late: {files: [{template: late.tmpl, path: late}]}
`

func newSoak(t *testing.T) *soak {
	s := &soak{t: t, dir: t.TempDir(), aws: awsfake.Start(t), count: make(map[string]int)}
	s.aws.PutSecret("prod/db", "0")
	s.aws.PutParameter("/app/key", "String", "0")
	for i := range 25 {
		s.aws.PutParameter(fmt.Sprintf("/tree/%02d", i), "SecureString", strings.Repeat("v", 1000))
	}
	s.aws.Notify(s.aws.MakeQueue("rendered-soak"), awsfake.Bare)
	write(t, s.path("late.tmpl"), "0")
	s.configure()
	return s
}

func (s *soak) path(name string) string { return filepath.Join(s.dir, name) }

func (s *soak) read(name string) string {
	data, _ := os.ReadFile(s.path(name))
	return string(data)
}

func (s *soak) configure() {
	arn := s.aws.SecretARN("prod/db")
	queue := s.aws.URL + "/" + "111111111111/rendered-soak"
	write(s.t, s.path("rendered.yaml"), fmt.Sprintf(soakConfig, 4+s.round%3, queue, 0o600+s.round%2*0o40, arn))
}

// begin starts the daemon with 64 descriptors.
func (s *soak) begin() {
	s.t.Helper()
	program(s.t)
	var err error
	if s.log, err = os.Create(s.path("log")); err != nil {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command("sh", "-c", "ulimit -n 64 && exec rendered run -c rendered.yaml")
	s.cmd.Dir, s.cmd.Stderr = s.dir, s.log
	s.cmd.Env = append(os.Environ(), append(s.aws.Env(), "RUNTIME_DIRECTORY="+s.dir, "GOTRACEBACK=all",
		"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT="+s.aws.URL)...)
	if os.Geteuid() != 0 {
		s.cmd.Env = append(s.cmd.Env, breakdown.Traceable+"=true") // its descriptors are counted
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	until(s.t.Fatalf, "the daemon has begun", func() bool { return strings.Contains(s.read("told"), s.value()) })
}

// turn does one thing that happens to a daemon, and waits until it is through with it.
func (s *soak) turn() {
	s.t.Helper()
	s.round++
	did := ""
	switch s.round % 7 {
	case 0:
		did = "a signal"
		s.aws.PutParameter("/app/key", "String", strconv.Itoa(s.round))
		s.signal(syscall.SIGHUP)
	case 1:
		did = "a reload"
		s.aws.PutParameter("/app/key", "String", strconv.Itoa(s.round))
		ask := exec.Command(program(s.t), "reload")
		ask.Dir, ask.Env = s.dir, append(os.Environ(), "RUNTIME_DIRECTORY="+s.dir)
		if out, err := ask.CombinedOutput(); err != nil {
			s.t.Fatalf("reload: %v\n%s", err, out)
		}
	case 2, 3:
		did = "a rotation"
		s.aws.PutSecret("prod/db", strconv.Itoa(s.round))
	case 4:
		did = "an edit"
		s.aws.PutParameter("/app/key", "String", strconv.Itoa(s.round))
		s.configure()
	case 5:
		did = "a failing notice"
		write(s.t, s.path("broken"), "")
		s.aws.PutSecret("prod/db", strconv.Itoa(s.round))
		until(s.t.Fatalf, "the file is written", func() bool { return strings.Contains(s.read("app.json"), s.value()) })
		_ = os.Remove(s.path("broken"))
	case 6:
		did = "a look"
		write(s.t, s.path("late.tmpl"), strconv.Itoa(s.round))
		s.aws.PutParameter("/app/key", "String", strconv.Itoa(s.round))
		s.signal(syscall.SIGUSR1)
		until(s.t.Fatalf, "the template is followed", func() bool { return s.read("late") == strconv.Itoa(s.round) })
	}
	until(s.t.Fatalf, "the dependent is told after "+did, func() bool { return strings.Contains(s.read("told"), s.value()) })
	s.count[did]++
}

// value is how the file holds what was put last.
func (s *soak) value() string { return fmt.Sprintf(`"%d"`, s.round) }

func (s *soak) signal(signal syscall.Signal) {
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// A size is what a daemon takes of the machine when it has nothing to do.
type size struct{ kib, descriptors, goroutines int }

func (s *soak) size() (n size) {
	until(s.t.Fatalf, "nothing is owed", func() bool { return !strings.Contains(s.read("state/"+ledger.Name), "path") })
	for range 20 { // the memory of the last pass is given back, and connections close
		<-time.After(50 * time.Millisecond)
	}
	n.kib = s.status("VmRSS:")
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	n.descriptors = len(entries)
	return n
}

func (s *soak) status(key string) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), key)
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// end gives the number of goroutines at the end: SIGQUIT has Go's runtime print them.
func (s *soak) end() int {
	s.signal(syscall.SIGQUIT)
	_ = s.cmd.Wait()
	s.log.Close()
	return bytes.Count([]byte(s.read("log")), []byte("\ngoroutine "))
}

// work works the daemon for a time, and gives its size after a fifth of it and at the end.
func (s *soak) work(span time.Duration) (early, late size) {
	s.begin()
	began := time.Now()
	for time.Since(began) < span || s.round < 7 {
		s.turn()
		if early.kib == 0 && time.Since(began) > span/5 {
			early = s.size()
		}
	}
	late = s.size()
	late.goroutines = s.end()
	return early, late
}

// TestSoak works a daemon by reloads, signals, rotations, edits of the config, templates and
// notices that fail: it takes no more of the machine at the end than it did before. It has 64
// descriptors, and each rotation is written and told.
//
//	go test -run '^TestSoak$' -v ./internal/e2e -soak 5m
func TestSoak(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has memory and goroutines of its own")
	}
	span := *soakFor
	if span == 0 {
		span = long.Or(2*time.Second, time.Minute)
	}
	if span < time.Minute {
		t.Parallel()
	}
	short := newSoak(t)
	_, first := short.work(span / 5)
	s := newSoak(t)
	early, late := s.work(span)
	t.Logf("%d rounds: %v", s.round, s.count)
	t.Logf("after a fifth: %d KiB, %d descriptors, %d goroutines", early.kib, early.descriptors, first.goroutines)
	t.Logf("at the end:    %d KiB, %d descriptors, %d goroutines", late.kib, late.descriptors, late.goroutines)
	grown := func(what string, early, late, slack int) {
		if late > early+early/10+slack {
			t.Errorf("%s: %d, and %d at the end", what, early, late)
		}
	}
	grown("descriptors", early.descriptors, late.descriptors, 1)
	grown("goroutines", first.goroutines, late.goroutines, 1)
	if span >= time.Minute { // before that the program itself is still being read in
		grown("KiB", early.kib, late.kib, 0)
	}
	for _, what := range []string{"a signal", "a reload", "a rotation", "an edit", "a failing notice", "a look"} {
		if s.count[what] == 0 {
			t.Errorf("there was not %s", what)
		}
	}
}
