package local

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/sources"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	create := func(name string, content []byte, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(in(name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	create("text", []byte("one\ntwo\n"), 0o600)
	create("empty", nil, 0o600)
	create("large", bytes.Repeat([]byte("x"), maxSize+1), 0o600)
	create("closed", []byte("x"), 0)
	if err := syscall.Mkfifo(in("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("text", in("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", in("loop")); err != nil {
		t.Fatal(err)
	}

	tests := map[string]sources.Result{
		in("text"):     {Value: sources.Value{Text: "one\ntwo\n", Secret: true}},
		in("link"):     {Value: sources.Value{Text: "one\ntwo\n", Secret: true}},
		in("empty"):    {Value: sources.Value{Secret: true}},
		in("none"):     {Err: &sources.Error{Reason: sources.Missing}},
		in("text/x"):   {Err: &sources.Error{Reason: sources.Missing, Detail: "not a directory"}},
		in("fifo"):     {Err: &sources.Error{Reason: sources.Unanswerable, Detail: "not a regular file"}},
		in("large"):    {Err: &sources.Error{Reason: sources.Unanswerable, Detail: "larger than 16 MiB"}},
		in("loop"):     {Err: &sources.Error{Reason: sources.Unavailable, Detail: "too many levels of symbolic links"}},
		dir:            {Err: &sources.Error{Reason: sources.Unanswerable, Detail: "is a directory"}},
		"/dev/zero":    {Err: &sources.Error{Reason: sources.Unanswerable, Detail: "not a regular file"}},
		"relative.txt": {Err: &sources.Error{Reason: sources.Unanswerable, Detail: "its path is not absolute"}},
	}
	if os.Getuid() != 0 { // root reads everything
		tests[in("closed")] = sources.Result{Err: &sources.Error{Reason: sources.Denied, Detail: "permission denied"}}
	}
	var refs []sources.Ref
	for path, want := range tests {
		r := sources.Ref{Kind: sources.File, Name: path}
		if want.Err != nil {
			want.Err.Ref = r
		}
		refs = append(refs, r)
	}
	for r, got := range askAll(t.Context(), new(Files), refs...) {
		if diff := cmp.Diff(tests[r.Name], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r, diff)
		}
	}
}

// A file of /proc says that it has no bytes and has some.
func TestFileOfProc(t *testing.T) {
	r := sources.Ref{Kind: sources.File, Name: "/proc/sys/kernel/ostype"}
	if _, err := os.Stat(r.Name); err != nil {
		t.Skip(err)
	}
	if got := askAll(t.Context(), new(Files), r)[r]; got.Value.Text != "Linux\n" {
		t.Errorf("got %v", got.Err)
	}
}
