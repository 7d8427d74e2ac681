package swap

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// What is not to be there any more is taken away in the same swap, after the renames. On record it
// is with a digest of what stood there, so that who finishes the swap takes away nothing that
// somebody has put there since. A link is taken away itself, and not what it leads to.

// lookGone looks at what stands where nothing is to be.
func (s *Swap) lookGone(f *file) (err error) {
	f.state, f.name = Same, filepath.Base(f.Path)
	dir, err := s.open(parent(f.Path), 0, false)
	if _, missing := errors.AsType[missingDir](err); missing || gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := dir.Stat(f.name)
	if err != nil || !found.Exists {
		return err
	}
	f.dir = dir
	if f.Gone == Leave {
		return nil
	}
	self, err := dir.Self()
	if err != nil {
		return err
	}
	switch {
	case found.Mount:
		return fmt.Errorf("%s is to be removed, and is a mount point of its own", f.Path)
	case found.Type == fs.ModeSymlink:
	default:
		if err := f.refuse(found, self); err != nil {
			return err
		}
	}
	f.state, f.foreign = Removed, dir.Doubts()
	f.digest, err = s.standing(dir, f.Path, found)
	return err
}

// standing gives the digest of what is to be removed.
func (m Machine) standing(dir disk.Dir, path string, found disk.Info) (string, error) {
	name := filepath.Base(path)
	if found.Type == fs.ModeSymlink {
		to, err := dir.Link(name)
		return m.Key.Digest(path, []byte("link to "+to)), err
	}
	content, err := dir.Read(name, maxContent)
	return m.Key.Digest(path, content), err
}

// removed gives the files that are to be removed.
func (s *Swap) removed() []*file { return s.that(func(f *file) bool { return f.state == Removed }) }

// stands tells whether what a recorded removal is about is there, and whether anything is.
func (m Machine) stands(r Rename) (it, anything bool, err error) {
	dir, err := m.Disk.Open(parent(r.Destination()))
	if gone(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	defer dir.Close()
	found, err := dir.Stat(filepath.Base(r.Destination()))
	if err != nil || !found.Exists {
		return false, false, err
	}
	if found.Type != 0 && found.Type != fs.ModeSymlink {
		return false, true, nil
	}
	digest, err := m.standing(dir, r.Path, found)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, false, nil
	case errors.Is(err, unix.EFBIG):
		return false, true, nil // it is another
	}
	return digest == r.Digest, true, err
}
