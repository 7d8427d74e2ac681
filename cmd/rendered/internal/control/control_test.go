package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve serves until the test ends, and returns when the socket is there.
func serve(t *testing.T, path string, reload func() error) (stop func()) {
	t.Helper()
	listener, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Daemon{
			Version: "1.2.3", Reloaded: func(context.Context) error { return reload() },
			Reload: func(_ context.Context, wait bool) (any, error) { return map[string]bool{"waited": wait}, reload() },
		}.Serve(ctx, listener)
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	return stop
}

func reload(t *testing.T, path string) error {
	_, err := Client{path}.Reload(t.Context(), false, new(any))
	return err
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	if err := reload(t, path); err == nil || !strings.Contains(err.Error(), "no daemon answers at "+path) {
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
	if err := reload(t, path); err != nil {
		t.Errorf("a good config: %v", err)
	}
	outcome = errors.New("rendered.yaml:4:7: unknown key")
	if err := reload(t, path); err != Refused("rendered.yaml:4:7: unknown key") {
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
	go func() { answered <- reload(t, path) }()
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

// somebody gives a socket at which no daemon of this version listens.
func somebody(t *testing.T) (path string, _ net.Listener) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return path, listener
}

// A daemon of before there were versions reads its config again, and cannot say what came of it. A
// command of then hears what it heard.
func TestReloadAcrossVersions(t *testing.T) {
	path, listener := somebody(t)
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reload", func(http.ResponseWriter, *http.Request) { asked++ })
	go func() { _ = http.Serve(listener, mux) }()
	if said, err := (Client{path}).Reload(t.Context(), false, new(any)); said || err != nil || asked != 1 {
		t.Errorf("%v, %v, asked %d times", said, err, asked)
	}
	if _, err := (Client{path}).Reload(t.Context(), true, new(any)); err == nil || !strings.Contains(err.Error(), "does not know what is asked") {
		t.Error(err)
	}
	listener.Close()

	path = filepath.Join(t.TempDir(), "rendered.sock")
	defer serve(t, path, func() error { return errors.New("unknown key") })()
	if err := (Client{path}).await(t.Context(), "/reload", nil, nil); err != Refused("unknown key") {
		t.Error(err)
	}
}

// A command that a daemon does not understand says which version that is.
func TestVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	stop := serve(t, path, nil)
	defer stop()
	err := Client{path}.ask(t.Context(), http.MethodGet, "/v9/status", nil, nil)
	if err == nil || !strings.Contains(err.Error(), "rendered 1.2.3: it does not know what is asked (404 Not Found)") {
		t.Error(err)
	}
}

// Another program that listens there, and gives JSON, too, says nothing of services.
func TestAnotherProgram(t *testing.T) {
	path, listener := somebody(t)
	go func() {
		_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	}()
	if err := (Client{path}).Status(t.Context(), new(any)); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "is no daemon of rendered") {
		t.Error(err)
	}
}

// Who is not admitted is said so, however soon the connection is closed.
func TestClosed(t *testing.T) {
	path, listener := somebody(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	for range 200 {
		if err := (Client{path}).Refresh(t.Context(), []string{"a"}, nil); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
		if err := (Client{path}).Status(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Fatal(err)
		}
	}
}

// What came of a question is decoded; what it is about is told.
func TestQuestions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.sock")
	listener, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go Daemon{
		Version: "1.2.3",
		Status: func(_ context.Context, lookups bool) (any, error) {
			return map[string]string{"a": map[bool]string{true: "current", false: "brief"}[lookups]}, nil
		},
		StatusOf: func(_ context.Context, name string) (any, error) { return map[string]string{"a": name}, nil },
		History:  func() any { return []int{1, 2} },
		Refresh: func(_ context.Context, names []string, wait bool) (any, error) {
			return map[string]any{"names": names, "wait": wait}, nil
		},
		Wait: func(_ context.Context, names []string) error { return fmt.Errorf("there is no service %s", names[0]) },
	}.Serve(ctx, listener)
	var st map[string]string
	if err := (Client{path}).Status(ctx, &st); err != nil || st["a"] != "current" {
		t.Errorf("%v, %v", st, err)
	}
	if err := (Client{path}).Summary(ctx, &st); err != nil || st["a"] != "brief" {
		t.Errorf("%v, %v", st, err)
	}
	if err := (Client{path}).StatusOf(ctx, "/a&b=c d", &st); err != nil || st["a"] != "/a&b=c d" {
		t.Errorf("%v, %v", st, err)
	}
	var happened []int
	if err := (Client{path}).History(ctx, &happened); err != nil || len(happened) != 2 {
		t.Errorf("%v, %v", happened, err)
	}
	var came struct {
		Names []string
		Wait  bool
	}
	if err := (Client{path}).Refresh(ctx, []string{"a"}, &came); err != nil || len(came.Names) != 1 || !came.Wait {
		t.Errorf("%v, %v", came, err)
	}
	if err := (Client{path}).Wait(ctx, []string{"a"}); err != Refused("there is no service a") {
		t.Error(err)
	}
}

// Only what an earlier daemon has left is replaced: no file, no directory, and no socket at which
// somebody answers.
func TestListenReplacesNothingElse(t *testing.T) {
	dir := t.TempDir()
	file, empty, taken := filepath.Join(dir, "file"), filepath.Join(dir, "dir"), filepath.Join(dir, "taken.sock")
	if err := errors.Join(os.WriteFile(file, []byte("mine"), 0o600), os.Mkdir(empty, 0o700)); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, taken, func() error { return nil })
	for path, want := range map[string]error{file: ErrNoSocket, empty: ErrNoSocket, taken: ErrTaken} {
		if listener, err := Listen(path); !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", path, listener, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("the file: %q, %v", text, err)
	}
	if _, err := os.Stat(empty); err != nil {
		t.Error(err)
	}
	if err := reload(t, taken); err != nil {
		t.Errorf("who answered does no more: %v", err)
	}
	// One that ends a moment later lets go of it.
	time.AfterFunc(passing/4, stop)
	listener, err := Listen(taken)
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := reload(t, file); !errors.Is(err, ErrNoSocket) {
		t.Errorf("a file is asked: %v", err)
	}
}
