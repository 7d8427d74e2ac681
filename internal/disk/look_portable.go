//go:build !linux || portable

package disk

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// looks is how often a name is looked at that others put something else in the place of meanwhile.
const looks = 10

// look looks at a name, and opens it if it is a directory: only Linux opens anything to look by.
// What is opened is what was looked at. A name that is not there is no error.
func look(at int, name string, s Step) (dir int, _ Step, err error) {
	if distrusts() {
		return -1, s, &fs.PathError{Op: "open", Path: s.Path(), Err: ErrUnseen}
	}
	for range looks {
		if dir, err = s.look(at, name); err != errChanged {
			break
		}
	}
	if err != nil {
		err = &fs.PathError{Op: "open", Path: s.Path(), Err: err}
	}
	return dir, s, err
}

// look is one look; errChanged: two things were seen at the name.
func (s *Step) look(at int, name string) (dir int, err error) {
	if s.Info, err = statAt(at, name); err != nil {
		if err == unix.ENOENT {
			err = nil
		}
		return -1, err
	}
	switch s.Type {
	case fs.ModeDir:
		return openSame(at, name, s.Info)
	case fs.ModeSymlink:
		if s.Target, err = targetOf(at, name); err != nil {
			break
		}
		var again Info
		if again, err = statAt(at, name); err == nil && again.ID != s.ID {
			err = errChanged
		}
	}
	return -1, moved(err)
}

// openSame opens the directory that was looked at.
func openSame(at int, name string, of Info) (dir int, err error) {
	dir, err = unix.Openat(at, name, openToLook|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, moved(err)
	}
	found, err := statAt(dir, "")
	if err == nil && found.ID != of.ID {
		err = errChanged
	}
	if err != nil {
		unix.Close(dir)
		return -1, err
	}
	return dir, nil
}

// moved gives errChanged for an error that what was looked at is not at its name any more.
func moved(err error) error {
	switch err {
	case unix.ENOENT, unix.ENOTDIR, unix.ELOOP, unix.EINVAL:
		return errChanged
	}
	return err
}
