// Package disk is how the project writes to directories that others use too: through a descriptor
// that is held from the first look to the last fsync, so that nobody can put another directory in
// its place meanwhile, and by names that are never followed when they are links.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A System is what files are on: this machine's file systems, or, in tests, one whose steps fail or
// whose power fails. Everything that swaps and the ledger do to files goes through it.
type System interface {
	// Open opens the directory at the absolute path. Links on the way are followed, but root
	// follows only those that nobody else could have put there: root alone can change the link and
	// every directory and link on the way to it.
	Open(path string) (Dir, error)
	// Follow is Open for a directory that a destination's link leads to. Root follows it only where
	// root alone can change the whole way and the directory, unless it is sticky: whoever could
	// would choose what root replaces.
	Follow(path string) (Dir, error)
}

// A Dir is an open directory. Its methods take base names and never follow a link.
type Dir interface {
	// Path is the path the directory was opened by.
	Path() string
	// Real is its path without links.
	Real() string
	// Doubts says who else than root can decide what stands at a name in the directory, because
	// they can make names in it, or put another directory in its place. For an ordinary user's
	// process there is nobody.
	Doubts() []*Doubt
	// Self looks at the directory itself.
	Self() (Info, error)
	// Stat looks at a name without following it. A name that is not there is no error.
	Stat(name string) (Info, error)
	// Link gives the path that a link leads to, which is absolute; the link itself is not followed
	// further. Root gets it only where nobody else could have put the link there, as for Open.
	Link(name string) (target string, err error)
	// Attributes gives those extended attributes of a file that belong to its name rather than to
	// its content: its access control list, its security label, and what users have noted. It is an
	// error where the file is not the one that was looked at.
	Attributes(name string, of Info) (Attributes, error)
	// Names lists the directory in no particular order. Several may list at the same time.
	Names() ([]string, error)
	// Read gives the content of a regular file. It never waits for a pipe or a device. The error is
	// a TooLarge where there are more than limit bytes.
	Read(name string, limit int64) ([]byte, error)
	// Create makes a new file, readable by its owner alone, and fails where the name is taken. A
	// default ACL of the directory, which would let others read it, is taken off.
	Create(name string) (File, error)
	// Mkdir makes a directory of ours with exactly this mode, and without the access control lists
	// and the group that the one above it would hand down. One that is there is left alone.
	Mkdir(name string, mode fs.FileMode) error
	// Rename puts old in the place of new, in one step.
	Rename(old, new string) error
	// Overwrite writes a regular file that is there where it is, durably: not in one step, and a
	// crash leaves anything. The file keeps its place, whatever is mounted on it or holds it open,
	// and gets this owner and mode. Where there is no room it is left as it was. It is an error
	// where the file is not the one that was looked at. Unless it is to be listed, its access
	// control list is taken off.
	Overwrite(name string, of Info, content []byte, uid, gid int, mode fs.FileMode, listed bool) error
	// Remove takes a name away; one that is not there is no error.
	Remove(name string) error
	// Sync makes the directory's names durable (fsync(2): syncing a file does not sync its name).
	Sync() error
	// Lock locks a file of ours, which is made where it is missing, and notes in it who we are.
	// Where another process has it the error is EWOULDBLOCK and the text what that one noted. It is
	// unlocked by closing it, or by the end of the process.
	Lock(name, note string) (unlock io.Closer, holder string, err error)
	// Close lets the directory go.
	Close() error
}

// Attributes are extended attributes by name (xattr(7)).
type Attributes map[string][]byte

// A File is a new file that is being written.
type File interface {
	io.Writer
	// Own gives the file its owner, its attributes, then its mode: in this order, because chown(2)
	// clears bits, and because no bit for others may be there before the owner is right. Of an
	// access control list the mask is that of the mode from the first moment. It is done before the
	// first byte is written.
	Own(uid, gid int, mode fs.FileMode, attributes Attributes) error
	// Sync makes the content durable. After an error it must not be called again: the kernel may
	// have dropped the pages and would say yes the second time (Rebello et al., USENIX ATC 2020).
	Sync() error
	Close() error
}

// MakeAll makes the directory at path and those above it that are missing, each with exactly this
// mode, and makes their names durable. What exists is left alone.
func MakeAll(system System, path string, mode fs.FileMode) error {
	d, err := system.Open(path)
	if err == nil {
		return d.Close()
	}
	parent := filepath.Dir(path)
	if !errors.Is(err, fs.ErrNotExist) || parent == path {
		return err
	}
	if err := MakeAll(system, parent, mode); err != nil {
		return err
	}
	if d, err = system.Open(parent); err != nil {
		return err
	}
	return errors.Join(makeDir(d, filepath.Base(path), mode), d.Close())
}

// SyncAbove makes the names on the way to a directory durable, as far as they may be looked at. A
// file system without fsync for directories (squashfs and erofs, of which the root of an appliance
// is; autofs) has no names that could be lost.
func SyncAbove(system System, path string) error {
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		d, err := system.Open(at)
		switch {
		case err == nil:
			if err = d.Sync(); errors.Is(err, unix.EINVAL) {
				err = nil
			}
			err = errors.Join(err, d.Close())
		case errors.Is(err, fs.ErrPermission):
			err = nil
		}
		if err != nil || at == "/" {
			return err
		}
	}
}

func makeDir(d Dir, name string, mode fs.FileMode) error {
	if err := d.Mkdir(name, mode); err != nil {
		return err
	}
	return d.Sync()
}
