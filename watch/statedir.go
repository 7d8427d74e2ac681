package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// A StateDir is an open state directory. It is locked while it is open, so that two processes never
// keep the same files.
type StateDir struct {
	Ledger *ledger.Ledger
	Swap   swap.Machine // makes temporaries that are known by the directory's key

	lock io.Closer
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
	s := &StateDir{lock: lock}
	key, made, err := swap.LoadKey(system, dir)
	if err == nil {
		s.Swap = swap.NewMachine(system, key)
		s.Ledger, err = ledger.Open(system, dir, made)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close(), lock.Close())
	}
	return s, nil
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

// adopt has the ledger know who reads the files of a plan.
func (s *StateDir) adopt(p *Plan) {
	readers := make(map[string][]string)
	for _, svc := range p.Services {
		names := make([]string, len(svc.Dependents))
		for i, d := range svc.Dependents {
			names[i] = d.Name()
		}
		for _, f := range svc.Files {
			readers[f.Path] = names
		}
	}
	s.Ledger.Adopt(readers)
}
