package control

import "golang.org/x/sys/unix"

// peerOf gives the user of the process that connected to a socket (LOCAL_PEERCRED in unix(4)).
func peerOf(fd int) (uid int, err error) {
	who, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(who.Uid), nil
}
