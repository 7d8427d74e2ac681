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
	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// A trial is a service of two files that changes from one version to the next, over a file system
// whose steps fail.
type trial struct {
	*world
	drive
	d       *dependent
	version int
	// pass is one of those after the one that failed, where no step fails: by default each is a new
	// process's. It gives what was done.
	pass func() ([]faulty.Step, error)
}

func newTrial(t *testing.T, on drive) *trial {
	w := newWorld(t)
	on.empty(w.dir)
	d := &dependent{name: "d", reads: []string{w.path("out/crt"), w.path("out/key")}, read: func(path string) []byte { return on.look(path).content }}
	s := w.service("app", "@hourly", []*dependent{d}, "out/crt", `c-{{ secret "s" }}`, "out/key", `k-{{ secret "s" }}`)
	for _, f := range s.Files {
		f.Mode, f.KeepMode, f.DirMode = 0o640, false, 0o750
	}
	tr := &trial{world: w, drive: on, d: d}
	tr.pass = func() ([]faulty.Step, error) {
		system, done := failing(tr.mount(), 0, nil)
		err := tr.once(system)
		return done(), err
	}
	return tr
}

// next makes the world move on by a version.
func (tr *trial) next() {
	tr.version++
	tr.values.set("s", fmt.Sprint(tr.version))
}

// once runs one pass of a new process.
func (tr *trial) once(system disk.System) error {
	state, err := pass.OpenStateDir(context.Background(), system, tr.path("state"))
	if err != nil {
		return err
	}
	defer state.Close()
	return Once(context.Background(), tr.plan, tr.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false, nil).err()
}

// failing gives a system whose nth step fails, and a list of the steps that were done.
func failing(below disk.System, n int, err error) (disk.System, func() []faulty.Step) {
	return breaking(below, n, func() error { return err })
}

// breaking gives a system whose nth step is another, and a list of the steps that it came to.
func breaking(below disk.System, n int, other func() error) (disk.System, func() []faulty.Step) {
	var mu sync.Mutex
	var steps []faulty.Step
	system := faulty.System(below, func(s faulty.Step) error {
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

// versions gives which version each file is, and complains of one that is not whole or has another
// mode.
func (tr *trial) versions(when string) (crt, key string) {
	tr.t.Helper()
	found := make(map[string]string)
	for _, name := range []string{"crt", "key"} {
		path := tr.path("out/" + name)
		f := tr.look(path)
		if !f.exists {
			continue
		}
		text, ok := strings.CutPrefix(string(f.content), name[:1]+"-")
		if !ok || text != fmt.Sprint(tr.version) && text != fmt.Sprint(tr.version-1) || f.mode != 0o640 {
			tr.t.Errorf("%s: %s holds %q with mode %v", when, name, f.content, f.mode)
		}
		found[name] = text
	}
	return found["crt"], found["key"]
}

// matching complains where the dependent, whenever it was told, did not find a matching pair, and
// gives how often it was told.
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
func (tr *trial) left(name string) []string { return tr.list(tr.path(name)) }

// record gives the ledger.
func (tr *trial) record() string { return string(tr.look(tr.path("state/" + ledger.Name)).content) }

// TestFaultAtEveryStep makes each step of a pass fail, by itself, with an error that a disk gives,
// with -long with each of them: the pass that meets it, the one that comes after it without AWS,
// and the one after that with AWS.
func TestFaultAtEveryStep(t *testing.T) {
	faults := []error{unix.EIO, unix.ENOSPC, unix.EACCES, unix.EROFS}
	onDrives(t, []string{"first pass", "later pass", "in place", "over the files of others"}, []string{"through a link"}, func(t *testing.T, on drive, kind string) {
		tr := newTrial(t, on)
		tr.next()
		if kind == "through a link" {
			if err := errors.Join(os.MkdirAll(tr.path("real"), 0o750), os.MkdirAll(tr.path("out"), 0o750), os.Symlink("../real/crt", tr.path("out/crt"))); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range tr.plan.Services[0].Files {
			f.InPlace = kind == "in place"
		}
		if err := tr.once(tr.mount()); err != nil {
			t.Fatal(err)
		}
		steps := 0
		for n := 1; ; n++ {
			var step faulty.Step
			for i, fault := range faults {
				if n%len(faults) != i && !long.Asked() {
					continue
				}
				switch kind {
				case "first pass":
					tr.empty(tr.dir)
				case "over the files of others": // which those are that no record speaks of
					tr.forget()
				}
				tr.told("before")
				tr.next()
				system, done := failing(tr.mount(), n, fault)
				err := tr.once(system)
				all := done()
				if steps = max(steps, len(all)); len(all) < n {
					t.Logf("%s: %d steps, each with %d errors", kind, steps, long.Or(1, len(faults)))
					return
				}
				step = all[n-1]
				tr.survives(fmt.Sprintf("%v at step %d, %s", fault, n, strings.ReplaceAll(step.String(), tr.dir, "")), step, err)
				// Where a record cannot be read the files count as our own.
				if kind == "over the files of others" && step.String() != "read "+tr.path("state/"+ledger.Name) {
					tr.preserved(fmt.Sprintf("%v at step %d, %s", fault, n, step))
				}
				if t.Failed() {
					return
				}
			}
		}
	})
}

// forget takes away all that the state directory holds.
func (tr *trial) forget() {
	for _, name := range []string{"ledger.jsonl", "key", "lock"} {
		tr.remove(tr.path("state/" + name))
	}
	for _, name := range tr.left("state/predecessors") {
		tr.remove(tr.path("state/predecessors/" + name))
	}
}

// preserved complains where what stood in the place of the files is not backed up.
func (tr *trial) preserved(when string) {
	tr.t.Helper()
	var backups []string
	for _, name := range tr.left("state/predecessors") {
		backups = append(backups, string(tr.look(tr.path("state/predecessors/"+name)).content))
	}
	slices.Sort(backups)
	if want := []string{fmt.Sprint("c-", tr.version-1), fmt.Sprint("k-", tr.version-1)}; !slices.Equal(backups, want) {
		tr.t.Errorf("%s: backed up are %q, want %q", when, backups, want)
	}
}

// survives checks what a pass left one of whose steps failed, and what passes after it make of
// that.
func (tr *trial) survives(when string, step faulty.Step, err error) {
	t := tr.t
	t.Helper()
	if err == nil && step.Mutates() && step.Op != "remove" && !strings.HasPrefix(filepath.Base(step.Path), ".rendered-") &&
		!(strings.Contains(when, unix.ENOSPC.Error()) && strings.Contains(tr.record(), string(ledger.Forgotten))) {
		// Only what takes a temporary away may fail in silence: it is taken away later. The history
		// says itself that it gave way.
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
	state := slices.DeleteFunc(tr.left("state"), func(name string) bool { return name == "predecessors" })
	if out := tr.left("out"); len(out) != 2 || len(state) != 3 || len(tr.left("real")) > 1 {
		t.Errorf("%s: left are %v %v", when, out, state)
	}
	if record := tr.record(); record == "" || strings.Contains(record, "path") {
		t.Errorf("%s: still owed: %s", when, record)
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

// Where nobody knows whether a record of what is to be renamed is there, the temporaries are not
// taken away one by one: a process that was killed between two of them would have one file renamed,
// and not the other.
func TestKilledAfterARecordThatMayBeThere(t *testing.T) {
	tr := newTrial(t, hostDrive{})
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
