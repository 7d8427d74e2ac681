package lastgood

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

func open(t *testing.T, system disk.System, path string) disk.Dir {
	t.Helper()
	d, err := system.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func of(files ...string) *Config {
	c := &Config{Path: "/etc/rendered/rendered.yaml", Since: time.Unix(1, 0).UTC(), Files: make(map[string][]byte)}
	for i := 0; i < len(files); i += 2 {
		c.Files[files[i]] = []byte(files[i+1])
	}
	return c
}

// What is read is what was written, byte for byte, and nobody else can read it. The same is not
// written again.
func TestRead(t *testing.T) {
	path := t.TempDir()
	writes := 0
	d := open(t, faulty.System(disk.Host, func(s faulty.Step) error {
		if s.Mutates() {
			writes++
		}
		return nil
	}), path)
	if c, err := read(d); c != nil || err != nil {
		t.Errorf("where nothing is: %v, %v", c, err)
	}
	c := of("/etc/rendered/rendered.yaml", "services:\n  a: {}\n", "/t/a", "\xff<&>\u2028\r\n", "/t/_p", "", "/u/b", "x")
	if err := write(d, c); err != nil {
		t.Fatal(err)
	}
	got, err := read(d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, got, cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	writes = 0
	again := of()
	again.Files, again.Since = c.Files, time.Unix(2, 0)
	if err := write(d, again); err != nil || writes > 0 {
		t.Errorf("%d steps to write the same: %v", writes, err)
	}
	if got, err := read(d); err != nil || !got.Since.Equal(c.Since) {
		t.Errorf("since %v, %v", got.Since, err)
	}

	if names, _ := got.ReadDir("/t"); !cmp.Equal(names, []string{"_p", "a"}) {
		t.Errorf("names %q", names)
	}
	if _, err := got.ReadFile("/t/b", 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was not there: %v", err)
	}
	if _, err := got.ReadFile("/t/a", 1); !errors.Is(err, unix.EFBIG) {
		t.Errorf("a file that is too large: %v", err)
	}
}

// Nothing is read of what is not as it was written.
func TestDamaged(t *testing.T) {
	path := t.TempDir()
	d := open(t, disk.Host, path)
	if err := write(d, of("/a", "one", "/b", "two")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, name)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "x", string(whole[:len(whole)-1]), strings.Replace(string(whole), "one", "eno", 1), strings.Replace(string(whole), `"version":1`, `"version":2`, 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := read(d); c != nil || err == nil {
			t.Errorf("%q: %v", text, c)
		}
		if err := write(d, of("/a", "one")); err != nil {
			t.Errorf("in the place of %q: %v", text, err)
		}
		if c, err := read(d); err != nil || len(c.Files) != 1 {
			t.Errorf("in the place of %q: %v, %v", text, c, err)
		}
	}
}

// Whatever step fails, there is the old one or the new one, and the next one is written.
func TestFailingSteps(t *testing.T) {
	for n := 1; ; n++ {
		path := t.TempDir()
		if err := write(open(t, disk.Host, path), of("/a", "old")); err != nil {
			t.Fatal(err)
		}
		step, over := 0, false
		failing := open(t, faulty.System(disk.Host, func(s faulty.Step) error {
			if step++; step == n+1 && !over { // the first opens the directory
				return unix.ENOSPC
			}
			return nil
		}), path)
		err := write(failing, of("/a", "new"))
		over = true
		last := step <= n
		c, unread := read(open(t, disk.Host, path))
		if unread != nil || err == nil && string(c.Files["/a"]) != "new" {
			t.Fatalf("step %d: %v, %v, %v", n, err, c, unread)
		}
		if err := write(failing, of("/a", "newer")); err != nil {
			t.Errorf("after step %d: %v", n, err)
		}
		if names, _ := failing.Names(); len(names) != 1 {
			t.Errorf("after step %d there are %q", n, names)
		}
		if last {
			if n < 5 {
				t.Errorf("only %d steps", n)
			}
			return
		}
	}
}
