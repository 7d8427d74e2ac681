package disk

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ofContent are attributes that are true of the old content only: capabilities, and the hashes of
// integrity measurement.
var ofContent = map[string]bool{"security.capability": true, "security.ima": true, "security.evm": true}

// labels begin the names of attributes that the system and its administrator set.
var labels = []string{"security.", "trusted."}

// lacks tells whether an error is that a file, or its file system, has no such attribute.
func lacks(err error) bool { return err == unix.ENODATA || err == unix.EOPNOTSUPP }

// openToLook opens what is not to be read; a directory to look at names in it, which needs no leave
// to list them.
const openToLook = unix.O_PATH

// statAt looks at a name in an open directory without following it; "": at what is open.
func statAt(fd int, name string) (Info, error) {
	st := new(unix.Statx_t)
	err := unix.Statx(fd, name, unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS, st)
	set := st.Attributes & st.Attributes_mask
	return Info{
		Exists: err == nil,
		Type:   kind(st.Mode),
		Mode:   fs.FileMode(st.Mode) & fs.ModePerm,
		UID:    int(st.Uid),
		GID:    int(st.Gid),
		Size:   int64(st.Size),
		Mount:  set&unix.STATX_ATTR_MOUNT_ROOT != 0,
		Fixed:  set&(unix.STATX_ATTR_IMMUTABLE|unix.STATX_ATTR_APPEND) != 0,
		Links:  int(st.Nlink),
		ID:     ID{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino},
		sticky: st.Mode&unix.S_ISVTX != 0,
	}, err
}

// reserve finds out whether a file has room for so many bytes before any is changed: where the disk
// is full its old content stays whole. File systems that cannot say are taken at their best.
func reserve(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	for {
		switch err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size); err {
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS:
			return nil
		default:
			return err
		}
	}
}
