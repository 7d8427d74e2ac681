package swap

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// Pending gives those renames of a recorded list whose temporary is still there with its content: what a crash left to do. A temporary
// that is there with another content is not one that was staged whole; it is left to Sweep. Where a temporary is not there to be renamed
// and the destination does not hold what it should, the files may not match: unsure.
func (m Machine) Pending(list []Rename) (todo []Rename, unsure bool, err error) {
	for _, r := range list {
		there, err := m.holds(r, r.Temp)
		if err != nil {
			return nil, false, err
		}
		if there {
			todo = append(todo, r)
			continue
		}
		done, err := m.holds(r, r.Destination())
		if err != nil {
			return nil, false, err
		}
		unsure = unsure || !done
	}
	return todo, unsure, nil
}

// Sync makes durable the names in the directories of a recorded list, which a crash may have kept from it.
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

// gone tells whether a directory could not be opened because there is none, or a file in its place: what was in it is not there either.
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

// RollForward finishes the pending renames of a swap that was committed but not to its end. It needs no value and so no
// source. Like Commit it can be repeated.
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
	if r.InPlace {
		put = func(_, name string) error { return m.overwrite(dir, r, name) }
	}
	if err := put(filepath.Base(r.Temp), filepath.Base(r.Destination())); err != nil {
		return err
	}
	return m.syncs.sync(dir)
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
		if s.register.isSwept(f.dir.Real()) {
			continue
		}
		s.register.setSwept(f.dir.Real(), true) // before, as a Swap may leave something meanwhile
		if err := s.sweep(f.dir, spared); err != nil {
			s.register.setSwept(f.dir.Real(), false)
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, s.Close())...)
}

func (s *Swap) sweep(dir disk.Dir, spared func() (map[string]bool, error)) error {
	names, err := dir.Names()
	if err != nil {
		return err
	}
	// Whoever makes one has it in the register before it is there, and on record before it is in
	// the register no more.
	names = slices.DeleteFunc(names, func(name string) bool {
		return !s.Key.owns(dir.Real(), name) || s.register.has(filepath.Join(dir.Real(), name))
	})
	if len(names) == 0 {
		return nil
	}
	stay, err := spared()
	if err != nil {
		return err
	}
	for _, name := range names {
		if stay[filepath.Join(dir.Real(), name)] {
			s.register.setSwept(dir.Real(), false)
			continue
		}
		// Where others can make names a directory may have one that was a temporary's.
		if found, err := dir.Stat(name); err != nil || found.Type != 0 {
			if err != nil {
				return err
			}
			continue
		}
		if err := dir.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
