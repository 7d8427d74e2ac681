package disk

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, path string) Dir {
	t.Helper()
	d, err := Host.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What is held is the directory, not its path.
func TestDirStaysTheSame(t *testing.T) {
	top := t.TempDir()
	path := filepath.Join(top, "d")
	must(t, os.Mkdir(path, 0o700))
	d := open(t, path)
	must(t, os.Rename(path, filepath.Join(top, "moved")))
	must(t, os.Mkdir(path, 0o700))
	must(t, Replace(d, "f", []byte("x")))
	if got := read(t, filepath.Join(top, "moved", "f")); got != "x" {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(path, "f")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the new directory was written to: %v", err)
	}
}

func TestOpenFollowsLinksAsTheKernelDoes(t *testing.T) {
	top := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(top, "a/b/c"), 0o700))
	links := map[string]string{
		"absolute": filepath.Join(top, "a/b"),
		"relative": "a/b",
		"up":       "a/b/c/..",
		"twice":    "relative",
	}
	for name, target := range links {
		must(t, os.Symlink(target, filepath.Join(top, name)))
	}
	for name := range links {
		d := open(t, filepath.Join(top, name, "c"))
		must(t, Replace(d, name, nil))
		if _, err := os.Stat(filepath.Join(top, "a/b/c", name)); err != nil {
			t.Error(err)
		}
	}
	must(t, os.Symlink("loop", filepath.Join(top, "loop")))
	for path, want := range map[string]error{
		"loop":   unix.ELOOP,
		"none":   fs.ErrNotExist,
		"none/x": fs.ErrNotExist,
	} {
		if _, err := Host.Open(filepath.Join(top, path)); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	must(t, os.WriteFile(filepath.Join(top, "file"), nil, 0o600))
	if _, err := Host.Open(filepath.Join(top, "file")); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("a file: %v", err)
	}
}

func TestMakeAll(t *testing.T) {
	defer unix.Umask(unix.Umask(0o077))
	top := t.TempDir()
	must(t, MakeAll(Host, filepath.Join(top, "a/b"), 0o751))
	for _, name := range []string{"a", "a/b"} {
		if st, err := os.Stat(filepath.Join(top, name)); err != nil || st.Mode().Perm() != 0o751 {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	must(t, MakeAll(Host, filepath.Join(top, "a"), 0o700))
	if st, _ := os.Stat(filepath.Join(top, "a")); st.Mode().Perm() != 0o751 {
		t.Errorf("one that was there now has mode %v", st.Mode())
	}
}

// A crash may leave the temporary, whole or not, at any moment: the next Replace takes it away.
func TestReplaceAfterACrash(t *testing.T) {
	top := t.TempDir()
	d := open(t, top)
	must(t, os.WriteFile(filepath.Join(top, ".f.new"), []byte("half"), 0o644))
	must(t, Replace(d, "f", []byte("one")))
	must(t, Replace(d, "f", []byte("two")))
	if got := read(t, filepath.Join(top, "f")); got != "two" {
		t.Errorf("%q", got)
	}
	names, err := d.Names()
	if err != nil || len(names) != 1 {
		t.Errorf("%v, %v", names, err)
	}
	if st, _ := os.Stat(filepath.Join(top, "f")); st.Mode() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	again, err := d.Names()
	if err != nil || len(again) != 1 {
		t.Errorf("a second look: %v, %v", again, err)
	}
}

func TestNamesAreNotFollowed(t *testing.T) {
	top := t.TempDir()
	d := open(t, top)
	must(t, os.WriteFile(filepath.Join(top, "target"), []byte("x"), 0o600))
	must(t, os.Symlink("target", filepath.Join(top, "link")))
	if _, err := d.Read("link", 10); !errors.Is(err, unix.ELOOP) {
		t.Errorf("Read: %v", err)
	}
	if _, err := d.Create("link"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create: %v", err)
	}
	if got, err := d.Stat("link"); err != nil || got.Type != fs.ModeSymlink {
		t.Errorf("Stat: %+v, %v", got, err)
	}
	must(t, d.Rename("target", "link"))
	if got := read(t, filepath.Join(top, "link")); got != "x" {
		t.Errorf("%q", got)
	}
	if got, _ := d.Stat("link"); got.Type != 0 {
		t.Errorf("the link was followed, not replaced: %+v", got)
	}
	must(t, d.Remove("link"))
	must(t, d.Remove("link"))
}

func TestReadWaitsForNothingAndHasALimit(t *testing.T) {
	top := t.TempDir()
	d := open(t, top)
	must(t, unix.Mkfifo(filepath.Join(top, "pipe"), 0o600))
	if _, err := d.Read("pipe", 10); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a pipe: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(top, "f"), []byte("0123456789"), 0o600))
	if got, err := d.Read("f", 10); err != nil || string(got) != "0123456789" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := d.Read("f", 9); !errors.Is(err, unix.EFBIG) {
		t.Errorf("over the limit: %v", err)
	}
}

func TestStat(t *testing.T) {
	top := t.TempDir()
	d := open(t, top)
	must(t, os.WriteFile(filepath.Join(top, "f"), []byte("123"), 0o640))
	must(t, os.Chmod(filepath.Join(top, "f"), 0o640))
	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(top, "f"), &st))
	want := Info{Exists: true, Mode: 0o640, UID: os.Geteuid(), GID: os.Getegid(), Size: 3, Links: 1, ID: ID{uint64(st.Dev), st.Ino}}
	if got, err := d.Stat("f"); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.Stat("none"); err != nil || got.Exists {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.Self(); err != nil || got.Type != fs.ModeDir {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := open(t, "/").Stat("proc"); err != nil || !got.Mount {
		t.Errorf("/proc is a mount point: %+v, %v", got, err)
	}
}

// Several may list a directory at the same time.
func TestNamesAtTheSameTime(t *testing.T) {
	path := t.TempDir()
	const files = 300
	for i := range files {
		if err := os.WriteFile(filepath.Join(path, fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Host.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if names, err := d.Names(); err != nil || len(names) != files {
					t.Errorf("%d names, %v", len(names), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// What has no fsync for directories, as /proc and squashfs, does not keep a daemon from its first
// start.
func TestSyncAboveWhereNothingIsSynced(t *testing.T) {
	d, err := Host.Open("/proc/sys")
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, unix.EINVAL) {
		t.Skip("/proc can be synced here: ", err)
	}
	if err := SyncAbove(Host, "/proc/sys/kernel"); err != nil {
		t.Error(err)
	}
}

// Several make the same directories at the same time, and work in them at once.
func TestMakeAllAtOnce(t *testing.T) {
	for round := range 50 {
		top := filepath.Join(t.TempDir(), "a", "b")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if err := MakeAll(Host, filepath.Join(top, fmt.Sprint(i%3), fmt.Sprint(i)), 0o750); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		all.Wait()
	}
}

// Whoever looks while others put something else in the place of a name sees one of the two.
func TestLookWhileOthersMove(t *testing.T) {
	top := t.TempDir()
	must(t, os.Mkdir(filepath.Join(top, "x"), 0o755))
	must(t, os.Mkdir(filepath.Join(top, "dir"), 0o755))
	must(t, os.Symlink("dir", filepath.Join(top, "y")))
	ended := make(chan error)
	go func() {
		defer close(ended)
		move := func(from, to string) error { return os.Rename(filepath.Join(top, from), filepath.Join(top, to)) }
		for range 3000 {
			// Between the two nothing is there.
			if err := cmp.Or(move("x", "z"), move("y", "x"), move("x", "y"), move("z", "x")); err != nil {
				ended <- err
				return
			}
		}
	}()
	seen := make(map[string]bool)
	for {
		select {
		case err := <-ended:
			must(t, err)
			if !seen[top+"/x"] || !seen[top+"/dir"] {
				t.Error(seen)
			}
			return
		default:
		}
		way, err := Walk(filepath.Join(top, "x"))
		if err != nil {
			t.Fatal(err)
		}
		at := way.Real()
		if seen[at] = true; at != top+"/x" && at != top+"/dir" {
			t.Fatalf("%q, %+v", at, way.Last())
		}
	}
}
