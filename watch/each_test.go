package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// each makes a file stand for one for each element of what a pipeline gives.
func (w *world) each(name, pipeline, body string, remove bool) *render.File {
	w.t.Helper()
	e, faults := render.ParseEach(render.Options{Main: render.Text{Name: "each", Body: pipeline}})
	if len(faults) > 0 {
		w.t.Fatal(faults)
	}
	e.Remove = remove
	e.Path = func(key string) (string, *fault.Fault) {
		return strings.ReplaceAll(w.path(name), render.AnyKey, key), nil
	}
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: name + ".tmpl", Body: body}, Each: e})
	if len(faults) > 0 {
		w.t.Fatal(faults)
	}
	return &render.File{Template: tmpl, Each: e, Target: swap.Target{Path: w.path(name), UID: swap.Keep, GID: swap.Keep, Mode: 0o640, DirMode: 0o750}}
}

// A shifting is a service with a file for each key of a secret. With each version a key appears,
// one stays with another value, and one disappears.
type shifting struct {
	*world
	drive
	version int
	mu      sync.Mutex
	told    []string // what stood there when the dependent was told
}

func newShifting(t *testing.T, on drive, remove bool) *shifting {
	w := newWorld(t)
	on.empty(w.dir)
	s := &shifting{world: w, drive: on}
	d := &dependent{name: "d", asked: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, s.present())
	}}
	svc := w.service("app", "@hourly", []*dependent{d}, "out/fixed", `{{ secret "s" "version" }}`)
	svc.Files[0].Mode, svc.Files[0].KeepMode, svc.Files[0].DirMode = 0o640, false, 0o750
	svc.Files = append(svc.Files, w.each("out/sites/*.conf", `secretMap "s" "sites"`, `{{ .key }}={{ .value }}`, remove))
	return s
}

func (s *shifting) key(n int) string { return string(rune('a' + n%4)) }

// next makes the world move on by a version.
func (s *shifting) next() {
	s.version++
	sites := map[string]string{s.key(s.version): fmt.Sprint(s.version), s.key(s.version + 1): fmt.Sprint(s.version)}
	text, err := json.Marshal(map[string]any{"version": s.version, "sites": sites})
	if err != nil {
		s.t.Fatal(err)
	}
	s.values.set("s", string(text))
}

// wanted gives what is to stand there at a version; kept says that what is gone stays.
func (s *shifting) wanted(version int) string {
	files := map[string]string{"fixed": fmt.Sprint(version)}
	for n := version; n <= version+1; n++ {
		files["sites/"+s.key(n)+".conf"] = fmt.Sprintf("%s=%d", s.key(n), version)
	}
	return listed(files)
}

func listed(files map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		lines = append(lines, name+": "+files[name])
	}
	return strings.Join(lines, ", ")
}

// present gives what stands there, but for temporaries.
func (s *shifting) present() string {
	files := make(map[string]string)
	for _, name := range []string{"out", "out/sites"} {
		for _, entry := range s.list(s.path(name)) {
			if entry == "sites" || strings.HasPrefix(entry, ".rendered-") {
				continue
			}
			path := filepath.Join(name, entry)
			if f := s.look(s.path(path)); f.exists {
				files[strings.TrimPrefix(path, "out/")] = string(f.content)
			}
		}
	}
	return listed(files)
}

func (s *shifting) once(system disk.System) error {
	state, err := pass.OpenStateDir(context.Background(), system, s.path("state"))
	if err != nil {
		return err
	}
	defer state.Close()
	return Once(context.Background(), s.plan, s.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false, nil).err()
}

// tellings gives what stood there when the dependent was told, and forgets it.
func (s *shifting) tellings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = nil
	return told
}

// TestEachAtEveryStep has each step of a pass fail, or be the last of a process, with a power cut
// or without, while files appear and disappear: all are of one version when the dependent is told,
// it is told once of the last, a pass without AWS finishes what was begun, and nothing is left.
// Without -long a step meets one of the failures.
func TestEachAtEveryStep(t *testing.T) {
	onDrives(t, []string{"first pass", "later pass"}, nil, func(t *testing.T, on drive, kind string) {
		failures := []error{unix.EIO, unix.ENOSPC, unix.EACCES, nil}
		if _, memory := on.(*memoryDrive); memory {
			failures = append(failures, errPower)
		}
		for i, failure := range failures {
			s := newShifting(t, on, true)
			s.next()
			if err := s.once(s.mount()); err != nil {
				t.Fatal(err)
			}
			for n := 1; ; n++ {
				if n%len(failures) != i && !long.Asked() {
					continue
				}
				if kind == "first pass" {
					s.empty(s.dir)
				}
				s.tellings()
				s.next()
				steps, step, err := s.broken(n, failure)
				if steps < n {
					t.Logf("%s, %v: %d steps", kind, failure, steps)
					break
				}
				if kind == "later pass" && step.String() == "read "+s.path("state/"+ledger.Name) {
					// Without a record nobody knows that the file of the key which is gone is ours.
					s.remove(s.path("out/sites/" + s.key(s.version-1) + ".conf"))
					if err := s.once(s.mount()); err != nil {
						t.Fatal(err)
					}
					continue
				}
				when := fmt.Sprintf("%v at step %d, %s", failure, n, strings.ReplaceAll(step.String(), s.dir, ""))
				s.survives(when, kind == "first pass", failure != nil && failure != errPower && err == nil && step.Mutates() && step.Op != "remove" && !strings.HasPrefix(filepath.Base(step.Path), ".rendered-"), step)
				if t.Failed() {
					return
				}
			}
		}
	})
}

// TestTemporariesOfALostSet kills a process at each step of a pass and takes the lines of sets from
// its record, though not those of their files: the second pass of the next process leaves no
// temporary.
func TestTemporariesOfALostSet(t *testing.T) {
	for n := 1; ; n++ {
		on := new(memoryDrive)
		s := newShifting(t, on, true)
		s.empty(s.dir)
		s.next()
		if steps, _, _ := s.broken(n, nil); steps < n {
			return
		}
		record := s.path("state/" + ledger.Name)
		if !s.look(record).exists {
			continue
		}
		lines := slices.DeleteFunc(strings.SplitAfter(string(s.look(record).content), "\n"), func(line string) bool { return strings.HasPrefix(line, "+") })
		on.disk.Put(record, []byte(strings.Join(lines, "")), 0o600, nil)
		state, err := pass.OpenStateDir(context.Background(), s.mount(), s.path("state"))
		if err != nil {
			t.Fatal(err)
		}
		s.plan.adopt(state)
		keeper := pass.NewKeeper(pass.Options{State: state})
		keeper.Take(&s.plan.Services[0].Service)
		for range 2 {
			o := keeper.Run(context.Background(), sources.NewSnapshot(s.plan.Source, s.plan.Within), pass.Turns{Matched: func() {}, Swap: func(context.Context) {}})
			if o.Err != nil {
				t.Fatal(o.Err)
			}
		}
		for _, name := range s.list(s.path("out/sites")) {
			if strings.HasPrefix(name, ".rendered-") {
				t.Errorf("killed at step %d: %s is left", n, name)
			}
		}
		if err := state.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// errPower is a kill with a power cut.
var errPower = errors.New("power cut")

// broken runs a pass whose nth step fails, or after which, without a failure, nothing is changed
// any more, as after a kill.
func (s *shifting) broken(n int, failure error) (steps int, step faulty.Step, _ error) {
	if failure != nil && failure != errPower {
		system, done := failing(s.mount(), n, failure)
		err := s.once(system)
		all := done()
		if len(all) >= n {
			step = all[n-1]
		}
		return len(all), step, err
	}
	var mu sync.Mutex
	err := s.once(faulty.System(s.mount(), func(at faulty.Step) error {
		mu.Lock()
		defer mu.Unlock()
		if !at.Mutates() {
			return nil
		}
		if steps++; steps == n {
			step = at
		}
		if steps >= n {
			return unix.ESRCH
		}
		return nil
	}))
	if failure == errPower {
		s.drive.(*memoryDrive).disk.Cut(rand.New(rand.NewPCG(uint64(n), 1)))
	}
	return steps, step, err
}

func (s *shifting) survives(when string, first, silent bool, step faulty.Step) {
	t := s.t
	t.Helper()
	if silent && !strings.Contains(s.record(), string(ledger.Forgotten)) {
		t.Errorf("%s: nobody is told", when)
	}
	before, after := s.wanted(s.version-1), s.wanted(s.version)
	if first {
		before = ""
	}
	told := s.tellings()
	s.values.refuse("s", "AWS is away")
	if s.once(s.mount()) == nil {
		t.Errorf("%s: a pass without AWS succeeds", when)
	}
	s.values.refuse("s", "")
	if got := s.present(); got != before && got != after {
		t.Errorf("%s: the next pass, without AWS, leaves\n%s; want\n%s, or\n%s", when, got, before, after)
	}
	told = append(told, s.tellings()...)
	if err := s.once(s.mount()); err != nil {
		t.Errorf("%s: at last: %v", when, err)
	}
	if got := s.present(); got != after {
		t.Errorf("%s: at last there is\n%s; want\n%s", when, got, after)
	}
	told = append(told, s.tellings()...)
	most := 1
	if strings.HasPrefix(step.Path, s.path("state")) || strings.HasPrefix(when, errPower.Error()) {
		most = 2 // it was told, and the record of that failed
	}
	if len(told) < 1 || len(told) > most || slices.ContainsFunc(told, func(saw string) bool { return saw != after }) {
		t.Errorf("%s: told of %q", when, told)
	}
	if left := append(s.list(s.path("out")), s.list(s.path("out/sites"))...); len(left) != 4 {
		t.Errorf("%s: left are %v", when, left)
	}
	if record := s.record(); strings.Contains(record, `"path"`) || strings.Contains(record, `"removed":["`) && strings.Contains(strings.Split(record, "\n@")[0], `"removed"`) {
		t.Errorf("%s: still on record: %s", when, record)
	}
	system, done := failing(s.mount(), 0, nil)
	if err := s.once(system); err != nil || len(s.tellings()) > 0 {
		t.Errorf("%s: one pass more tells, or fails: %v", when, err)
	}
	for _, more := range done() {
		if more.Mutates() {
			t.Errorf("%s: one pass more: %s", when, more)
		}
	}
}

func (s *shifting) record() string {
	return string(s.look(s.path("state/" + ledger.Name)).content)
}
