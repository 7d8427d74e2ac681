// Package disk is how the project writes to directories that others use too: through a descriptor that is held from the first
// look to the last fsync, so that nobody can put another directory in its place meanwhile, and by names that are never
// followed when they are links.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A Dir is an open directory. Its methods take base names and never follow a link.
type Dir struct {
	path string
	file *os.File
}

// maxLinks is how many links one path may hold, as in Linux (path_resolution(7)).
const maxLinks = 40

// Open opens the directory at the absolute path. Links on the way are followed, but root follows only those that nobody else
// could have put there: the link's owner is root, and the directory that holds it is writable by root alone or sticky.
func Open(path string) (*Dir, error) {
	at, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	defer func() { unix.Close(at) }()
	todo, links := names(path), 0
	for walked := "/"; len(todo) > 0; {
		name := todo[0]
		todo = todo[1:]
		here := filepath.Join(walked, name)
		var st unix.Stat_t
		if err := unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, &fs.PathError{Op: "open", Path: here, Err: err}
		}
		if st.Mode&unix.S_IFMT == unix.S_IFLNK {
			if links++; links > maxLinks {
				return nil, &fs.PathError{Op: "open", Path: here, Err: unix.ELOOP}
			}
			target, err := readLink(at, name, here, st.Uid)
			if err != nil {
				return nil, err
			}
			todo = append(names(target), todo...)
			if !filepath.IsAbs(target) {
				continue
			}
			name, walked, here = "/", "/", "/"
		}
		next, err := unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: here, Err: err}
		}
		unix.Close(at)
		at, walked = next, here
	}
	fd, err := unix.Openat(at, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &Dir{path: path, file: os.NewFile(uintptr(fd), path)}, nil
}

// names gives the components of path; ".." stays, as the kernel resolves it after links.
func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// readLink reads the link name in the directory at, unless somebody else may have put it there for root to follow.
func readLink(at int, name, path string, owner uint32) (string, error) {
	if os.Geteuid() == 0 {
		var dir unix.Stat_t
		if err := unix.Fstat(at, &dir); err != nil {
			return "", &fs.PathError{Op: "stat", Path: filepath.Dir(path), Err: err}
		}
		open := dir.Uid != 0 || dir.Mode&0o022 != 0 && dir.Mode&unix.S_ISVTX == 0
		if owner != 0 || open {
			return "", fmt.Errorf("%s is a link that others than root can change; root does not follow it", path)
		}
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(at, name, buf)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: err}
	}
	return string(buf[:n]), nil
}

// MakeAll makes the directory at path and those above it that are missing, each with exactly this mode, and makes their names
// durable. What exists is left alone.
func MakeAll(path string, mode fs.FileMode) error {
	d, err := Open(path)
	if err == nil {
		return d.Close()
	}
	parent := filepath.Dir(path)
	if !errors.Is(err, fs.ErrNotExist) || parent == path {
		return err
	}
	if err := MakeAll(parent, mode); err != nil {
		return err
	}
	if d, err = Open(parent); err != nil {
		return err
	}
	defer d.Close()
	return d.makeDir(filepath.Base(path), mode)
}

func (d *Dir) makeDir(name string, mode fs.FileMode) error {
	// The umask may take bits away, and no bit may be there too early: 0700 first, then the mode.
	if err := unix.Mkdirat(d.fd(), name, 0o700); err != nil && err != unix.EEXIST {
		return d.fail("mkdir", name, err)
	}
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return d.fail("open", name, err)
	}
	defer unix.Close(fd)
	if err := unix.Fchmod(fd, uint32(mode.Perm())); err != nil {
		return d.fail("chmod", name, err)
	}
	return d.Sync()
}

// Path is the path the directory was opened by.
func (d *Dir) Path() string { return d.path }

func (d *Dir) fd() int { return int(d.file.Fd()) }

func (d *Dir) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

// Names lists the directory in no particular order.
func (d *Dir) Names() ([]string, error) {
	if _, err := d.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return d.file.Readdirnames(-1)
}

// Create makes a new file, readable by its owner alone, and fails where the name is taken. A default ACL of the directory, which
// would let others read it, is taken off.
func (d *Dir) Create(name string) (*os.File, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, d.fail("create", name, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	err = unix.Fremovexattr(fd, "system.posix_acl_access")
	if err != nil && err != unix.ENODATA && err != unix.EOPNOTSUPP {
		return nil, errors.Join(d.fail("removexattr", name, err), f.Close(), d.Remove(name))
	}
	return f, nil
}

// Read opens the regular file name and gives its content. It never waits for a pipe or a device, and gives EFBIG where there
// are more than limit bytes.
func (d *Dir) Read(name string, limit int64) ([]byte, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !st.Mode().IsRegular():
		return nil, d.fail("read", name, errors.New("not a regular file"))
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = d.fail("read", name, unix.EFBIG)
	}
	return data, err
}

// Rename puts old in the place of new, in one step.
func (d *Dir) Rename(old, new string) error {
	if err := unix.Renameat(d.fd(), old, d.fd(), new); err != nil {
		return d.fail("rename", new, err)
	}
	return nil
}

// Remove takes the name away; one that is not there is no error.
func (d *Dir) Remove(name string) error {
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil && err != unix.ENOENT {
		return d.fail("remove", name, err)
	}
	return nil
}

// Sync makes the directory's names durable (fsync(2): syncing a file does not sync its name).
func (d *Dir) Sync() error { return d.file.Sync() }

// Close lets the directory go.
func (d *Dir) Close() error { return d.file.Close() }
