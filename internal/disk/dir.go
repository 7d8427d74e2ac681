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

func (host) Open(path string) (Dir, error) {
	if distrusts() {
		return openDir(path, admitTrusted)
	}
	return openDir(path, nil)
}

func (host) Follow(path string) (Dir, error) {
	d, err := openDir(path, admitTrusted)
	if err != nil {
		return nil, err
	}
	if doubts := d.way.Doubts(); len(doubts) > 0 {
		return nil, errors.Join(foreignWay(doubts[0]), d.Close())
	}
	if last := d.way.Last().Doubt(); last != nil {
		return nil, errors.Join(foreignWay(last), d.Close())
	}
	return d, nil
}

func foreignWay(d *Doubt) error {
	return fmt.Errorf("%s is a directory that others than root can change (%s); root does not follow a link there", d.Path, d.What)
}

// openDir opens the directory at path.
func openDir(path string, admit func(Way) error) (*dir, error) {
	at, way, err := walk(path, admit)
	if err != nil {
		return nil, err
	}
	defer unix.Close(at)
	last := way.Last()
	switch {
	case !last.Exists:
		return nil, &fs.PathError{Op: "open", Path: last.Path(), Err: unix.ENOENT}
	case last.Type != fs.ModeDir:
		return nil, &fs.PathError{Op: "open", Path: last.Path(), Err: unix.ENOTDIR}
	}
	fd, err := unix.Openat(at, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &dir{path: path, way: way, file: os.NewFile(uintptr(fd), path)}, nil
}

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
	// The umask may take bits away, and no bit may be there too early: 0700 first, then the mode.
	if err := unix.Mkdirat(d.fd(), name, 0o700); err == unix.EEXIST {
		return nil
	} else if err != nil {
		return d.fail("mkdir", name, err)
	}
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return d.fail("open", name, err)
	}
	defer unix.Close(fd)
	if err := d.fresh(fd, name); err != nil {
		return err
	}
	for _, list := range []string{accessList, defaultList} {
		if err := takeOff(fd, list); err != nil {
			return d.fail("removexattr", name, err)
		}
	}
	if err := unix.Fchmod(fd, uint32(mode.Perm())); err != nil {
		return d.fail("chmod", name, err)
	}
	return nil
}

// fresh wants the directory that was opened to be the one that was made: who can change the names
// in this one can put another of ours in its place, and would have it get a wider mode. The group
// that it has of a set-group-ID directory (mkdir(2)) is taken off.
func (d *dir) fresh(fd int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return d.fail("stat", name, err)
	}
	if len(d.Doubts()) > 0 { // else it may be another of our swaps that works in it already
		list, err := unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return d.fail("open", name, err)
		}
		dir := os.NewFile(uintptr(list), name)
		defer dir.Close()
		if names, err := dir.Readdirnames(1); int(st.Uid) != os.Geteuid() || len(names) > 0 || err != nil && err != io.EOF {
			return d.fail("mkdir", name, errors.New("something else was put in its place"))
		}
	}
	if gid := os.Getegid(); int(st.Gid) != gid {
		if err := unix.Fchown(fd, -1, gid); err != nil {
			return d.fail("chown", name, err)
		}
	}
	return nil
}

func (d *dir) Path() string { return d.path }

func (d *dir) Real() string { return d.way.Real() }

func (d *dir) Doubts() []*Doubt { return d.way.within() }

func (d *dir) fd() int { return int(d.file.Fd()) }

func (d *dir) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

func (d *dir) Link(name string) (string, error) {
	next, s, err := take(d.fd(), d.way.Last(), name)
	if next >= 0 {
		unix.Close(next)
	}
	switch {
	case err != nil:
		return "", err
	case s.Type != fs.ModeSymlink:
		return "", d.fail("readlink", name, unix.EINVAL)
	}
	if err := admitTrusted(Way{Steps: append(slices.Clone(d.way.Steps), s)}); err != nil {
		return "", err
	}
	if !filepath.IsAbs(s.Target) {
		// Not cleaned: the kernel resolves ".." after links.
		return d.Real() + "/" + s.Target, nil
	}
	return s.Target, nil
}

func (d *dir) Names() ([]string, error) {
	// By a descriptor of its own, which has a position of its own: others may list at the same time.
	fd, err := unix.Openat(d.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, d.fail("list", "", err)
	}
	list := os.NewFile(uintptr(fd), d.path)
	defer list.Close()
	return list.Readdirnames(-1)
}

func (d *dir) Create(name string) (File, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, d.fail("create", name, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	if err := takeOff(fd, accessList); err != nil {
		return nil, errors.Join(d.fail("removexattr", name, err), f.Close(), d.Remove(name))
	}
	return file{f}, nil
}

// A file is one of this machine.
type file struct{ *os.File }

func (f file) Own(uid, gid int, mode fs.FileMode, attributes Attributes) error {
	fd := int(f.Fd())
	if err := unix.Fchown(fd, uid, gid); err != nil {
		return &fs.PathError{Op: "chown", Path: f.Name(), Err: err}
	}
	if err := attributes.apply(fd, mode); err != nil {
		return &fs.PathError{Op: "setxattr", Path: f.Name(), Err: err}
	}
	if err := unix.Fchmod(fd, uint32(mode.Perm())); err != nil {
		return &fs.PathError{Op: "chmod", Path: f.Name(), Err: err}
	}
	return f.owned(uid, gid, mode)
}

// owned is an error where the file has another owner or mode than it was given: vfat, exfat and some network file systems accept a
// change and make none.
func (f file) owned(uid, gid int, mode fs.FileMode) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if int(st.Uid) != uid || int(st.Gid) != gid {
		return &fs.PathError{Op: "chown", Path: f.Name(), Err: fmt.Errorf("the file system makes it %d:%d, not %d:%d; mount it otherwise, or ask for that", st.Uid, st.Gid, uid, gid)}
	}
	if got := fs.FileMode(st.Mode) & fs.ModePerm; got != mode.Perm() {
		return &fs.PathError{Op: "chmod", Path: f.Name(), Err: fmt.Errorf("the file system makes it %#o, not %#o; mount it otherwise, or ask for that", got, mode.Perm())}
	}
	return nil
}

func (d *dir) Read(name string, limit int64) ([]byte, error) {
	fd, err := unix.Openat(d.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, d.fail("open", name, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	defer f.Close()
	data, err := readAll(f, limit)
	if err != nil {
		err = d.fail("read", name, bare(err))
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
	fd, err := unix.Openat(d.fd(), name, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, "", d.fail("open", name, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.path, name))
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
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
