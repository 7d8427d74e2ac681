package swap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/rendered/rendered/render/disk"
)

// An Exposure is what others than root can do about a destination.
type Exposure struct {
	By    *disk.Doubt // how they can make names there; nil: they cannot
	Found string      // what stands there and is not taken over, in words; "" where that is nothing
	Open  bool        // who may read the new file is not configured
}

// Examine says why a target could not be written, and what others than root can do about it. It
// writes nothing and needs no content. A directory that is not there yet is no error.
func (m Machine) Examine(t Target) (e Exposure, _ error) {
	t.DirMode = 0
	s := &Swap{Machine: m, dirs: make(map[string]disk.Dir)}
	defer s.Close()
	f := &file{Target: t}
	found, err := s.find(f)
	if _, missing := errors.AsType[missingDir](err); missing {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	self, err := f.dir.Self()
	if err != nil {
		return e, err
	}
	if err := f.refuse(found, self); err != nil {
		return e, err
	}
	if err := f.settle(found); err != nil {
		return e, err
	}
	if err := f.refuseInPlace(found); err != nil {
		return e, err
	}
	if len(f.foreign) == 0 || os.Geteuid() != 0 {
		return e, nil
	}
	e.By = f.foreign[0]
	if d := other(f.foreign, f.UID); d != nil {
		e.By = d
	}
	e.Open = t.UID == Keep || t.KeepMode
	if found.Exists && !f.kept {
		e.Found = f.describe(found)
	}
	return e, nil
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
