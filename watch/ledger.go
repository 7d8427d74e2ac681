package watch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/render/disk"
	"github.com/rendered/rendered/render/swap"
)

// A Ledger is the durable record of notices: one small file a service in the state directory. It is locked while it is open, so
// that two processes never keep the same services.
type Ledger struct {
	swap.Machine
	dir  disk.Dir
	lock io.Closer

	mu      sync.Mutex
	foreign map[string]bool // names of records that are older than the key, and cannot be compared with anything
	kept    map[string]bool // services that there are
	damaged map[string]bool // services whose record was found to be, though it may be another by now

	heirs chan struct{} // is full while somebody changes the record of a service that is no more
}

const (
	ledgerVersion = 1
	ledgerLimit   = 16 << 20 // bytes of one record; more is no record of ours
	lockWait      = 3 * time.Second
	lockPause     = 50 * time.Millisecond
)

// A record is what the ledger knows of one service.
type record struct {
	Version int               `json:"version"`
	Service string            `json:"service"`
	Paths   []string          `json:"paths,omitempty"`   // the service's files, sorted
	Swaps   []swap.Rename     `json:"swaps,omitempty"`   // what the last commit was to rename; done unless a temporary is left
	Notices map[string]notice `json:"notices,omitempty"` // by the dependent's name
	Serial  uint64            `json:"serial,omitempty"`  // who takes over from another has a larger one: the newer of two about a file
	Half    bool              `json:"half,omitempty"`    // what was to be renamed is lost: nobody is told before the files are looked at
}

// A notice is how one dependent stands.
type notice struct {
	Owed []string  `json:"owed,omitempty"` // paths changed since it was last told; empty: nothing is owed
	Gone bool      `json:"gone,omitempty"` // the config does not name it any more
	Told time.Time `json:"told,omitzero"`  // when it last acknowledged
}

var errDamaged = errors.New("the record is damaged")

// OpenLedger opens the ledger in the state directory, which is made, 0700, where it is missing. Where another process has it
// open it waits a moment, then says which; it returns at once, with ctx's error, when ctx ends. What the ledger and the swaps of its
// services do to files they do to this system's.
func OpenLedger(ctx context.Context, system disk.System, state string) (*Ledger, error) {
	dir, err := openState(system, state)
	if err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	defer dir.Close()
	l := &Ledger{Machine: swap.Machine{Disk: system, Register: swap.NewRegister()}, foreign: make(map[string]bool), damaged: make(map[string]bool), heirs: make(chan struct{}, 1)}
	if l.lock, err = lockState(ctx, dir); err != nil {
		return nil, fmt.Errorf("state_dir: %w", err)
	}
	if err := l.open(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("state_dir: %w", err), l.Close())
	}
	return l, nil
}

func openState(system disk.System, path string) (disk.Dir, error) {
	if err := disk.MakeAll(system, path, 0o700); err != nil {
		return nil, err
	}
	dir, err := system.Open(path)
	if err != nil {
		return nil, err
	}
	if doubts := dir.Doubts(); len(doubts) > 0 {
		return nil, errors.Join(fmt.Errorf("%w: whoever changes the state has root rename what he likes", doubts[0]), dir.Close())
	}
	return dir, nil
}

// LedgerDir is where the records lie in a state directory.
func LedgerDir(state string) string { return filepath.Join(state, "ledger") }

func (l *Ledger) open(state disk.Dir) error {
	key, made, err := swap.LoadKey(l.Disk, state)
	if err != nil {
		return err
	}
	l.Key = key
	if l.dir, err = openState(l.Disk, LedgerDir(state.Path())); err != nil {
		return err
	}
	names, err := l.dir.Names()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		// A process that made the directory may have been killed before its name was durable, and records would go with it.
		return state.Sync()
	}
	for _, name := range names {
		switch {
		case disk.IsTemporary(name): // of a process that was killed
			err = errors.Join(err, l.dir.Remove(name))
		case made:
			l.foreign[name] = true
		}
	}
	return err
}

// isForeign tells whether a record is older than the key.
func (l *Ledger) isForeign(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.foreign[name]
}

func lockState(ctx context.Context, state disk.Dir) (io.Closer, error) {
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

// A heldError is that another process keeps the services of the state directory.
type heldError struct{ state, holder string }

func (e heldError) Error() string {
	return fmt.Sprintf("%s is held by another rendered, %s", e.state, e.holder)
}

// Close lets go of the ledger and its lock.
func (l *Ledger) Close() error {
	var err error
	if l.dir != nil {
		err = l.dir.Close()
	}
	return errors.Join(err, l.lock.Close())
}

// load reads the record of a service. A service without one owes nothing. Where it is no record, or one made with a key that is lost,
// the error is errDamaged: nobody knows what is owed, so everything is. Another error may pass.
func (l *Ledger) load(service string) (record, error) {
	fresh := record{Version: ledgerVersion, Service: service, Notices: make(map[string]notice)}
	data, err := l.dir.Read(service+".json", ledgerLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if st, lost := l.dir.Stat(service + ".json"); lost == nil && st.Type != 0 || errors.Is(err, unix.EFBIG) || l.isForeign(service+".json") {
		return fresh, l.isDamaged(service)
	}
	if err != nil {
		return fresh, fmt.Errorf("ledger: %w", err)
	}
	var r record
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || r.Version != ledgerVersion || r.Service != service || !r.sound() {
		return fresh, l.isDamaged(service)
	}
	if r.Notices == nil {
		r.Notices = make(map[string]notice)
	}
	return r, nil
}

// isDamaged notes that a record is damaged, and gives the error.
func (l *Ledger) isDamaged(service string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.damaged[service] = true
	return fmt.Errorf("ledger: %s.json: %w", service, errDamaged)
}

func (l *Ledger) wasDamaged(service string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.damaged[service]
}

// sound reports that the swap list can be acted on: each temporary stands beside its destination.
func (r record) sound() bool {
	return !slices.ContainsFunc(r.Swaps, func(s swap.Rename) bool {
		to := s.Destination()
		return !filepath.IsAbs(s.Path) || !filepath.IsAbs(to) || filepath.Clean(to) != to || filepath.Dir(s.Temp) != filepath.Dir(to)
	})
}

// save makes the record durable.
func (l *Ledger) save(r record) error {
	data, err := json.MarshalIndent(r, "", "\t")
	if err == nil {
		err = disk.Replace(l.dir, r.Service+".json", append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.foreign, r.Service+".json")
	return nil
}

// clone gives a copy that does not change with r.
func (r record) clone() record {
	r.Notices = maps.Clone(r.Notices)
	return r
}

// owe adds paths to what a dependent must be told.
func (r *record) owe(dependent string, paths []string) {
	n := r.Notices[dependent]
	n.Owed = slices.Compact(slices.Sorted(slices.Values(slices.Concat(n.Owed, paths))))
	r.Notices[dependent] = n
}

// acknowledge notes that a dependent was told at a time.
func (r *record) acknowledge(dependent string, at time.Time) {
	r.Notices[dependent] = notice{Told: at.UTC().Round(0)}
}
