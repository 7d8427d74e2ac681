package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func (d *dir) Overwrite(name string, of Info, content []byte, uid, gid int, mode fs.FileMode, listed bool) error {
	fd, err := unix.Openat(d.fd(), name, unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return d.fail("open", name, err)
	}
	f := file{os.NewFile(uintptr(fd), filepath.Join(d.path, name))}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = d.fail("write", name, ErrNotRegular)
	}
	if err == nil {
		if err = same(fd, of); err != nil {
			err = d.fail("write", name, err)
		}
	}
	size := int64(len(content))
	if err == nil {
		if err = reserve(fd, size); err != nil {
			err = d.fail("write", name, err)
		}
	}
	if err == nil && !listed {
		if err = takeOff(fd, accessList); err != nil {
			err = d.fail("removexattr", name, err)
		}
	}
	if err == nil {
		err = f.Own(uid, gid, mode, nil)
	}
	// What is there is not cut off before the new content takes its room, which the disk might not give again.
	if err == nil && st.Size() > size {
		err = f.Truncate(size)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	return Fill(f, content)
}

// reserve finds out whether a file has room for so many bytes before any is changed: where the disk is full its old content stays whole.
// File systems that cannot say are taken at their best.
func reserve(fd int, size int64) error {
	if size == 0 {
		return nil
	}
	for {
		switch err := unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, size); err {
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS:
			return nil
		default:
			return err
		}
	}
}
