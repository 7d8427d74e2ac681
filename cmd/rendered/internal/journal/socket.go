package journal

import (
	"cmp"
	"errors"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	socketPath = "/run/systemd/journal/socket"
	// patience is how long the journal may take to accept an entry.
	patience = time.Second
	// lessPatience is how long it may take where it has just failed to.
	lessPatience = 10 * time.Millisecond
)

// A socket is the way to the journal.
type socket struct {
	path     string
	patience time.Duration
	conn     *net.UnixConn // nil: not open
	timedOut bool          // it did not take the last entry in time
}

// send sends an entry, if need be through a new connection: the journal may have been started anew.
func (s *socket) send(entry []byte) error {
	reused := s.conn != nil
	err := s.try(entry)
	if err != nil && !isTimeout(err) && reused {
		err = s.try(entry)
	}
	s.timedOut = isTimeout(err)
	return err
}

func (s *socket) try(entry []byte) (err error) {
	if s.conn == nil {
		if s.conn, err = net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.path, Net: "unixgram"}); err != nil {
			s.conn = nil
			return err
		}
	}
	within := s.patience
	if s.timedOut {
		within = lessPatience
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err = s.conn.Write(entry)
	if errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.ENOBUFS) {
		err = s.sendFile(entry)
	}
	if err != nil && !isTimeout(err) {
		s.conn.Close()
		s.conn = nil
	}
	return err
}

// sendFile sends an entry that is too large for a datagram: as a file in memory that nobody can
// change any more.
func (s *socket) sendFile(entry []byte) error {
	f, err := sealed(entry)
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error // net does not send descriptors through a connected socket
	err = raw.Write(func(to uintptr) bool {
		failed = unix.Sendmsg(int(to), nil, unix.UnixRights(int(f.Fd())), nil, 0)
		return failed != unix.EAGAIN
	})
	return cmp.Or(err, failed)
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
