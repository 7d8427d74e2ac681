package control

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Other users than the daemon's own and root are not admitted, whatever the mode of the socket has
// become; they are told whom to ask as.
func TestStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it takes root to be another user")
	}
	dir, err := os.MkdirTemp("", "") // that of the test is its user's alone
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	defer serve(t, path, func() error { return nil })()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	asked := make(chan error)
	as := func(uid int) error {
		go func() {
			runtime.LockOSThread() // and never unlocked: it ends with the goroutine
			if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); e != 0 {
				asked <- e
				return
			}
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err == nil {
				defer unix.Close(fd)
				err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
			}
			if err == nil {
				_, err = unix.Write(fd, []byte("GET "+alivePath+" HTTP/1.0\r\n\r\n"))
			}
			var n int
			if err == nil {
				n, err = unix.Read(fd, make([]byte, 100))
			}
			if err == nil && n == 0 {
				err = io.EOF
			}
			asked <- err
		}()
		return <-asked
	}
	if err := as(0); err != nil {
		t.Errorf("root: %v", err)
	}
	if err := as(65534); !isClosed(err) {
		t.Errorf("another user is admitted: %v", err)
	}
}
