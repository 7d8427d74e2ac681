package pass

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// A StateDir is an open state directory. It is locked while it is open, so that two processes never
// keep the same files.
type StateDir struct {
	Path   string
	Ledger *ledger.Ledger
	Swap   swap.Machine // makes temporaries that are known by the directory's key
	Jobs   *disk.Jobs   // the passes that work with files

	shelf  *shelf
	lock   io.Closer
	unread bool // it was peeked at, is there, and cannot be read
}

const (
	lockWait  = 3 * time.Second
	lockPause = 50 * time.Millisecond
)

// OpenStateDir opens the state directory, which is made, 0700, where it is missing. Where another
// process has it open it waits a moment, then says which; it returns at once, with ctx's error,
// when ctx ends. What is done to files, the ledger's own included, is done to this system's.
func OpenStateDir(ctx context.Context, system disk.System, path string) (*StateDir, error) {
	s, err := openStateDir(ctx, system, path)
	if err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	return s, nil
}

func openStateDir(ctx context.Context, system disk.System, path string) (*StateDir, error) {
	if err := disk.MakeAll(system, path, 0o700); err != nil {
		return nil, err
	}
	dir, err := system.Open(path)
	if err != nil {
		return nil, err
	}
	if doubts := dir.Doubts(); len(doubts) > 0 {
		return nil, errors.Join(ledger.Doubtful(doubts[0]), dir.Close())
	}
	lock, err := lockDir(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	s := &StateDir{Path: path, lock: lock, Jobs: disk.NewJobs(), shelf: newShelf()}
	key, made, err := swap.LoadKey(system, dir)
	if err == nil {
		s.Swap = swap.NewMachine(system, key, s.Jobs)
		s.Ledger, err = ledger.Open(system, dir, made, s.Jobs)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close(), lock.Close())
	}
	return s, nil
}

// NoStateDir gives one with nothing on record, for Keepers that only render.
func NoStateDir() *StateDir {
	return &StateDir{Ledger: ledger.Peek(nil), Jobs: disk.NewJobs(), shelf: newShelf()}
}

// PeekStateDir gives what can be read of a state directory, which another process may have open,
// and changes nothing. Where it cannot be read, or others than root can change it, nothing is on
// record. It takes no lock, nothing can be written to what it gives, and that is not closed.
func PeekStateDir(system disk.System, path string) *StateDir {
	s := NoStateDir()
	s.Path = path
	var key swap.Key
	dir, err := system.Open(path)
	s.unread = err != nil && !errors.Is(err, fs.ErrNotExist)
	if err == nil {
		if s.unread = len(dir.Doubts()) > 0; !s.unread {
			key, _, _ = swap.ReadKey(dir)
			s.Ledger = ledger.Peek(dir)
		}
		_ = dir.Close()
	}
	s.Swap = swap.NewMachine(system, key, s.Jobs)
	return s
}

func lockDir(ctx context.Context, state disk.Dir) (io.Closer, error) {
	for begun := time.Now(); ; {
		lock, holder, err := state.Lock("lock", fmt.Sprintf("process %d\n", os.Getpid()))
		switch {
		case !errors.Is(err, unix.EWOULDBLOCK):
			return lock, err
		case time.Since(begun) > lockWait:
			return nil, heldError{state.Path(), cmp.Or(strings.TrimSpace(holder), "which is just starting")}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// A heldError is that another process keeps the files of the state directory.
type heldError struct{ state, holder string }

func (e heldError) Error() string {
	return fmt.Sprintf("%s is held by another rendered, %s", e.state, e.holder)
}

// Close lets go of the directory and its lock.
func (s *StateDir) Close() error { return errors.Join(s.Ledger.Close(), s.lock.Close()) }

// Intact tells whether files are as the ledger has them, where it says so.
func (s *StateDir) Intact(paths []string) bool {
	todo, unsure, err := s.Swap.Pending(s.Ledger.Unfinished(paths))
	return err == nil && !unsure && len(todo) == 0
}

// A File is one of a service, as it is on the machine.
type File struct {
	*render.File // of the config: it may stand for others
	Path         string
	Gone         bool // its key is gone, and it stays
}

// Files gives the files of a service: in the place of one that stands for others those that there
// are on record.
func (s *StateDir) Files(svc *Service) iter.Seq[File] {
	return func(yield func(File) bool) {
		for _, f := range svc.Files {
			if !f.IsEach() {
				if !yield(File{f, f.Path, false}) {
					return
				}
				continue
			}
			for _, m := range s.Ledger.Members(f.Path) {
				if m.Standing != ledger.Removed && !yield(File{f, m.Path, m.Standing == ledger.Kept}) {
					return
				}
			}
		}
	}
}

// Paths gives the paths of a service, with those on record of the files that others stand for.
func (s *StateDir) Paths(svc *Service) []string { return s.Ledger.Expand(svc.Paths()) }

// A Pause is that nobody works on a service, as somebody asked.
type Pause = ledger.Pause

// A Trigger is what a look is for.
type Trigger = ledger.Trigger

// Adopt has the ledger know who reads the files of the services, which are all that there are, or
// those that are known, and who is paused of them. It tells whether that is to be written.
func (s *StateDir) Adopt(services []*Service, all bool) bool {
	readers, files := make(map[string][]string), make(map[string][]string)
	for _, svc := range services {
		names := make([]string, len(svc.Dependents))
		for i, d := range svc.Dependents {
			names[i] = d.Name()
		}
		files[svc.Name] = svc.Paths()
		for _, f := range svc.Files {
			readers[f.Path] = names
		}
	}
	s.Ledger.Adopt(readers, all)
	differs := s.Ledger.Follow(files, all)
	if differs { // perhaps a rollout has left, and what was kept for it
		s.shelf.littered.Store(true)
	}
	var alarms []string
	for _, svc := range services { // after each has what is its own
		if !svc.After.IsZero() {
			s.Ledger.Suspect(svc.Name, svc.Paths())
		}
		if !svc.OnFailure.IsZero() {
			alarms = append(alarms, svc.Name)
		}
	}
	s.Ledger.Alarms(alarms, all)
	return differs
}
