package local

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
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
		in("text"):     {Value: sources.Value{Text: "one\ntwo\n"}},
		in("link"):     {Value: sources.Value{Text: "one\ntwo\n"}},
		in("empty"):    {Value: sources.Value{}},
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

// Root reads no file for a user who could have it be led to one that he cannot read: by a link, a
// link on the way, a second name, or a file that is not his and was moved to his directory, or to
// one that many share, as files of root's can be. His own file, and what root alone decides on,
// is read.
func TestFilesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	const user, other = 12001, 12002
	top := t.TempDir()
	in := func(name string) string { return filepath.Join(top, name) }
	for name, d := range map[string]struct {
		owner, group int
		mode         os.FileMode
	}{"root": {0, 0, 0o755}, "own": {user, user, 0o755}, "group": {0, user, 0o775}, "everybody": {0, 0, 0o777}, "sticky": {0, 0, 0o777 | os.ModeSticky}} {
		if err := errors.Join(os.Mkdir(in(name), 0o700), os.Chown(in(name), d.owner, d.group), os.Chmod(in(name), d.mode)); err != nil {
			t.Fatal(err)
		}
		for file, owner := range map[string]int{"roots": 0, "users": user, "others": other} {
			path := filepath.Join(in(name), file)
			if err := errors.Join(os.WriteFile(path, []byte("canary"), 0o600), os.Chown(path, owner, owner)); err != nil {
				t.Fatal(err)
			}
			link, second := path+"-link", path+"-second"
			if err := errors.Join(os.Symlink("/etc/shadow", link), os.Lchown(link, owner, owner), os.Link(in(name+"/"+file), second+"-of"), os.Rename(second+"-of", second)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(os.Symlink(".", in(name)+"/way"), os.Lchown(in(name)+"/way", user, user)); err != nil {
			t.Fatal(err)
		}
		// Each file has two names now. Take one away again where one name is meant.
		for _, file := range []string{"roots", "users", "others"} {
			path := filepath.Join(in(name), file)
			if err := errors.Join(os.WriteFile(path+"-single", []byte("canary"), 0o600), os.Chown(path+"-single", map[string]int{"roots": 0, "users": user, "others": other}[file], -1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := map[string]bool{
		// Root alone decides what these are.
		"root/roots-single": true, "root/users-single": true, "root/others-single": true, "root/roots": true, "root/users": true, "root/others": true,
		"root/roots-second": true, "root/users-second": true, "root/others-second": true, "root/roots-link": true,
		// Nobody else can put his own file there.
		"own/users-single": true,
	}
	shadow, err := os.ReadFile("/etc/shadow")
	if err != nil {
		t.Skip(err)
	}
	for _, dir := range []string{"root", "own", "group", "everybody", "sticky"} {
		for _, file := range []string{"roots", "users", "others"} {
			for _, kind := range []string{"", "-single", "-link", "-second"} {
				name := dir + "/" + file + kind
				r := sources.Ref{Kind: sources.File, Name: in(name)}
				got := askAll(t.Context(), new(Files), r)[r]
				want := "canary"
				if kind == "-link" {
					want = string(shadow)
				}
				switch {
				case read[name] && (got.Err != nil || got.Value.Text != want):
					t.Errorf("%s: %v", name, got.Err)
				case !read[name] && (got.Err == nil || got.Err.Reason != sources.Denied || len(got.Err.Hints) == 0 || got.Value.Text != ""):
					t.Errorf("%s: %v, %d bytes", name, got.Err, len(got.Value.Text))
				}
			}
		}
		r := sources.Ref{Kind: sources.File, Name: in(dir + "/way/users-single")}
		if got := askAll(t.Context(), new(Files), r)[r]; got.Err == nil || !strings.Contains(got.Err.Error(), "root does not follow it") {
			t.Errorf("%s: %v", r.Name, got.Err)
		}
	}
}
