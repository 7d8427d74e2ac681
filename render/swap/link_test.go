package swap

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// linked makes a directory with links, in one directory, to files in another.
func linked(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, d := range []string{"etc", "real", "real/sub"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "real/file"), "old", 0o644)
	for name, target := range map[string]string{
		"etc/absolute": filepath.Join(dir, "real/file"), "etc/relative": "../real/file", "etc/chain": "relative",
		"etc/up": "sub/../file", "etc/sub": "../real/sub", "etc/new": "../real/new",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The link stays, and what it leads to is replaced in its own directory.
func TestLinksAreFollowed(t *testing.T) {
	for name, file := range map[string]string{"absolute": "real/file", "relative": "real/file", "chain": "real/file", "up": "real/file", "new": "real/new"} {
		t.Run(name, func(t *testing.T) {
			dir := linked(t)
			path, file := filepath.Join(dir, "etc", name), filepath.Join(dir, file)
			s := compare(t, Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, Mode: 0o600, KeepMode: true})
			if err := s.Stage(); err != nil {
				t.Fatal(err)
			}
			list := s.Renames()
			if len(list) != 1 || list[0].Path != path || list[0].Destination() != file || filepath.Dir(list[0].Temp) != filepath.Dir(file) || s.Staged(path) != list[0].Temp {
				t.Fatalf("%+v", list)
			}
			// A crash before the first rename: the record alone finishes it.
			todo, unsure, err := machine.Pending(list)
			if err != nil || unsure || len(todo) != 1 {
				t.Fatalf("pending: %v %v %v", todo, unsure, err)
			}
			if err := errors.Join(machine.RollForward(todo), machine.Sync(list)); err != nil {
				t.Fatal(err)
			}
			if read(t, file) != "new" || read(t, path) != "new" {
				t.Errorf("%s holds %q", file, read(t, file))
			}
			if st, err := os.Lstat(path); err != nil || st.Mode().Type() != fs.ModeSymlink {
				t.Errorf("the link is gone: %v, %v", st, err)
			}
			want := fs.FileMode(0o644)
			if name == "new" {
				want = 0o600
			}
			if mode(t, file) != want {
				t.Errorf("mode %v", mode(t, file))
			}
			again := compare(t, Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, KeepMode: true})
			if !again.Idle() {
				t.Error("the second time it differs")
			}
		})
	}
}

// Temporaries of a crash are found where the link leads.
func TestSweepFollowsLinks(t *testing.T) {
	dir := linked(t)
	path := filepath.Join(dir, "etc/chain")
	s := compare(t, target(path, "x"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if err := NewMachine(disk.Host, key, nil).Sweep([]string{path}, nothing); err != nil {
		t.Fatal(err)
	}
	if left := names(t, filepath.Join(dir, "real")); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}

// Root follows a destination's link only where nobody else decides what it leads to.
func TestRootFollowsNoLinkThroughForeignDirectories(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root is careful about links")
	}
	dir := linked(t)
	path := filepath.Join(dir, "etc/relative")
	for name, change := range map[string]func(restore bool) error{
		"etc": func(restore bool) error {
			return os.Chmod(filepath.Join(dir, "etc"), map[bool]fs.FileMode{true: 0o755, false: 0o777}[restore])
		},
		"real": func(restore bool) error {
			return os.Chown(filepath.Join(dir, "real"), map[bool]int{true: 0, false: 12}[restore], 0)
		},
	} {
		if err := change(false); err != nil {
			t.Fatal(err)
		}
		_, err := machine.Compare([]Target{target(path, "x")})
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, name)) || !strings.Contains(err.Error(), "root does not follow") {
			t.Errorf("%s: %v", name, err)
		}
		if err := NewMachine(disk.Host, key, nil).Sweep([]string{path}, nothing); err != nil {
			t.Errorf("sweep: %v", err)
		}
		if err := change(true); err != nil {
			t.Fatal(err)
		}
	}
}

// acl is user::rw- user:65534:r-- group::r-- mask::r-- other::---, as Linux stores it
// (posix_acl_xattr, version 2).
var acl = []byte{2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 4, 0, 254, 255, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 4, 0, 255, 255, 255, 255,
	32, 0, 0, 0, 255, 255, 255, 255}

// Access control list and attributes of the file that is replaced are those of the new one;
// capabilities, which were given to its old content, are not.
func TestAttributesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "old", 0o640)
	set := map[string][]byte{"user.note": []byte("by hand"), "system.posix_acl_access": acl}
	for name, value := range set {
		if err := unix.Setxattr(path, name, value, 0); err != nil {
			t.Skipf("%s: %v", name, err)
		}
	}
	if os.Geteuid() == 0 {
		// A capability as setcap writes it: cap_net_bind_service=ep, revision 2.
		caps := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		if err := unix.Setxattr(path, "security.capability", caps, 0); err != nil {
			t.Log(err)
		}
	}
	for _, tt := range []struct {
		keep bool
		want fs.FileMode
	}{{true, 0o640}, {false, 0o600}} {
		s := compare(t, Target{Path: path, Content: []byte(tt.want.String()), UID: Keep, GID: Keep, Mode: 0o600, KeepMode: tt.keep})
		if err := errors.Join(s.Stage(), s.Commit()); err != nil {
			t.Fatal(err)
		}
		if mode(t, path) != tt.want {
			t.Errorf("mode %v, want %v", mode(t, path), tt.want)
		}
		for name, want := range set {
			got := make([]byte, 256)
			n, err := unix.Getxattr(path, name, got)
			if name == "system.posix_acl_access" && !tt.keep {
				want = bytes.Clone(want)
				want[4+3*8+2] = 0 // the configured mode is the mask
			}
			if err != nil || !bytes.Equal(got[:n], want) {
				t.Errorf("%s: %v, %v", name, got[:max(n, 0)], err)
			}
		}
		if _, err := unix.Getxattr(path, "security.capability", nil); err != unix.ENODATA {
			t.Errorf("the new content has the capabilities of the old: %v", err)
		}
	}
}
