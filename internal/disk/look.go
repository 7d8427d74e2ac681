//go:build linux && !portable

package disk

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// look opens a name to look by, and keeps it open if it is a directory. What is judged is what was
// opened, whatever others put in its place meanwhile. A name that is not there is no error.
func look(at int, name string, s Step) (dir int, _ Step, err error) {
	fd, err := unix.Openat(at, name, openToLook|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case err == unix.ENOENT:
		return -1, s, nil
	case err != nil:
		return -1, s, &fs.PathError{Op: "open", Path: s.Path(), Err: err}
	}
	if s.Info, err = statAt(fd, ""); err == nil && s.Type == fs.ModeSymlink {
		s.Target, err = targetOf(fd, "")
	}
	if err != nil {
		unix.Close(fd)
		return -1, s, &fs.PathError{Op: "stat", Path: s.Path(), Err: err}
	}
	s.weigh(fd)
	if s.Type != fs.ModeDir {
		unix.Close(fd)
		fd = -1
	}
	return fd, s, nil
}

// weigh judges what is open, where there is anybody to distrust.
func (s *Step) weigh(fd int) {
	if distrusts() {
		s.doubt, s.makers = judge(s.Path(), s.Info, func() ([]byte, error) { return listOf(fd) })
	}
}

// listOf gives the access control list of what is open, be it with O_PATH; nil where there is none.
func listOf(fd int) ([]byte, error) {
	text := make([]byte, maxAttributes)
	n, err := unix.Getxattr(fmt.Sprintf("/proc/self/fd/%d", fd), accessList, text)
	if err != nil && lacks(err) {
		return nil, nil
	}
	return text[:max(n, 0)], err
}
