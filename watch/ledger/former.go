package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
)

// The first version of the record was a directory with a file for each service.

const (
	formerName  = "ledger"
	formerLimit = 16 << 20 // bytes of one
	// formerNext stood in the place of a dependent for those whom the next config would name.
	formerNext = "whoever is to be told by the next config"
)

// A former is such a file.
type former struct {
	Version int
	Service string
	Paths   []string
	Swaps   []swap.Rename
	Notices map[string]struct {
		Owed []string
		Gone bool
		Told time.Time
	}
	Serial uint64 // of two about a file the larger one is the newer
	Half   bool   // what was to be renamed is lost
}

// takeOver reads the former records. They are removed once what they hold is durable here.
func (l *Ledger) takeOver(system disk.System, foreign bool) error {
	dir, names, err := l.former(system)
	if dir == nil || err != nil {
		return err
	}
	defer dir.Close()
	if err := l.readFormer(dir, names, foreign); err != nil {
		return err
	}
	if len(l.files) > 0 || len(l.told) > 0 || l.lost {
		if err := l.commit(l.change()); err != nil {
			return err
		}
	}
	return removeAll(dir, names)
}

// readFormer reads the former records.
func (l *Ledger) readFormer(dir disk.Dir, names []string, foreign bool) error {
	serials := make(map[string]uint64) // of the records that swaps are of, by path
	for _, name := range names {
		if disk.IsTemporary(name) {
			continue
		}
		r, err := readFormer(dir, name)
		switch {
		case errors.Is(err, errDamaged) || err == nil && foreign:
			l.lost = true // for all that is known it was about any file
		case err != nil:
			return err
		default:
			l.merge(r, serials)
		}
	}
	return nil
}

// former opens the directory of the former records and lists it; nil where there is none. What
// somebody has put there that never was a record stays, and is in nobody's way.
func (l *Ledger) former(system disk.System) (disk.Dir, []string, error) {
	dir, err := system.Open(filepath.Join(l.dir.Path(), formerName))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if doubts := dir.Doubts(); len(doubts) > 0 {
		return nil, nil, errors.Join(Doubtful(doubts[0]), dir.Close())
	}
	names, err := dir.Names()
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		if !strings.HasSuffix(name, ".json") && !disk.IsTemporary(name) {
			return true
		}
		st, err := dir.Stat(name)
		return err == nil && st.Type == fs.ModeDir
	})
	slices.Sort(names)
	return dir, names, nil
}

// Doubtful is the error of a state that others than root can change.
func Doubtful(how *disk.Doubt) error {
	return fmt.Errorf("%w: whoever changes the state has root rename what he likes", how)
}

// removeFormer takes away what a process that was killed has taken over and not removed.
func (l *Ledger) removeFormer(system disk.System) error {
	dir, names, err := l.former(system)
	if dir == nil || err != nil {
		return err
	}
	defer dir.Close()
	if len(names) == 0 {
		return nil
	}
	if err := l.Confirm(); err != nil {
		return err
	}
	return removeAll(dir, names)
}

func removeAll(dir disk.Dir, names []string) error {
	for _, name := range names {
		if err := dir.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

var errDamaged = errors.New("the record is damaged")

func readFormer(dir disk.Dir, name string) (r former, _ error) {
	data, err := dir.Read(name, formerLimit)
	if st, lost := dir.Stat(name); lost == nil && st.Type != 0 || errors.Is(err, unix.EFBIG) {
		return r, errDamaged
	}
	if err != nil {
		return r, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	bad := func(s swap.Rename) bool { return !beside(s, s.Path) }
	if d.Decode(&r) != nil || r.Version != 1 || r.Service != strings.TrimSuffix(name, ".json") || slices.ContainsFunc(r.Swaps, bad) {
		return r, errDamaged
	}
	return r, nil
}

// merge takes over one record.
func (l *Ledger) merge(r former, serials map[string]uint64) {
	for _, path := range r.Paths {
		f := l.formerFile(path)
		f.unsure = f.unsure || r.Half
	}
	for name, n := range r.Notices {
		if n.Told.After(l.told[name]) {
			l.told[name] = n.Told
		}
		reads := !n.Gone && name != formerNext
		for _, path := range n.Owed {
			if f := l.formerFile(path); reads {
				f.told[name] = 0
			} else {
				f.left[name] = 0
			}
		}
		for _, path := range r.Paths {
			f := l.formerFile(path)
			if _, known := f.told[name]; reads && !known {
				f.told[name] = f.change
			}
		}
	}
	for _, s := range r.Swaps {
		if f := l.formerFile(s.Path); f.swap == nil || r.Serial > serials[s.Path] {
			f.swap, serials[s.Path] = &s, r.Serial
		}
	}
}

// formerFile gives what is taken over of a file.
func (l *Ledger) formerFile(path string) *file {
	if l.files[path] == nil {
		l.files[path] = &file{change: l.count(), told: make(map[string]uint64), left: make(map[string]uint64)}
	}
	return l.files[path]
}
