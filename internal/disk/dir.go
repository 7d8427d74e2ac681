package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Host is this machine.
var Host System = host{}

type host struct{}

// A dir is a directory of this machine.
type dir struct {
	path string
	way  Way
	file *os.File
}

func (host) Open(path string) (Dir, error) { return openDir(path) }

func (host) Follow(path string) (Dir, error) {
	d, err := openDir(path)
	if err != nil {
		return nil, err
	}
	if by := d.way.Changers(); len(by) > 0 {
		err = fmt.Errorf("%s is a directory that others than root can change (%s); root does not follow a link there", by[0].Path, by[0].What)
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openDir opens the directory at path.
func openDir(path string) (*dir, error) {
	at, way, err := walk(path, Step.planted)
	if err != nil {
		return nil, err
	}
	looked := &dir{path, way, os.NewFile(uintptr(at), path)}
	defer looked.Close()
	last := way.Last()
	switch {
	case !last.Exists:
		return nil, &fs.PathError{Op: "open", Path: last.Path(), Err: unix.ENOENT}
	case last.Type != fs.ModeDir:
		return nil, &fs.PathError{Op: "open", Path: last.Path(), Err: unix.ENOTDIR}
	}
	file, err := looked.open("open", ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &dir{path, way, file}, nil
}

// open opens a name itself, not what a link leads to.
func (d *dir) open(op, name string, flags int, mode uint32) (*os.File, error) {
	fd, err := unix.Openat(d.fd(), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, d.fail(op, name, err)
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.path, name)), nil
}

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
	// The umask may take bits away, and no bit may be there too early: 0700 first, then the mode.
	if err := unix.Mkdirat(d.fd(), name, 0o700); err == unix.EEXIST {
		return nil
	} else if err != nil {
		return d.fail("mkdir", name, err)
	}
	made, err := d.open("open", name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer made.Close()
	if err := d.fresh(made); err != nil {
		return err
	}
	for _, list := range []string{accessList, defaultList} {
		if err := takeOff(made, list); err != nil {
			return err
		}
	}
	return made.Chmod(mode.Perm())
}

// fresh wants the directory that was opened to be the one that was made: who can change the names
// in this one can put another of ours in its place, and would have it get a wider mode. The group
// that it has of a set-group-ID directory (mkdir(2)) is taken off.
func (d *dir) fresh(made *os.File) error {
	found, err := lookAt(made)
	if err != nil {
		return err
	}
	if len(d.Doubts()) > 0 { // else it may be another of our swaps that works in it already
		if _, err := made.Readdirnames(1); found.UID != os.Geteuid() || err != io.EOF {
			return &fs.PathError{Op: "mkdir", Path: made.Name(), Err: errors.New("something else was put in its place")}
		}
	}
	if found.GID == os.Getegid() {
		return nil
	}
	return made.Chown(-1, os.Getegid())
}

func (d *dir) Path() string { return d.path }

func (d *dir) Real() string { return d.way.Real() }

func (d *dir) Doubts() []*Doubt { return d.way.within() }

func (d *dir) fd() int { return int(d.file.Fd()) }

func (d *dir) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

func (d *dir) Link(name string) (string, error) {
	fd, s, err := step(d.fd(), d.way.Last(), name)
	if fd >= 0 {
		unix.Close(fd)
	}
	switch {
	case err != nil:
		return "", err
	case s.Type != fs.ModeSymlink:
		return "", d.fail("readlink", name, unix.EINVAL)
	}
	if err := (Way{Steps: append(slices.Clone(d.way.Steps), s)}).admit(Step.planted); err != nil {
		return "", err
	}
	if !filepath.IsAbs(s.Target) {
		// Not cleaned: the kernel resolves ".." after links.
		return d.Real() + "/" + s.Target, nil
	}
	return s.Target, nil
}

func (d *dir) Names() ([]string, error) {
	// By a descriptor of its own, which has a position of its own: others may list at the same
	// time.
	list, err := d.open("list", ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer list.Close()
	return list.Readdirnames(-1)
}

func (d *dir) Create(name string) (File, error) {
	f, err := d.open("create", name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := takeOff(f, accessList); err != nil {
		return nil, errors.Join(err, f.Close(), d.Remove(name))
	}
	return file{f}, nil
}

// A file is one of this machine.
type file struct{ *os.File }

func (f file) Own(uid, gid int, mode fs.FileMode, attributes Attributes) error {
	if err := f.Chown(uid, gid); err != nil {
		return err
	}
	if err := attributes.apply(int(f.Fd()), mode); err != nil {
		return &fs.PathError{Op: "setxattr", Path: f.Name(), Err: err}
	}
	if err := f.Chmod(mode.Perm()); err != nil {
		return err
	}
	return f.owned(uid, gid, mode)
}

// owned is an error where the file has another owner or mode than it was given: vfat, exfat and
// some network file systems accept a change and make none.
func (f file) owned(uid, gid int, mode fs.FileMode) error {
	got, err := lookAt(f.File)
	switch {
	case err != nil:
		return err
	case got.UID != uid || got.GID != gid:
		return &fs.PathError{Op: "chown", Path: f.Name(), Err: fmt.Errorf("the file system makes it %d:%d, not %d:%d; mount it otherwise, or ask for that", got.UID, got.GID, uid, gid)}
	case got.Mode != mode.Perm():
		return &fs.PathError{Op: "chmod", Path: f.Name(), Err: fmt.Errorf("the file system makes it %#o, not %#o; mount it otherwise, or ask for that", got.Mode, mode.Perm())}
	}
	return nil
}

func (d *dir) Read(name string, limit int64) ([]byte, error) {
	f, err := d.open("open", name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readAll(f, limit)
	if err != nil {
		err = d.fail("read", name, Reason(err))
	}
	return data, err
}

func (d *dir) Rename(old, new string) error {
	if err := unix.Renameat(d.fd(), old, d.fd(), new); err != nil {
		return d.fail("rename", new, err)
	}
	return nil
}

func (d *dir) Remove(name string) error {
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil && err != unix.ENOENT {
		return d.fail("remove", name, err)
	}
	return nil
}

func (d *dir) Sync() error { return d.file.Sync() }

func (d *dir) Close() error { return d.file.Close() }

func (d *dir) Lock(name, note string) (unlock io.Closer, holder string, err error) {
	f, err := d.open("open", name, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return nil, "", err
	}
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		noted, _ := io.ReadAll(io.LimitReader(f, maxNote))
		return nil, string(noted), errors.Join(d.fail("lock", name, err), f.Close())
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteString(note)
	}
	if err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return f, "", nil
}

// maxNote is how much is read of what another process noted in a lock.
const maxNote = 1 << 10
