// Package control lets other processes ask the daemon, and wait for its answer, through a socket
// that its user and root alone can open. It speaks HTTP with JSON; what is asked for has a path
// that begins with the version of the words, /v1/.
package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Path gives where the socket is: what RENDERED_SOCKET says; else in the directory that systemd
// made for the service (RuntimeDirectory=), the first where there are several, whose name it gives
// to each of the service's processes; else where that directory is on a machine on which the daemon
// is installed.
func Path() string {
	if path := os.Getenv("RENDERED_SOCKET"); path != "" {
		return path
	}
	dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	if dir == "" {
		dir = "/run/rendered"
	}
	return filepath.Join(dir, "rendered.sock")
}

// Offered tells whether the daemon has a place for the socket.
func Offered() bool {
	return os.Getenv("RENDERED_SOCKET") != "" || os.Getenv("RUNTIME_DIRECTORY") != ""
}

// Errors of a path at which there is to be a socket.
var (
	ErrNoSocket = errors.New("what is there is no socket")
	ErrTaken    = errors.New("another process answers there")
)

// passing is how long a daemon that has ended may still seem to answer: the system lets go of its
// lock before its socket.
const passing = time.Second

// Listen makes the socket, which nobody but its owner and root may open. What an earlier daemon has
// left there is replaced. Nothing else is: errors are ErrNoSocket, and ErrTaken where somebody
// answers, who may have another state directory, or be another program.
func Listen(path string) (net.Listener, error) {
	if err := vacate(path); err != nil {
		return nil, err
	}
	var made error
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return errors.Join(c.Control(func(fd uintptr) { made = unix.Fchmod(int(fd), 0o600) }), made)
	}}
	listener, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	return ownOnly{listener}, nil
}

// vacate removes a socket at which nobody listens any more.
func vacate(path string) error {
	st, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && st.Mode().Type() != os.ModeSocket {
		err = fmt.Errorf("%s: %w", path, ErrNoSocket)
	}
	if err == nil {
		err = deserted(path)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// deserted is an error where somebody answers at a socket, and goes on to for a moment.
func deserted(path string) error {
	for begun := time.Now(); ; time.Sleep(passing / 20) {
		conn, err := net.Dial("unix", path)
		switch {
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, os.ErrNotExist): // it ended, and took it along
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", path, innermost(err))
		}
		conn.Close()
		if time.Since(begun) >= passing {
			return fmt.Errorf("%s: %w", path, ErrTaken)
		}
	}
}

// An ownOnly listener closes the connections of other users than ours and root: the mode of a
// socket could be changed.
type ownOnly struct{ net.Listener }

func (l ownOnly) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || ours(conn) {
			return conn, err
		}
		conn.Close()
	}
}

// ours tells whether a connection is that of a process of ours or of root.
func ours(conn net.Conn) bool {
	uid, known := peer(conn)
	return known && (uid == 0 || uid == os.Geteuid())
}

// peer gives the user of the process at the other end of a connection.
func peer(conn net.Conn) (uid int, known bool) {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, false
	}
	var failed error
	err = raw.Control(func(fd uintptr) { uid, failed = peerOf(int(fd)) })
	return uid, err == nil && failed == nil
}

// asker is the key of the user who asks, in the context of an answer.
type asker struct{}

// withAsker notes in a context who asks through a connection.
func withAsker(ctx context.Context, conn net.Conn) context.Context {
	uid, known := peer(conn)
	if !known {
		return ctx
	}
	name := fmt.Sprintf("uid %d", uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	return context.WithValue(ctx, asker{}, name)
}

// Who names the user who asks what is being answered, in the context of the answer; "" where that
// is not known.
func Who(ctx context.Context) string {
	name, _ := ctx.Value(asker{}).(string)
	return name
}
