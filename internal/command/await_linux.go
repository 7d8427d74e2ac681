package command

import "golang.org/x/sys/unix"

// Await waits until a child of this process has ended, and leaves its status to be taken. It
// returns at once where there is no such child.
func Await(pid int) {
	for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
}
