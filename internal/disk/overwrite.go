package disk

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

func (d *dir) Overwrite(name string, of Info, content []byte, uid, gid int, mode fs.FileMode, listed bool) error {
	if of.Type != 0 {
		return d.fail("write", name, ErrNotRegular)
	}
	f, err := d.open("open", name, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if err := (file{f}).prepare(of, int64(len(content)), uid, gid, mode, listed); err != nil {
		return errors.Join(err, f.Close())
	}
	return Fill(file{f}, content)
}

// prepare makes sure that a file is the one that was looked at and has room for so many bytes. What
// is there is not cut off before the new content takes its room, which the disk might not give
// again.
func (f file) prepare(of Info, size int64, uid, gid int, mode fs.FileMode, listed bool) error {
	found, err := same(f.File, of)
	if err == nil {
		err = reserve(f.File, size)
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: f.Name(), Err: Reason(err)}
	}
	if !listed {
		if err := takeOff(f.File, accessList); err != nil {
			return err
		}
	}
	if err := f.Own(uid, gid, mode, nil); err != nil || found.Size <= size {
		return err
	}
	return f.Truncate(size)
}
