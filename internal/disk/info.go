package disk

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// An Info is what one look at a name finds.
type Info struct {
	Exists   bool
	Type     fs.FileMode // the type bits: 0 for a regular file
	Mode     fs.FileMode // permission bits
	UID, GID int
	Size     int64
	Mount    bool // something is mounted on it: a rename over it gives EBUSY
	Fixed    bool // immutable or append-only: neither replaced nor written (chattr(1))
	Links    int  // names that it has
	ID       ID

	sticky bool // of a directory: who can make names in it replaces none but his own
}

// An ID tells which file, directory or link something is, whatever its name, until it is deleted.
type ID struct{ Device, Inode uint64 }

// errChanged is that a name stands for something else than a moment before.
var errChanged = errors.New("something else was put in its place meanwhile")

// same gives what an open file is, and an error where it is not the one that was looked at.
func same(f *os.File, of Info) (Info, error) {
	found, err := lookAt(f)
	if err == nil && found.ID != of.ID {
		err = errChanged
	}
	return found, err
}

// lookAt gives what an open file is.
func lookAt(f *os.File) (Info, error) {
	info, err := statAt(int(f.Fd()), "")
	if err != nil {
		return Info{}, &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return info, nil
}

func (d *dir) Stat(name string) (Info, error) {
	info, err := statAt(d.fd(), name)
	if err == unix.ENOENT {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, d.fail("stat", name, err)
	}
	return info, nil
}

func (d *dir) Self() (Info, error) { return lookAt(d.file) }

var kinds = map[uint16]fs.FileMode{
	unix.S_IFREG:  0,
	unix.S_IFDIR:  fs.ModeDir,
	unix.S_IFLNK:  fs.ModeSymlink,
	unix.S_IFIFO:  fs.ModeNamedPipe,
	unix.S_IFSOCK: fs.ModeSocket,
	unix.S_IFBLK:  fs.ModeDevice,
	unix.S_IFCHR:  fs.ModeDevice | fs.ModeCharDevice,
}

func kind(mode uint16) fs.FileMode {
	if k, ok := kinds[mode&unix.S_IFMT]; ok {
		return k
	}
	return fs.ModeIrregular
}
