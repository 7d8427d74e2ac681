package control

import "golang.org/x/sys/unix"

// peerOf gives the user of the process that connected to a socket (SO_PEERCRED in unix(7)).
func peerOf(fd int) (uid int, err error) {
	who, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(who.Uid), nil
}
