package watch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
)

// A flaw is a file system of which one step fails. It knows which directories have names that a
// power cut would undo.
type flaw struct {
	mu    sync.Mutex
	steps []faulty.Step
	at    int // which step fails; 0: none
	err   error
	loose map[string]bool // directories in which something was renamed since they were last synced
}

func (f *flaw) system(below disk.System) disk.System {
	f.loose = make(map[string]bool)
	return faulty.System(below, func(s faulty.Step) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.steps = append(f.steps, s)
		switch {
		case len(f.steps) == f.at:
			return f.err
		case s.Op == "rename":
			f.loose[filepath.Dir(s.Path)] = true
		case s.Op == "sync":
			delete(f.loose, filepath.Clean(s.Path))
		}
		return nil
	})
}

// since gives the steps from the nth on.
func (f *flaw) since(n int) []faulty.Step {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.steps[n:])
}

// unsynced gives the directories whose names are not durable.
func (f *flaw) unsynced() (dirs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir := range f.loose {
		dirs = append(dirs, dir)
	}
	return dirs
}

// TestFaultAtEveryStepOfADaemon is TestFaultAtEveryStep where the passes after the one that fails
// are those of the same process, which remembers. Whenever the dependent is told, what it is told
// of is durable.
func TestFaultAtEveryStepOfADaemon(t *testing.T) {
	onDrives(t, []string{"first pass", "later pass", "in place"}, nil, func(t *testing.T, on drive, kind string) {
		tr := newTrial(t, on)
		for _, f := range tr.plan.Services[0].Files {
			f.InPlace = kind == "in place"
		}
		tr.next()
		if err := tr.once(tr.mount()); err != nil {
			t.Fatal(err)
		}
		faults := 0
		for n := 1; ; n++ {
			met := false
			for _, fault := range []error{unix.EIO, unix.ENOSPC} {
				if kind == "first pass" {
					tr.empty(tr.dir)
				}
				tr.told("before")
				tr.next()
				met = tr.daemon(kind, n, fault)
				if t.Failed() {
					return
				}
			}
			if !met {
				break
			}
			faults += 2
		}
		t.Logf("%s: %d faults", kind, faults)
	})
}

// daemon has a new process make a pass whose nth step fails, not counting those of its start, and
// go on. It is false where there are not so many.
func (tr *trial) daemon(kind string, n int, fault error) bool {
	t := tr.t
	f := &flaw{err: fault}
	state, err := pass.OpenStateDir(context.Background(), f.system(tr.mount()), tr.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	f.at = len(f.steps) + n
	r := newRound(tr.plan, tr.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false)
	tr.pass = func() ([]faulty.Step, error) {
		from := len(f.since(0))
		snapshot := sources.NewSnapshot(tr.plan.Source, tr.plan.Within)
		snapshot.Want(context.Background(), tr.plan.Services[0].Refs())
		err := r.pass(context.Background(), snapshot).err()
		return f.since(from), err
	}
	when := ""
	tr.d.asked = func() {
		if dirs := f.unsynced(); len(dirs) > 0 {
			t.Errorf("%s: told while %v may be undone", when, dirs)
		}
	}
	when = fmt.Sprintf("%s, %v at step %d", kind, fault, n)
	_, err = tr.pass()
	steps := f.since(0)
	if len(steps) < f.at {
		return false
	}
	step := steps[f.at-1]
	when += ", " + strings.ReplaceAll(step.String(), tr.dir, "")
	tr.survives(when, step, err)
	if step.Op == "fsync" && syncsAgain(f.since(f.at), step.Path) {
		t.Errorf("%s: a file is synced again whose sync failed", when)
	}
	return true
}

// syncsAgain tells whether a file is synced that was not made anew: after an error of fsync the
// kernel may have dropped its pages, and says yes the second time.
func syncsAgain(steps []faulty.Step, path string) bool {
	for _, s := range steps {
		switch {
		case s.Path != path:
		case s.Op == "create":
			return false
		case s.Op == "fsync":
			return true
		}
	}
	return false
}

// A swap list that was read may be in the page cache only, where a failed sync has left it: it is
// written again, durably, before the first rename that it asks for.
func TestRecordIsWrittenBeforeItIsActedOn(t *testing.T) {
	tr := newTrial(t, hostDrive{})
	tr.next()
	if err := tr.once(disk.Host); err != nil {
		t.Fatal(err)
	}
	tr.next()
	renames := 0
	cut := faulty.System(disk.Host, func(s faulty.Step) error {
		if s.Op == "rename" && filepath.Dir(s.Path) == tr.path("out") {
			if renames++; renames == 2 {
				return unix.EIO
			}
		}
		return nil
	})
	if err := tr.once(cut); err == nil || renames != 2 {
		t.Fatalf("%v, after %d renames", err, renames)
	}
	steps, err := tr.pass()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, s := range steps {
		if s.Op == "rename" || s.Op == "sync" || s.Op == "fsync" {
			seen = append(seen, strings.ReplaceAll(s.String(), tr.dir+"/", ""))
		}
	}
	want := []string{"fsync state/.ledger.jsonl.new", "rename state/ledger.jsonl", "sync state", "rename out/key", "sync out"}
	if len(seen) < len(want) || fmt.Sprint(seen[:len(want)]) != fmt.Sprint(want) {
		t.Errorf("steps: %q, want first: %q", seen, want)
	}
}

// A swap that nobody is to be told of is forgotten: later passes look at each file once.
func TestFinishedSwapIsForgotten(t *testing.T) {
	tr := newTrial(t, hostDrive{})
	tr.plan.Services[0].Dependents = nil
	f := new(flaw)
	state, err := pass.OpenStateDir(context.Background(), f.system(tr.mount()), tr.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	r := newRound(tr.plan, tr.plan.Services, pass.Options{State: state}, rand.New(rand.NewPCG(1, 2)), false)
	tr.next()
	for pass := range 2 {
		from := len(f.since(0))
		if err := r.pass(context.Background(), sources.NewSnapshot(tr.values, 0)).err(); err != nil {
			t.Fatal(err)
		}
		reads := 0
		for _, s := range f.since(from) {
			if s.Op == "read" && strings.HasPrefix(s.Path, tr.path("out")) {
				reads++
			}
		}
		if pass == 1 && reads != 2 {
			t.Errorf("the second pass reads %d times: %v", reads, f.since(from))
		}
	}
}
