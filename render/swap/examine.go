package swap

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/internal/disk"
)

// An Exposure is what others than root can do about a destination.
type Exposure struct {
	By    *disk.Doubt // how they can make names there; nil: they cannot
	Found string      // what stands there and is not taken over, in words; "" where that is nothing
	Open  bool        // who may read the new file is not configured

	Opened bool // it is written in place, and more may have it open than are to read it
}

// Examine says why a target could not be written, and what others than root can do about it. It
// writes nothing and needs no content. A directory that is not there yet is no error; where it is
// to be made, who can make names in the one above it can make it first.
func (m Machine) Examine(t Target) (e Exposure, _ error) {
	s := &Swap{Machine: m, dirs: make(map[string]disk.Dir)}
	defer s.Close()
	f := &file{Target: t}
	f.DirMode = 0
	found, err := s.inspect(f)
	if missing, is := errors.AsType[missingDir](err); is {
		if t.DirMode == 0 {
			return e, nil
		}
		if f.dir, err = s.above(string(missing)); err == nil {
			f.foreign = f.dir.Doubts()
		}
	}
	if err != nil {
		return e, err
	}
	e.Opened = f.mayBeOpen(found)
	f.expose(&e, t)
	if e.By != nil && found.Exists && !f.kept {
		e.Found = f.describe(found)
	}
	return e, nil
}

// above gives the directory that is there, of those in which a missing one is to be.
func (s *Swap) above(missing string) (disk.Dir, error) {
	for {
		up := filepath.Dir(missing)
		d, err := s.open(up, 0, false)
		if _, gone := errors.AsType[missingDir](err); !gone || up == missing {
			return d, err
		}
		missing = up
	}
}

// expose notes who else than root can make names where the file is, or is to be.
func (f *file) expose(e *Exposure, t Target) {
	if len(f.foreign) == 0 || os.Geteuid() != 0 {
		return
	}
	e.By = cmp.Or(other(f.foreign, f.UID), f.foreign[0])
	e.Open = t.UID == Keep || t.KeepMode
}

// mayBeOpen tells whether a file that is written in place can be read by more than it is to be:
// whoever has it open would read what is written to it.
func (f *file) mayBeOpen(found disk.Info) bool {
	if !f.InPlace || !found.Exists || os.Geteuid() != 0 {
		return false
	}
	const group, others = 0o040, 0o004
	return found.Mode&^f.Mode&(group|others) != 0 || found.GID != f.GID && found.Mode&group != 0 && f.Mode&others == 0
}

// describe says what a file is that nothing is taken over from.
func (f *file) describe(found disk.Info) string {
	words := []string{fmt.Sprintf("user %d's", found.UID), fmt.Sprintf("mode %04o", uint32(found.Mode))}
	if attributes, err := f.dir.Attributes(f.name, found); err == nil && attributes.Listed() {
		words = append(words, "with an access control list")
	}
	if found.Links > 1 {
		words = append(words, fmt.Sprintf("with %d names", found.Links))
	}
	return strings.Join(words, ", ")
}

// Unreachable tells whether an error of Examine is that something could not be looked at, and not
// that it is refused.
func Unreachable(err error) bool {
	_, failed := errors.AsType[*fs.PathError](err)
	return failed
}
