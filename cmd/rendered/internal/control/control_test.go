package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serve serves until the test ends, and returns when the socket is there.
func serve(t *testing.T, path string, reload Reload) (stop func()) {
	t.Helper()
	listener, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, listener, reload, func(w io.Writer, err error) { fmt.Fprintf(w, "error: %v\n", err) })
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	return stop
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	if err := AskReload(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no daemon answers at "+path) {
		t.Errorf("without a daemon: %v", err)
	}
	// What a daemon that was killed has left.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	var outcome error
	stop := serve(t, path, func() error { return outcome })
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if err := AskReload(t.Context(), path); err != nil {
		t.Errorf("a good config: %v", err)
	}
	outcome = errors.New("rendered.yaml:4:7: unknown key")
	if err := AskReload(t.Context(), path); err != Refused("error: rendered.yaml:4:7: unknown key") {
		t.Errorf("a bad config: %v", err)
	}
	stop()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the end: %v", err)
	}
}

// Who waits for a daemon that stops is told so.
func TestDaemonStopsMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	asked, over := make(chan struct{}), make(chan struct{})
	stop := serve(t, path, func() error { close(asked); <-over; return nil })
	answered := make(chan error)
	go func() { answered <- AskReload(t.Context(), path) }()
	<-asked
	stop()
	if err := <-answered; err == nil {
		t.Error("a reload that nobody finished is a success")
	}
	close(over)
}

func TestPath(t *testing.T) {
	t.Setenv("RUNTIME_DIRECTORY", "/run/other")
	if Path() != "/run/other/rendered.sock" || !Offered() {
		t.Error(Path())
	}
	t.Setenv("RUNTIME_DIRECTORY", "/run/rendered:/run/other") // a drop-in added one
	if Path() != "/run/rendered/rendered.sock" || !Offered() {
		t.Error(Path())
	}
	t.Setenv("RUNTIME_DIRECTORY", "")
	if Path() != "/run/rendered/rendered.sock" || Offered() {
		t.Error(Path())
	}
}
