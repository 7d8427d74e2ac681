package command

import "golang.org/x/sys/unix"

// Await waits until a child of this process has ended, and leaves its status to be taken. It
// returns at once where there is no such child, or the system has no descriptor to wait by. It does
// not use waitid(2), which here returns for a child that is stopped, too.
func Await(pid int) {
	queue, err := unix.Kqueue()
	if err != nil {
		return
	}
	defer unix.Close(queue)
	unix.CloseOnExec(queue)
	// Of a child that has ended already it is an error, ESRCH.
	end := []unix.Kevent_t{{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD | unix.EV_ONESHOT, Fflags: unix.NOTE_EXIT}}
	for err = unix.EINTR; err == unix.EINTR; {
		_, err = unix.Kevent(queue, end, make([]unix.Kevent_t, 1), nil)
	}
}
