package disk

import (
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
