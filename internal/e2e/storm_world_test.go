package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/e2e/breakdown"
)

// A storm is a daemon that is started again and again over the same files, with values that change
// by themselves.
type storm struct {
	*site
	events  *fsnotify.Watcher // of the directory that the site's files are in
	log     *os.File          // of all daemons
	version atomic.Int64      // of all values
	living  atomic.Pointer[daemon]
	reads   atomic.Int64
}

// An output is one of the files that the daemon writes.
type output struct {
	path, kind string
	mode       os.FileMode
	owner      int // user and group, where the test is root
}

var outputs = []output{
	{"tls/site.crt", "cert", 0o644, 0},
	{"tls/site.key", "key", 0o640, 65534},
	{"tls/site.conf", "conf", 0o600, 0},
	{"app/app.env", "env", 0o604, 0},
}

const stormConfig = `
state_dir: state
schedule: '@hourly'
aws: {timeout: 5s}
services:
  site:
    files:
      - {content: '{{ secret "site" "cert" }}', path: tls/site.crt, mode: 0644}
      - {content: '{{ secret "site" "key" }}', path: tls/site.key, mode: 0640, owner: "OWNER"}
      - {content: '{{ secret "site" "conf" }}', path: tls/site.conf}
    notify:
      - run: [sh, tell, first, tls/site.crt, tls/site.key, tls/site.conf]
      - run: [sh, tell, second, tls/site.crt, tls/site.key, tls/site.conf]
  app:
    files:
      - {content: '{{ param "/app/env" }}', path: app/app.env, mode: 0604}
    notify:
      - run: [sh, tell, app, app/app.env]
`

// tellScript notes which versions a dependent finds in its files when it is told, prints what it
// must not, and fails half of the time.
const tellScript = `
name=$1; shift
saw=
for file; do
	{ read -r kind version; read -r canary; } <$file
	echo $canary
	saw="$saw $version"
done
read -r n <chance/$name
n=$(((n * 1103515245 + 12345) % 2147483648))
echo $n >chance/$name
verdict=failed
if [ -e calm ] || [ $((n / 65536 % 2)) = 0 ]; then verdict=told; fi
echo $verdict$saw >>notes/$name
[ $verdict = told ]
`

var dependents = []string{"first", "second", "app"}

const canary = breakdown.Value

// content gives a file's text: several pages, so that a torn write would show, that begin and end
// with the version.
func content(kind string, version int64) string {
	pad := 8 << 10
	if kind == "env" {
		pad = 3 << 10 // of the 4 KiB that a parameter may have
	}
	return fmt.Sprintf("%s %d\n%s-%[1]s-%[2]d\n%[4]s\n%[1]s %[2]d\n", kind, version, canary, strings.Repeat(canary, pad/len(canary)))
}

func newStorm(t *testing.T, seed uint64) *storm {
	s := &storm{site: &site{t: t, dir: t.TempDir(), aws: awsfake.Start(t)}}
	for _, dir := range []string{"tls", "app", "chance", "notes", "state"} {
		if err := os.Mkdir(s.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	owner := fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
	if os.Geteuid() == 0 {
		owner = "65534:65534"
	}
	write(t, s.path("rendered.yaml"), strings.ReplaceAll(stormConfig, "OWNER", owner))
	write(t, s.path("tell"), tellScript)
	for i, d := range dependents {
		write(t, s.path("chance/"+d), fmt.Sprintln((seed+uint64(i))%(1<<31)))
		write(t, s.path("notes/"+d), "")
	}
	s.log = must(os.OpenFile(s.path("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600))
	s.events = must(fsnotify.NewBufferedWatcher(1 << 16))
	for _, dir := range []string{"tls", "state"} {
		if err := s.events.Add(s.path(dir)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if d := s.living.Load(); d != nil {
			d.kill(t)
		}
		s.events.Close()
		s.log.Close()
	})
	return s
}

// put rotates everything.
func (s *storm) put() {
	n := s.version.Add(1)
	values := make(map[string]string)
	for _, o := range outputs[:3] {
		values[o.kind] = content(o.kind, n)
	}
	s.aws.PutSecret("site", string(must(json.Marshal(values))))
	s.aws.PutParameter("/app/env", "SecureString", content("env", n))
}

// rotate puts new values, at moments that chance chooses, and has the daemon look at them.
func (s *storm) rotate(ctx context.Context, chance *rand.Rand) {
	for ctx.Err() == nil {
		s.put()
		s.nudge()
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(chance.Float64() * float64(30*time.Millisecond))):
		}
	}
}

// nudge has the daemon look at everything, unless it is just starting: it has its signals caught
// before it takes the lock.
func (s *storm) nudge() {
	if d := s.living.Load(); d != nil && s.read("state/lock") == fmt.Sprintf("process %d\n", d.Process.Pid) {
		_ = d.Process.Signal(syscall.SIGUSR1)
	}
}

// look reads the outputs again and again, and leaves some of the machine to the daemon.
func (s *storm) look(ctx context.Context) {
	last := make(map[string]int64)
	for ctx.Err() == nil {
		for _, o := range outputs {
			version, err := s.whole(o)
			if err == nil && version < last[o.path] {
				err = fmt.Errorf("version %d after %d", version, last[o.path])
			}
			if err != nil {
				s.t.Errorf("%s: %v", o.path, err)
				return
			}
			last[o.path] = version
			s.reads.Add(1)
		}
		<-time.After(100 * time.Microsecond)
	}
}

// whole reads an output, and wants it to be whole and as its config has it.
func (s *storm) whole(o output) (version int64, err error) {
	f, err := os.Open(s.path(o.path))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(data[:min(len(data), 40)]), o.kind+" %d\n", &version); err != nil || string(data) != content(o.kind, version) {
		return 0, fmt.Errorf("it is not whole: %d bytes from %.20q", len(data), data)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if info.Mode() != o.mode || os.Geteuid() == 0 && (int(owner.Uid) != o.owner || int(owner.Gid) != o.owner) {
		return 0, fmt.Errorf("it has mode %v and belongs to %d:%d", info.Mode(), owner.Uid, owner.Gid)
	}
	return version, nil
}

// notices counts what the dependents noted, and complains of files that did not match.
func (s *storm) notices() (told, failed int) {
	for _, d := range dependents {
		for line := range strings.Lines(s.read("notes/" + d)) {
			words := strings.Fields(line)
			switch {
			case len(words) < 2:
				s.t.Errorf("%s noted %q", d, line)
				continue
			case words[0] == "told":
				told++
			default:
				failed++
			}
			for _, version := range words[2:] {
				if version != words[1] {
					s.t.Errorf("when told, %s found versions %v", d, words[1:])
				}
			}
		}
	}
	return told, failed
}

// calm lets all notices succeed from now on, or half of them.
func (s *storm) calm(yes bool) {
	if yes {
		write(s.t, s.path("calm"), "")
		return
	}
	s.remove("calm")
}
