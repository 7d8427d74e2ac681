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

// Host is this machine.
var Host System = host{}

type host struct{}

// A dir is a directory of this machine.
type dir struct {
	path, real string
	file       *os.File
}

// maxLinks is how many links one path may hold, as in Linux (path_resolution(7)).
const maxLinks = 40

func (host) Open(path string) (Dir, error) { return walk(path, false) }

func (host) Follow(path string) (Dir, error) { return walk(path, os.Geteuid() == 0) }

// walk opens the directory at path, component by component. Where it is strict, only root may be able to change what it leads to.
func walk(path string, strict bool) (Dir, error) {
	at, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	defer func() { unix.Close(at) }()
	todo, links := names(path), 0
	walked := "/"
	for len(todo) > 0 {
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
		if strict {
			if err := trusted(at, here); err != nil {
				return nil, err
			}
		}
	}
	fd, err := unix.Openat(at, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return &dir{path: path, real: walked, file: os.NewFile(uintptr(fd), path)}, nil
}

func trusted(fd int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if !ours(st) {
		return fmt.Errorf("%s is a directory that others than root can change; root does not follow a link there", path)
	}
	return nil
}

// ours tells whether nobody but root can change the names in a directory.
func ours(st unix.Stat_t) bool {
	return st.Uid == 0 && (st.Mode&0o022 == 0 || st.Mode&unix.S_ISVTX != 0)
}

// names gives the components of path; ".." stays, as the kernel resolves it after links.
func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// readLink reads the link name in the directory at, unless somebody else may have put it there for root to follow.
func readLink(at int, name, path string, owner uint32) (string, error) {
	if os.Geteuid() == 0 {
		var holder unix.Stat_t
		if err := unix.Fstat(at, &holder); err != nil {
			return "", &fs.PathError{Op: "stat", Path: filepath.Dir(path), Err: err}
		}
		if owner != 0 || !ours(holder) {
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

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
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
	return nil
}

func (d *dir) Path() string { return d.path }

func (d *dir) Real() string { return d.real }

func (d *dir) fd() int { return int(d.file.Fd()) }

func (d *dir) fail(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: err}
}

func (d *dir) Link(name string) (string, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return "", d.fail("readlink", name, err)
	}
	target, err := readLink(d.fd(), name, filepath.Join(d.path, name), st.Uid)
	if err == nil && !filepath.IsAbs(target) {
		// Not cleaned: the kernel resolves ".." after links.
		target = d.real + "/" + target
	}
	return target, err
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
	err = unix.Fremovexattr(fd, accessList)
	if err != nil && err != unix.ENODATA && err != unix.EOPNOTSUPP {
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
