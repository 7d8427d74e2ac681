package swap

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// A Rename is one step of a Commit, as it stands on record.
type Rename struct {
	Temp string `json:"temp"` // path of the temporary, beside the file itself
	Path string `json:"path"` // path of the destination, as the config has it
	// Target is the path of the file itself, where Path leads to it through a link.
	Target  string `json:"target,omitempty"`
	InPlace bool   `json:"in_place,omitempty"` // the content goes into the file that is there
	Remove  bool   `json:"remove,omitempty"`   // the file is taken away; there is no temporary
	Digest  string `json:"digest"`             // of the content, by the key of the host
}

// put puts the temporary in a directory in the place of a file there.
func (s *Swap) put(f *file) error {
	if !f.InPlace || f.state == NotThere {
		return f.dir.Rename(f.temp, f.name)
	}
	return s.overwrite(f.dir, Rename{Temp: f.temp, Path: f.Path, Digest: s.Key.Digest(f.Path, f.Content)}, f.name)
}

var errReplaced = errors.New("something else was put in the place of what was staged")

// overwrite writes what is in a temporary, with its owner and mode, to the file at name, and takes
// the temporary away. Until that is durable the temporary is there to begin again. Where the file
// is gone meanwhile the temporary takes its place.
func (m Machine) overwrite(dir disk.Dir, r Rename, name string) error {
	temp := filepath.Base(r.Temp)
	as, err := dir.Stat(temp)
	if err != nil {
		return err
	}
	content, err := dir.Read(temp, maxContent)
	if err != nil {
		return err
	}
	// Who can change the names in the directory could have root read a file for him.
	if m.Key.Digest(r.Path, content) != r.Digest {
		return &fs.PathError{Op: "read", Path: r.Path, Err: errReplaced}
	}
	attributes, err := dir.Attributes(temp, as)
	if err != nil {
		return err
	}
	found, err := dir.Stat(name)
	if err != nil {
		return err
	}
	if !found.Exists {
		return dir.Rename(temp, name)
	}
	if err := openToOthers(r.Path, found, as.UID, as.Mode, dir.Doubts()); err != nil {
		return err
	}
	err = dir.Overwrite(name, found, content, as.UID, as.GID, as.Mode, attributes.Listed())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dir.Rename(temp, name)
	case err != nil:
		return err
	}
	return dir.Remove(temp)
}

// Destination is the path of the file that is replaced.
func (r Rename) Destination() string { return cmp.Or(r.Target, r.Path) }

// stagedAtOnce is how many files are written at the same time. A file system that is asked for
// several fsyncs at once answers them with one commit of its journal.
const stagedAtOnce = 8

// Stage writes every file that is not the same to a temporary beside its destination, readable by
// nobody but its owner to be from the first moment, and makes it durable; then it makes the
// temporaries' names durable.
func (s *Swap) Stage() error {
	errs := make([]error, len(s.files))
	slots := make(chan struct{}, stagedAtOnce)
	var all sync.WaitGroup
	for i, f := range s.files {
		if f.state == Same || f.state == Removed {
			continue
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			var err error
			if failed := fault.Caught(func() { err = s.stage(i, f) }); failed != nil {
				err = failed
			}
			if err != nil {
				errs[i] = &fs.PathError{Op: "stage", Path: f.Path, Err: bare(err)}
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := s.syncAbove(); err != nil {
		return err
	}
	return s.syncDirs()
}

// syncAbove makes durable the names of directories that may be ours, where a file is new in them: a
// process that made them may have been killed before it had done so, and whatever is in them would
// go with a name that is lost.
func (s *Swap) syncAbove() error {
	return inDirs(s.that(func(f *file) bool { return f.state == NotThere && f.DirMode != 0 }), func(dir disk.Dir) error {
		return disk.SyncAbove(s.Disk, dir.Real())
	})
}

func (s *Swap) stage(n int, f *file) error {
	temp := s.Key.tempName(f.dir.Real(), n)
	s.register.temporaries.add(filepath.Join(f.dir.Real(), temp))
	out, err := f.dir.Create(temp)
	if err != nil {
		s.register.temporaries.remove(filepath.Join(f.dir.Real(), temp))
		return err
	}
	f.temp = temp
	if err := out.Own(f.UID, f.GID, f.Mode, f.attributes); err != nil {
		return errors.Join(err, out.Close())
	}
	return disk.Fill(out, f.Content)
}

// bare gives what happened without the temporary's name, which differs each time and tells nobody
// anything.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// Intact is an error where a staged file is not what was staged any more: a check that writes to
// what it is to judge would have another file put in place than was rendered.
func (s *Swap) Intact() error {
	for _, f := range s.staged() {
		same, err := f.intact()
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("%s: a check wrote to the new file, or took it away; it may only read it", f.Path)
		}
	}
	return nil
}

func (f *file) intact() (bool, error) {
	found, err := f.dir.Stat(f.temp)
	if err != nil || found.Type != 0 || found.Size != int64(len(f.Content)) {
		return false, err
	}
	content, err := f.dir.Read(f.temp, found.Size)
	return bytes.Equal(content, f.Content) && found.Exists && f.owns(found), err
}

// Staged gives the path of the staged file for a destination, "" where the file is the same.
func (s *Swap) Staged(path string) string {
	for _, f := range s.staged() {
		if f.Path == path {
			return f.temporary()
		}
	}
	return ""
}

// temporary is the path of the staged file.
func (f *file) temporary() string { return filepath.Join(f.dir.Real(), f.temp) }

// destination is the path of the file itself, beyond links at Path.
func (f *file) destination() string { return filepath.Join(f.dir.Real(), f.name) }

// Renames lists what Commit will do. It must be on durable record before Commit.
func (s *Swap) Renames() []Rename {
	var list []Rename
	for _, f := range s.staged() {
		r := Rename{Temp: f.temporary(), Path: f.Path, Digest: s.Key.Digest(f.Path, f.Content)}
		r.InPlace = f.InPlace && f.state != NotThere
		if itself := f.destination(); itself != f.Path {
			r.Target = itself
		}
		list = append(list, r)
	}
	for _, f := range s.removed() {
		r := Rename{Path: f.Path, Digest: f.digest, Remove: true}
		if itself := f.destination(); itself != f.Path {
			r.Target = itself
		}
		list = append(list, r)
	}
	return list
}

// Commit renames every staged file to its destination, or writes it there in place, takes away what
// is to be removed, and makes the names durable. After an error some files are new and some old;
// RollForward over the recorded list does the rest.
func (s *Swap) Commit() error {
	if s.former {
		return errors.New("a mistake in rendered itself: files that a check refused are to be put in place")
	}
	if err := s.Unmoved(); err != nil {
		return err
	}
	s.committed = true
	for _, f := range s.staged() {
		if err := s.put(f); err != nil {
			return err
		}
	}
	for _, f := range s.removed() {
		if err := f.dir.Remove(f.name); err != nil {
			return err
		}
	}
	return s.syncDirs()
}

// Unmoved is an error where somebody who can change the names in a directory has put something else
// in the place of what was staged there. That may come to be at any moment; it is looked at before
// a service's check is shown it, and before it is renamed.
func (s *Swap) Unmoved() error {
	for _, f := range s.staged() {
		if len(f.foreign) == 0 {
			continue
		}
		if same, err := f.intact(); err != nil || !same {
			return &fs.PathError{Op: "rename", Path: f.Path, Err: cmp.Or(err, errReplaced)}
		}
	}
	return nil
}

// Held gives the staged file for a destination where others than root can change its directory, nil
// where they cannot: a check that opened it by its name could be shown another. The caller closes
// it.
func (s *Swap) Held(path string) (*os.File, error) {
	for _, f := range s.staged() {
		if f.Path == path && len(f.foreign) > 0 {
			return f.hold()
		}
	}
	return nil, nil
}

func (f *file) hold() (*os.File, error) {
	held, way, err := disk.Open(f.temporary())
	if err != nil {
		return nil, err
	}
	// It is what was staged if it reads as that and is the owner's: a file of another's, with the
	// same content, could be written to while the check reads it.
	found := way.Last()
	content, err := io.ReadAll(io.LimitReader(held, int64(len(f.Content))+1))
	if err != nil || !bytes.Equal(content, f.Content) || !f.owns(found.Info) {
		return nil, errors.Join(&fs.PathError{Op: "check", Path: f.Path, Err: cmp.Or(err, errReplaced)}, held.Close())
	}
	return held, nil
}

// SyncAll makes the names of all files durable, also of those that are the same.
func (s *Swap) SyncAll() error {
	return inDirs(s.that(func(f *file) bool { return f.dir != nil }), s.syncs.sync)
}

// syncDirs makes durable the names in each directory that holds, or held, a temporary, or of which
// something is removed.
func (s *Swap) syncDirs() error { return inDirs(slices.Concat(s.staged(), s.removed()), s.syncs.sync) }

// inDirs does something with each directory of some files, once.
func inDirs(files []*file, do func(disk.Dir) error) error {
	done := make(map[disk.Dir]bool)
	for _, f := range files {
		if done[f.dir] {
			continue
		}
		if err := do(f.dir); err != nil {
			return err
		}
		done[f.dir] = true
	}
	return nil
}
