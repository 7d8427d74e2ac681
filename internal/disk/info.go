package disk

import (
	"errors"
	"io/fs"

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
}

// An ID tells which file, directory or link something is, whatever its name, until it is deleted.
type ID struct{ Device, Inode uint64 }

// errChanged is that a name stands for something else than a moment before.
var errChanged = errors.New("something else was put in its place meanwhile")

// same is an error where an open file is not the one that was looked at.
func same(fd int, of Info) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if infoOf(&st).ID != of.ID {
		return errChanged
	}
	return nil
}

// infoOf gives what stat(2) tells.
func infoOf(st *unix.Stat_t) Info {
	return Info{
		Exists: true,
		Type:   kind(uint16(st.Mode)),
		Mode:   fs.FileMode(st.Mode) & fs.ModePerm,
		UID:    int(st.Uid),
		GID:    int(st.Gid),
		Size:   st.Size,
		Links:  int(st.Nlink),
		ID:     ID{uint64(st.Dev), st.Ino},
	}
}

func (d *dir) Stat(name string) (Info, error) { return d.stat(name, unix.AT_SYMLINK_NOFOLLOW) }

func (d *dir) Self() (Info, error) { return d.stat("", unix.AT_EMPTY_PATH) }

func (d *dir) stat(name string, flags int) (Info, error) {
	var st unix.Statx_t
	err := unix.Statx(d.fd(), name, flags, unix.STATX_BASIC_STATS, &st)
	if err == unix.ENOENT {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, d.fail("stat", name, err)
	}
	set := st.Attributes & st.Attributes_mask
	return Info{
		Exists: true,
		Type:   kind(st.Mode),
		Mode:   fs.FileMode(st.Mode) & fs.ModePerm,
		UID:    int(st.Uid),
		GID:    int(st.Gid),
		Size:   int64(st.Size),
		Mount:  set&unix.STATX_ATTR_MOUNT_ROOT != 0,
		Fixed:  set&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0,
		Links:  int(st.Nlink),
		ID:     ID{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino},
	}, nil
}

func kind(mode uint16) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFBLK:
		return fs.ModeDevice
	case unix.S_IFCHR:
		return fs.ModeDevice | fs.ModeCharDevice
	}
	return fs.ModeIrregular
}
