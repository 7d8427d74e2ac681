package notify

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// listener tells who listens at the other end of a connection to a unix socket.
func listener(conn net.Conn) (reader, error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return reader{}, errors.ErrUnsupported
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return reader{}, err
	}
	var who *unix.Ucred
	if failed := raw.Control(func(fd uintptr) { who, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); failed != nil {
		return reader{}, failed
	}
	if err != nil {
		return reader{}, err
	}
	return reader{int(who.Uid), int(who.Gid)}, nil
}
