// Package swap puts new files in the place of old ones.
//
// A Swap goes through its stages in order: Compare looks and changes nothing; Stage writes every
// differing file beside its destination; Renames says what must be on record before Commit; Commit
// renames file by file. All that can fail, checks included, has happened before Commit. A Swap that
// was not committed leaves nothing behind.
package swap

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/disk"
)

// A Machine is where files are swapped. Copies of one share what its swaps have to know of each
// other.
type Machine struct {
	Disk disk.System
	Key  Key

	register *register
	syncs    *syncs
}

// NewMachine gives a machine that works on a system's files, and knows its temporaries by the key.
// Jobs are those that swap at the same time; they may be nil.
func NewMachine(system disk.System, key Key, jobs *disk.Jobs) Machine {
	return Machine{system, key, new(register), &syncs{jobs: jobs, groups: make(map[disk.ID]*syncing)}}
}

// Keep, as an owner or a group, keeps that of the file replaced; a new file gets the daemon's own.
const Keep = -1

// A Target is one file as it should be.
type Target struct {
	Path     string // absolute
	Content  []byte
	UID, GID int         // Keep: the present one's
	Mode     fs.FileMode // permission bits; where KeepMode is set, those of a new file
	KeepMode bool        // keep the mode of the file replaced
	DirMode  fs.FileMode // missing directories are made with it; 0: a missing directory is an error

	// InPlace: the file is written where it is, not replaced by a rename. It is for one that is
	// mounted by itself.
	InPlace    bool
	AllowEmpty bool // nothing but white space may take the place of something

	Gone Gone // the file is not to be there any more: all but Path says nothing
}

// Gone is what becomes of a file that is not to be there any more.
type Gone int

const (
	Wanted Gone = iota // it is to be there
	Remove
	Leave // it stays as it is
)

// A State is how a file stands to its target.
type State string

const (
	Same State = "unchanged"
	// Drifted: the content is right, the owner or the mode is not. It is put right, and nobody is
	// told.
	Drifted  State = "repaired"
	Differs  State = "changed"
	NotThere State = "created"
	Removed  State = "removed"
	Left     State = "kept" // it is not wanted any more, and stays
)

// A Swap is the way of one service's files from old to new.
type Swap struct {
	Machine
	dirs      map[string]disk.Dir // by path
	files     []*file
	committed bool
	foresees  bool // no directory is made
	former    bool // the staged files hold what the destinations hold: there is nothing to commit
}

// A file is one target and what was found in its place.
type file struct {
	Target
	dir        disk.Dir // where the file itself is: beyond a link at Path
	name       string
	foreign    []*disk.Doubt   // who else than root can decide what stands at name
	kept       bool            // what was found may be taken over from
	attributes disk.Attributes // what is taken over of them
	state      State
	temp       string // base name of the temporary; "" before Stage and where the file is the same
	digest     string // of what is to be removed
}

// Compare looks at every target's destination. Nothing is written but missing directories that have
// a DirMode. A destination that cannot be replaced by a rename (a directory, a device, a mount
// point, an immutable file) is an error. Of a link the target is replaced, where it is. The caller
// closes the Swap.
func (m Machine) Compare(targets []Target) (*Swap, error) { return m.compare(targets, false) }

// Foresee does what Compare does, and makes no directory: what is to be in one that is to be made
// is not there. Such a Swap is closed, and nothing else.
func (m Machine) Foresee(targets []Target) (*Swap, error) { return m.compare(targets, true) }

func (m Machine) compare(targets []Target, foresees bool) (*Swap, error) {
	s := &Swap{Machine: m, dirs: make(map[string]disk.Dir), foresees: foresees}
	for _, t := range targets {
		f, err := s.look(t)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.files = append(s.files, f)
	}
	return s, nil
}

func (s *Swap) look(t Target) (*file, error) {
	f := &file{Target: t}
	if t.Gone != Wanted {
		return f, s.lookGone(f)
	}
	found, err := s.inspect(f)
	if missing, is := errors.AsType[missingDir](err); is && s.foresees && t.DirMode != 0 {
		return f, s.foresee(f, string(missing))
	}
	if err != nil {
		return nil, err
	}
	if f.state, err = f.compare(found); err != nil {
		return nil, err
	}
	if found.Exists && (f.state != Same || len(f.foreign) > 0 && !f.KeepMode) {
		err = f.takeOver(found)
	}
	return f, errors.Join(err, f.refuseEmpty(found))
}

// inspect looks at what stands at a target's destination, and is an error where that cannot or must
// not be replaced.
func (s *Swap) inspect(f *file) (found disk.Info, err error) {
	if found, err = s.find(f); err != nil {
		return found, err
	}
	self, err := f.dir.Self()
	if err != nil {
		return found, err
	}
	if err := f.refuse(found, self); err != nil {
		return found, err
	}
	if err := f.settle(found); err != nil {
		return found, err
	}
	return found, f.refuseInPlace(found)
}

// maxLinks is how many links a path may lead through (path_resolution(7)).
const maxLinks = 40

// find opens the directory in which the target's file is, or is to be, beyond links at its path,
// and looks at the name there.
func (s *Swap) find(f *file) (found disk.Info, err error) {
	path := f.Path
	for links := range maxLinks {
		f.dir, f.name = nil, filepath.Base(path)
		if f.dir, err = s.open(parent(path), f.DirMode, links > 0); err != nil {
			return found, err
		}
		if found, err = f.dir.Stat(f.name); err != nil || found.Type != fs.ModeSymlink {
			return found, err
		}
		if path, err = f.dir.Link(f.name); err != nil {
			return found, err
		}
	}
	return found, fmt.Errorf("%s: its links lead in a circle", f.Path)
}

// parent gives the directory of a path as the kernel understands it, which resolves ".." after
// links.
func parent(path string) string {
	return path[:max(strings.LastIndexByte(path, '/'), 1)]
}

// refuseEmpty keeps a file from being emptied by mistake: by a template whose condition does not
// hold, a list without elements.
func (f *file) refuseEmpty(found disk.Info) error {
	if f.AllowEmpty || f.state != Differs || found.Size == 0 || len(bytes.TrimSpace(f.Content)) > 0 {
		return nil
	}
	return fmt.Errorf("%s is to become empty, and is not now; allow_empty: true lets it", f.Path)
}

// open opens a directory, once. A missing one is made where there is a mode for it. One that a
// destination's link leads to is opened with more care.
func (s *Swap) open(path string, mode fs.FileMode, beyond bool) (disk.Dir, error) {
	key, open := path, s.Disk.Open
	if beyond {
		key, open = "link "+path, s.Disk.Follow
	}
	if d := s.dirs[key]; d != nil {
		return d, nil
	}
	d, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if mode == 0 || s.foresees {
			return nil, missingDir(path)
		}
		if err := disk.MakeAll(s.Disk, path, mode); err != nil {
			return nil, err
		}
		d, err = open(path)
	}
	if err != nil {
		return nil, err
	}
	s.dirs[key] = d
	return d, nil
}

// A missingDir is the path of a directory that is not there, and may not be made.
type missingDir string

func (d missingDir) Error() string {
	return string(d) + ": the directory does not exist; make it, or set dir_mode"
}

// Unwrap gives the error that it is made of.
func (d missingDir) Unwrap() error {
	return &fs.PathError{Op: "open", Path: string(d) + "/", Err: fs.ErrNotExist}
}

// refuse says why a rename cannot or must not replace what was found.
func (f *file) refuse(found, dir disk.Info) error {
	switch {
	case dir.Fixed:
		return fmt.Errorf("%s: the directory is immutable or append-only (chattr): nothing in it can be replaced", f.dir.Path())
	case !found.Exists:
		return nil
	case f.Gone == Remove && found.Type == fs.ModeDir:
		return fmt.Errorf("%s is to be removed, and is a directory, which somebody else has made; move it elsewhere", f.Path)
	case f.Gone == Remove && found.Type != 0:
		return fmt.Errorf("%s is to be removed, and is a device, pipe or socket, which somebody else has made; move it elsewhere", f.Path)
	case found.Type == fs.ModeDir:
		return fmt.Errorf("%s is a directory; a file is to stand there", f.Path)
	case found.Type != 0:
		return fmt.Errorf("%s is a device, pipe or socket; only a regular file is replaced", f.Path)
	case found.Mount && !f.InPlace:
		return fmt.Errorf("%s is a mount point of its own, which a rename cannot replace; mount its directory instead, or set write: in-place", f.Path)
	case found.Fixed:
		return fmt.Errorf("%s is immutable or append-only (chattr -i -a makes it replaceable)", f.Path)
	}
	return nil
}

func (f *file) compare(found disk.Info) (State, error) {
	if !found.Exists {
		return NotThere, nil
	}
	if found.Size != int64(len(f.Content)) {
		return Differs, nil
	}
	old, err := f.dir.Read(f.name, found.Size)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "", fmt.Errorf("%w; it must be readable to see whether it changed", err)
	case err != nil:
		return "", err
	case !bytes.Equal(old, f.Content):
		return Differs, nil
	case !f.owns(found):
		return Drifted, nil
	}
	return Same, nil
}

// owns reports that what was found has the owner, the group and the mode of the target.
func (t Target) owns(found disk.Info) bool {
	return found.Mode == t.Mode && found.UID == t.UID && found.GID == t.GID
}

// that gives the files for which something holds, in the order of the targets.
func (s *Swap) that(holds func(*file) bool) []*file {
	return slices.DeleteFunc(slices.Clone(s.files), func(f *file) bool { return !holds(f) })
}

// staged gives the files that have a temporary.
func (s *Swap) staged() []*file { return s.that(func(f *file) bool { return f.temp != "" }) }

// Files tells each target's path and state, in the order of the targets. One that is not wanted and
// not there is none.
func (s *Swap) Files(tell func(path string, state State)) {
	for _, f := range s.files {
		switch {
		case f.Gone == Wanted || f.state == Removed:
			tell(f.Path, f.state)
		case f.Gone == Leave && f.dir != nil:
			tell(f.Path, Left)
		}
	}
}

// Changed gives the paths whose content is new, or that are removed, in the order of the targets:
// those that a dependent must be told of.
func (s *Swap) Changed() []string {
	var paths []string
	for _, f := range s.that(func(f *file) bool { return f.state == Differs || f.state == NotThere || f.state == Removed }) {
		paths = append(paths, f.Path)
	}
	return paths
}

// maxOld bounds what Replaced reads of one file, in bytes.
const maxOld = 1 << 20

// Replaced gives each file that is to be removed, or whose content is to be replaced, what it holds
// now, and its permission bits. What is larger than 1 MiB, or cannot be read, is left out.
func (s *Swap) Replaced(tell func(t Target, old []byte, mode fs.FileMode)) {
	for _, f := range s.that(func(f *file) bool { return f.state == Differs || f.state == Removed }) {
		found, err := f.dir.Stat(f.name)
		if err != nil {
			continue
		}
		if old, err := f.dir.Read(f.name, maxOld); err == nil {
			tell(f.Target, old, found.Mode)
		}
	}
}

// Idle reports that every file is the same, so that there is nothing to stage.
func (s *Swap) Idle() bool {
	return !slices.ContainsFunc(s.files, func(f *file) bool { return f.state != Same })
}

// Leave has Close leave the temporaries, as after Commit: they may be on record. If they are not,
// Sweep takes them away.
func (s *Swap) Leave() {
	s.committed = true
	for _, f := range s.staged() {
		s.register.swept.remove(f.dir.Real())
	}
}

// Close removes the temporaries of a Swap that was not committed and lets its directories go. Where
// Commit was begun the temporaries stay: they are on record, and RollForward finishes them.
func (s *Swap) Close() error {
	var errs []error
	for _, f := range s.staged() {
		if !s.committed {
			err := f.dir.Remove(f.temp)
			if err != nil {
				s.register.swept.remove(f.dir.Real())
			}
			errs = append(errs, err)
		}
		s.register.temporaries.remove(f.temporary()) // what is left is on record, or to be swept
	}
	for _, d := range s.dirs {
		errs = append(errs, d.Close())
	}
	s.files, s.dirs = nil, nil
	return errors.Join(errs...)
}
