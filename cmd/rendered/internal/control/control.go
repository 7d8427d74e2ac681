// Package control lets another process of the same user ask the daemon for something and wait for the answer, through a socket that it alone
// can open.
package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Path gives where the socket is: in the directory that systemd made for the service (RuntimeDirectory=), the first where there are several,
// whose name it gives to each of the service's processes; else where that directory is on a machine on which the daemon is installed.
func Path() string {
	dir, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	if dir == "" {
		dir = "/run/rendered"
	}
	return filepath.Join(dir, "rendered.sock")
}

// Offered tells whether the daemon has a directory of its own for the socket.
func Offered() bool { return os.Getenv("RUNTIME_DIRECTORY") != "" }

// Reload reads the config again. The error says why the new one is not in force; it holds no value.
type Reload func() error

const (
	reloadPath = "/reload"
	// headers is how long a client may take to say what it wants.
	headers = 5 * time.Second
	// most bounds the answer that a client reads, in bytes.
	most = 1 << 20
)

// Serve answers until ctx ends, and closes the listener. say writes an error as a person reads it.
func Serve(ctx context.Context, listener net.Listener, reload Reload, say func(io.Writer, error)) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+reloadPath, func(w http.ResponseWriter, _ *http.Request) {
		if err := reload(); err != nil {
			w.WriteHeader(http.StatusConflict)
			say(w, err)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headers, ErrorLog: log.New(io.Discard, "", 0)}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Listen makes the socket, which nobody but its owner may open. What an earlier daemon has left there is replaced: whoever calls holds the
// lock of the state directory.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var made error
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return errors.Join(c.Control(func(fd uintptr) { made = unix.Fchmod(int(fd), 0o600) }), made)
	}}
	return config.Listen(context.Background(), "unix", path)
}

// AskReload has the daemon read its config again, and returns when it has. A Refused error is the daemon's own.
func AskReload(ctx context.Context, path string) error {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://rendered"+reloadPath, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no daemon answers at %s: %w", path, innermost(err))
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, most))
	switch {
	case err != nil:
		return fmt.Errorf("the daemon at %s broke off: %w", path, innermost(err))
	case answer.StatusCode == http.StatusConflict:
		return Refused(bytes.TrimSpace(text))
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("what listens at %s is another version of rendered: %s", path, answer.Status)
	}
	return nil
}

// Refused is why the daemon did not do what it was asked for, in its words.
type Refused string

func (r Refused) Error() string { return string(r) }

// innermost gives the error of the system: what is around it names a URL that nobody knows.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
