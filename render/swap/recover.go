package swap

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// Pending gives those renames of a recorded list whose temporary is still there with its content:
// what a crash left to do. A temporary that is there with another content is not one that was
// staged whole; it is left to Discard. Where a temporary is not there to be renamed and the
// destination does not hold what it should, the files may not match: unsure. Where such a list was
// not begun there is nothing to do: it cannot be done whole, and the old files may match. What is
// written in place may be half written.
func (m Machine) Pending(list []Rename) (todo []Rename, unsure bool, err error) {
	begun := false
	for _, r := range list {
		if r.Remove {
			it, anything, err := m.stands(r)
			if err != nil {
				return nil, false, err
			}
			if begun = begun || !anything; it {
				todo = append(todo, r)
			}
			continue
		}
		there, err := m.holds(r, r.Temp)
		if err != nil {
			return nil, false, err
		}
		if there {
			todo, begun = append(todo, r), begun || r.InPlace
			continue
		}
		done, err := m.holds(r, r.Destination())
		if err != nil {
			return nil, false, err
		}
		unsure, begun = unsure || !done, begun || done
	}
	if unsure && !begun {
		todo = nil
	}
	return todo, unsure, nil
}

// Sync makes durable the names in the directories of a recorded list, which a crash may have kept
// from it.
func (m Machine) Sync(list []Rename) error {
	done := make(map[string]bool)
	for _, r := range list {
		path := filepath.Dir(r.Destination())
		if done[path] {
			continue
		}
		done[path] = true
		dir, err := m.Disk.Open(path)
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(m.syncs.sync(dir), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

// gone tells whether a directory could not be opened because there is none, or a file in its place:
// what was in it is not there either.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) }

// maxContent bounds what is read back of a staged file; larger ones are never staged.
const maxContent = 1 << 30

// holds reports whether the file at path has the content of r.
func (m Machine) holds(r Rename, path string) (bool, error) {
	dir, err := m.Disk.Open(filepath.Dir(path))
	if gone(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer dir.Close()
	name := filepath.Base(path)
	if found, err := dir.Stat(name); err != nil || found.Type != 0 {
		return false, err // what stands there now is for Compare to refuse
	}
	content, err := dir.Read(name, maxContent)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return m.Key.Digest(r.Path, content) == r.Digest, nil
}

// RollForward finishes the pending renames of a swap that was committed but not to its end. It
// needs no value and so no source. Like Commit it can be repeated.
func (m Machine) RollForward(todo []Rename) error {
	for _, r := range todo {
		if err := m.rollForward(r); err != nil {
			return err
		}
	}
	return nil
}

func (m Machine) rollForward(r Rename) error {
	dir, err := m.Disk.Open(filepath.Dir(r.Destination()))
	if err != nil {
		return err
	}
	defer dir.Close()
	put := dir.Rename
	switch {
	case r.Remove:
		put = func(_, name string) error { return dir.Remove(name) }
	case r.InPlace:
		put = func(_, name string) error { return m.overwrite(dir, r, name) }
	}
	if err := put(filepath.Base(r.Temp), filepath.Base(r.Destination())); err != nil {
		return err
	}
	return m.syncs.sync(dir)
}

// Discard removes what is there of the temporaries of a recorded list whose pending renames are
// done: they do not hold what was staged, as on a disk that lost what it had said to be durable, or
// belong to a list that cannot be done whole.
func (m Machine) Discard(list []Rename) error {
	for _, r := range list {
		if r.Remove {
			continue
		}
		dir, err := m.Disk.Open(filepath.Dir(r.Temp))
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if err := errors.Join(m.discard(dir, filepath.Base(r.Temp)), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}

// discard removes a file that is a temporary of ours. Where others can make names a directory may
// have one that was a temporary's.
func (m Machine) discard(dir disk.Dir, name string) error {
	if !m.Key.owns(dir.Real(), name) {
		return nil
	}
	if found, err := dir.Stat(name); err != nil || !found.Exists || found.Type != 0 {
		return err
	}
	return dir.Remove(name)
}

// Sweep removes the temporaries that a crash left: those beside the files at these paths, or
// where links there lead, whose name proves them to be made with this key, and no other file.
// What a Swap of this process is at work on stays, and what spared gives, by path, which is asked
// once the directory is listed and only where there is something to sweep; its error is Sweep's.
// A directory that is not there has none. One that was swept is not listed again, unless
// something was spared or a Swap has left something in it since.
func (m Machine) Sweep(paths []string, spared func() (map[string]bool, error)) error {
	s := &Swap{Machine: m, dirs: make(map[string]disk.Dir)}
	var errs []error
	for _, path := range paths {
		f := &file{Target: Target{Path: path}}
		if _, err := s.find(f); err != nil {
			// Where a link must not be followed nothing of ours can be.
			if _, failed := errors.AsType[*fs.PathError](err); failed && !gone(err) {
				errs = append(errs, err)
			}
			continue
		}
		if s.register.swept.has(f.dir.Real()) {
			continue
		}
		s.register.swept.add(f.dir.Real()) // before, as a Swap may leave something meanwhile
		if err := s.sweep(f.dir, spared); err != nil {
			s.register.swept.remove(f.dir.Real())
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.Close())...)
}

func (s *Swap) sweep(dir disk.Dir, spared func() (map[string]bool, error)) error {
	names, err := s.abandoned(dir)
	if len(names) == 0 || err != nil {
		return err
	}
	stay, err := spared()
	if err != nil {
		return err
	}
	for _, name := range names {
		if stay[filepath.Join(dir.Real(), name)] {
			s.register.swept.remove(dir.Real())
			continue
		}
		if err := s.discard(dir, name); err != nil {
			return err
		}
	}
	return nil
}

// abandoned gives the temporaries in a directory that no Swap of this process is at work on.
// Whoever makes one has it in the register before it is there, and on record before it is in the
// register no more.
func (s *Swap) abandoned(dir disk.Dir) ([]string, error) {
	names, err := dir.Names()
	return slices.DeleteFunc(names, func(name string) bool {
		return !s.Key.owns(dir.Real(), name) || s.register.temporaries.has(filepath.Join(dir.Real(), name))
	}), err
}
