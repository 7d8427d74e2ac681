package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/watch/ledger"
)

// A trial is a service of two files that changes from one version to the next, over a file system whose steps fail.
type trial struct {
	*world
	d       *dependent
	version int
	// pass is one of those after the one that failed, where no step fails: by default each is a new process's. It gives what was done.
	pass func() ([]faulty.Step, error)
}

func newTrial(t *testing.T) *trial {
	w := newWorld(t)
	d := &dependent{name: "d", reads: []string{w.path("out/crt"), w.path("out/key")}}
	s := w.service("app", "@hourly", []*dependent{d}, "out/crt", `c-{{ secret "s" }}`, "out/key", `k-{{ secret "s" }}`)
	for _, f := range s.Files {
		f.Mode, f.KeepMode, f.DirMode = 0o640, false, 0o750
	}
	tr := &trial{world: w, d: d}
	tr.pass = func() ([]faulty.Step, error) {
		system, done := failing(0, nil)
		err := tr.once(system)
		return done(), err
	}
	return tr
}

// forget takes away everything that earlier passes have left.
func (tr *trial) forget() {
	for _, name := range []string{"out", "state"} {
		if err := os.RemoveAll(tr.path(name)); err != nil {
			tr.t.Fatal(err)
		}
	}
}

// next makes the world move on by a version.
func (tr *trial) next() {
	tr.version++
	tr.values.set("s", fmt.Sprint(tr.version))
}

// once runs one pass of a new process.
func (tr *trial) once(system disk.System) error {
	state, err := OpenStateDir(context.Background(), system, tr.path("state"))
	if err != nil {
		return err
	}
	defer state.Close()
	return Once(context.Background(), tr.plan, tr.plan.Services, state, rand.New(rand.NewPCG(1, 2)), false, nil)[0].Err
}

// failing gives a system whose nth step fails, and a list of the steps that were done.
func failing(n int, err error) (disk.System, func() []faulty.Step) {
	return breaking(n, func() error { return err })
}

// breaking gives a system whose nth step is another, and a list of the steps that it came to.
func breaking(n int, other func() error) (disk.System, func() []faulty.Step) {
	var mu sync.Mutex
	var steps []faulty.Step
	system := faulty.System(disk.Host, func(s faulty.Step) error {
		mu.Lock()
		steps = append(steps, s)
		now := len(steps) == n
		mu.Unlock()
		if now {
			return other()
		}
		return nil
	})
	return system, func() []faulty.Step {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(steps)
	}
}

// versions gives which version each file is, and complains of one that is not whole or has another mode.
func (tr *trial) versions(when string) (crt, key string) {
	tr.t.Helper()
	found := make(map[string]string)
	for _, name := range []string{"crt", "key"} {
		path := tr.path("out/" + name)
		data, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			continue
		}
		st, _ := os.Stat(path)
		text, ok := strings.CutPrefix(string(data), name[:1]+"-")
		if err != nil || !ok || text != fmt.Sprint(tr.version) && text != fmt.Sprint(tr.version-1) || st.Mode() != 0o640 {
			tr.t.Errorf("%s: %s holds %q with mode %v: %v", when, name, data, st.Mode(), err)
		}
		found[name] = text
	}
	return found["crt"], found["key"]
}

// matching complains where the dependent, whenever it was told, did not find a matching pair, and gives how often it was told.
func (tr *trial) told(when string) int {
	tr.t.Helper()
	tr.d.mu.Lock()
	defer tr.d.mu.Unlock()
	for _, saw := range tr.d.saw {
		if crt, key, _ := strings.Cut(saw, "|"); strings.TrimPrefix(crt, "c-") != strings.TrimPrefix(key, "k-") {
			tr.t.Errorf("%s: when told, the dependent found %s", when, saw)
		}
	}
	n := len(tr.d.told)
	if n > 0 && tr.d.saw[n-1] != fmt.Sprintf("c-%d|k-%[1]d", tr.version) && tr.d.saw[n-1] != fmt.Sprintf("c-%d|k-%[1]d", tr.version-1) {
		tr.t.Errorf("%s: the dependent was told of %s", when, tr.d.saw[n-1])
	}
	tr.d.told, tr.d.saw, tr.d.at = nil, nil, nil
	return n
}

// left gives what is in a directory.
func (tr *trial) left(name string) (names []string) {
	entries, _ := os.ReadDir(tr.path(name))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFaultAtEveryStep makes each step of a pass fail, by itself, with each error that a disk gives: the pass that meets it, the one
// that comes after it without AWS, and the one after that with AWS.
func TestFaultAtEveryStep(t *testing.T) {
	faults := []error{unix.EIO, unix.ENOSPC, unix.EACCES, unix.EROFS}
	for _, kind := range []string{"first pass", "later pass", "through a link", "in place"} {
		t.Run(kind, func(t *testing.T) {
			tr := newTrial(t)
			tr.next()
			if kind == "through a link" {
				if err := errors.Join(os.MkdirAll(tr.path("real"), 0o750), os.MkdirAll(tr.path("out"), 0o750), os.Symlink("../real/crt", tr.path("out/crt"))); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range tr.plan.Services[0].Files {
				f.InPlace = kind == "in place"
			}
			if err := tr.once(disk.Host); err != nil {
				t.Fatal(err)
			}
			steps := 0
			for n := 1; ; n++ {
				var step faulty.Step
				for _, fault := range faults {
					if kind == "first pass" {
						tr.forget()
					}
					tr.told("before")
					tr.next()
					system, done := failing(n, fault)
					err := tr.once(system)
					all := done()
					if steps = max(steps, len(all)); len(all) < n {
						t.Logf("%s: %d steps, each with %d errors: %d faults", kind, steps, len(faults), steps*len(faults))
						return
					}
					step = all[n-1]
					tr.survives(fmt.Sprintf("%v at step %d, %s", fault, n, strings.ReplaceAll(step.String(), tr.dir, "")), step, err)
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

// survives checks what a pass left one of whose steps failed, and what passes after it make of that.
func (tr *trial) survives(when string, step faulty.Step, err error) {
	t := tr.t
	t.Helper()
	if err == nil && step.Mutates() && step.Op != "remove" && !strings.HasPrefix(filepath.Base(step.Path), ".rendered-") {
		// Only what takes a temporary away may fail in silence: it is taken away later.
		t.Errorf("%s: nobody is told", when)
	}
	if step.Op != "overwrite" { // which may leave half a file until the next pass
		tr.versions(when)
	}
	told := tr.told(when)
	tr.values.refuse("s", "AWS is away")
	if _, err := tr.pass(); err == nil {
		t.Errorf("%s: a pass without AWS succeeds", when)
	}
	tr.values.refuse("s", "")
	if crt, key := tr.versions(when + ", then without AWS"); crt != key {
		t.Errorf("%s: the next pass, without AWS, leaves crt of %q with key of %q", when, crt, key)
	}
	told += tr.told(when + ", then without AWS")
	if _, err := tr.pass(); err != nil {
		t.Errorf("%s: at last: %v", when, err)
	}
	if crt, key := tr.versions(when + ", at last"); crt != fmt.Sprint(tr.version) || crt != key {
		t.Errorf("%s: at last crt is of %q, key of %q, want %d", when, crt, key, tr.version)
	}
	told += tr.told(when + ", at last")
	most := 1
	if told == 2 && strings.HasPrefix(step.Path, tr.path("state")) {
		most = 2 // it was told, and the record of that failed
	}
	if told < 1 || told > most {
		t.Errorf("%s: told %d times", when, told)
	}
	if out, state := tr.left("out"), tr.left("state"); len(out) != 2 || len(state) != 3 || len(tr.left("real")) > 1 {
		t.Errorf("%s: left are %v %v", when, out, state)
	}
	if owes(tr.t, tr.world) {
		t.Errorf("%s: still owed: %s", when, recorded(tr.t, tr.world))
	}
	more, err := tr.pass()
	if err != nil || tr.told(when) > 0 {
		t.Errorf("%s: one pass more tells, or fails: %v", when, err)
	}
	for _, s := range more {
		if s.Mutates() {
			t.Errorf("%s: one pass more: %s", when, s)
		}
	}
}

// Where nobody knows whether a record of what is to be renamed is there, the temporaries are not taken away one by one: a process that was
// killed between two of them would have one file renamed, and not the other.
func TestKilledAfterARecordThatMayBeThere(t *testing.T) {
	tr := newTrial(t)
	tr.next()
	if err := tr.once(disk.Host); err != nil {
		t.Fatal(err)
	}
	for most := range 3 {
		removals := most
		tr.next()
		tr.told("before")
		var mu sync.Mutex
		recorded, dead := false, false
		err := tr.once(faulty.System(disk.Host, func(s faulty.Step) error {
			mu.Lock()
			defer mu.Unlock()
			temporary := strings.HasPrefix(filepath.Base(s.Path), ".rendered-")
			switch {
			case s.Op == "rename" && filepath.Base(s.Path) == ledger.Name:
				recorded = true
			case recorded && s.Op == "remove" && temporary:
				removals--
			case recorded && s.Op == "sync" && s.Path == tr.path("state"):
				return unix.EIO
			}
			if dead = dead || removals < 0; dead && s.Mutates() {
				return unix.ESRCH
			}
			return nil
		}))
		tr.survives(fmt.Sprintf("killed after %d removals", most), faulty.Step{Op: "remove"}, err)
	}
}
