package disk

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// What access control lists (acl(3)) let others do is neither seen nor changed here: it takes the
// C library. So root, who has others to distrust, goes nowhere (ErrUnseen), and an ordinary user's
// new file in a directory whose list is inherited is for those, too, whom that user let in.

// ofContent are attributes that are true of the old content only: its other fork, where it was
// fetched, which program wrote it.
var ofContent = map[string]bool{"com.apple.ResourceFork": true, "com.apple.quarantine": true, "com.apple.provenance": true}

// labels begin the names of attributes that the system sets.
var labels = []string{"com.apple."}

// lacks tells whether an error is that a file, or its file system, has no such attribute.
func lacks(err error) bool {
	return err == unix.ENOATTR || err == unix.ENOTSUP || err == unix.EOPNOTSUPP
}

// openToLook opens a directory to look at names in it, which needs no leave to list them.
const openToLook = unix.O_SEARCH

// fixed are the flags of what is immutable or append-only (UF_IMMUTABLE, UF_APPEND, SF_IMMUTABLE
// and SF_APPEND in chflags(2)).
const fixed = 0x2 | 0x4 | 0x20000 | 0x40000

// statAt looks at a name in an open directory without following it; "": at what is open. A mount is
// on a directory only.
func statAt(fd int, name string) (Info, error) {
	st, err := new(unix.Stat_t), error(nil)
	if name == "" {
		err = unix.Fstat(fd, st)
	} else {
		err = unix.Fstatat(fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
	}
	return Info{
		Exists: err == nil,
		Type:   kind(st.Mode),
		Mode:   fs.FileMode(st.Mode) & fs.ModePerm,
		UID:    int(st.Uid),
		GID:    int(st.Gid),
		Size:   st.Size,
		Fixed:  st.Flags&fixed != 0,
		Links:  int(st.Nlink),
		ID:     ID{uint64(st.Dev), st.Ino},
		sticky: st.Mode&unix.S_ISVTX != 0,
	}, err
}

// reserve finds out whether a file has room for so many bytes before any is changed: where the disk
// is full its old content stays whole. File systems that cannot say are taken at their best.
func reserve(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil || info.Size() >= size {
		return err
	}
	for {
		room := unix.Fstore_t{Flags: unix.F_ALLOCATEALL, Posmode: unix.F_PEOFPOSMODE, Length: size - info.Size()}
		switch err := unix.FcntlFstore(f.Fd(), unix.F_PREALLOCATE, &room); err {
		case unix.EINTR:
		case unix.ENOTSUP, unix.EOPNOTSUPP, unix.ENOTTY, unix.EINVAL:
			return nil
		default:
			return err
		}
	}
}
