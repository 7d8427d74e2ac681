package swap

import (
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
)

// A Difference is how a file stands to its target, where it is not the same.
type Difference struct {
	Target // as the file is to be: owner, group and mode are decided
	State  State
	File   string    // its own path, where Path leads to it through a link; "": Path
	Old    disk.Info // what stands there
	// OldContent is what that holds; nil where it is larger than was asked for, or cannot be read.
	OldContent []byte
}

// Listed tells whether all that is wrong with the file is an access control list.
func (d Difference) Listed() bool { return d.State == Drifted && d.owns(d.Old) }

// Differences gives the files that are not the same, in the order of the targets, with what they
// hold where that is no more than so many bytes and is to be replaced.
func (s *Swap) Differences(most int64) (list []Difference, _ error) {
	for _, f := range s.that(func(f *file) bool { return f.state != Same }) {
		d := Difference{Target: f.Target, State: f.state}
		if f.state != NotThere {
			found, err := f.dir.Stat(f.name)
			if err != nil {
				return nil, err
			}
			d.Old = found
			if (f.state == Differs || f.state == Removed) && found.Size <= most {
				d.OldContent, _ = f.dir.Read(f.name, most)
			}
		}
		if itself := f.destination(); itself != f.Path {
			d.File = itself
		}
		list = append(list, d)
	}
	return list, nil
}

// foresee says how a file stands whose directory is to be made.
func (s *Swap) foresee(f *file, missing string) (err error) {
	f.state = NotThere
	if f.dir, err = s.above(missing); err != nil {
		return err
	}
	if below, err := filepath.Rel(f.dir.Path(), missing); err == nil {
		f.name = filepath.Join(below, f.name)
	}
	self, err := f.dir.Self()
	if err == nil {
		err = f.refuse(disk.Info{}, self)
	}
	if err == nil {
		err = f.settle(disk.Info{})
	}
	return err
}
