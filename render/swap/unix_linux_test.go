package swap

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A foreign owner can only be given by root; without it the whole swap is refused before anything
// is renamed.
func TestOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	f := target(path, "x")
	f.UID, f.GID = 12, 34
	s := compare(t, f)
	err := s.Stage()
	if os.Geteuid() != 0 {
		if err == nil {
			t.Error("an ordinary user gave a file away")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Uid != 12 || st.Gid != 34 {
		t.Errorf("owner %d:%d, %v", st.Uid, st.Gid, err)
	}
}

// A default ACL would give a staged file readers that its mode does not show.
func TestDefaultACLDoesNotOpenAFile(t *testing.T) {
	dir := t.TempDir()
	// posix_acl_xattr version 2: user::rwx user:65534:rwx group::r-x mask::rwx other::r-x
	acl := []byte{2, 0, 0, 0,
		1, 0, 7, 0, 255, 255, 255, 255,
		2, 0, 7, 0, 254, 255, 0, 0,
		4, 0, 5, 0, 255, 255, 255, 255,
		16, 0, 7, 0, 255, 255, 255, 255,
		32, 0, 5, 0, 255, 255, 255, 255}
	if err := unix.Setxattr(dir, "system.posix_acl_default", acl, 0); err != nil {
		t.Skipf("no ACLs here: %v", err)
	}
	s := compare(t, target(filepath.Join(dir, "f"), "x"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Getxattr(s.Staged(filepath.Join(dir, "f")), "system.posix_acl_access", nil); err != unix.ENODATA {
		t.Errorf("the staged file has an ACL of %d bytes (%v)", n, err)
	}
}

// A link that an ordinary user can change must not lead root anywhere.
func TestRootDoesNotFollowForeignLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root is careful about links")
	}
	dir := t.TempDir()
	open, real := filepath.Join(dir, "open"), filepath.Join(dir, "real")
	for _, d := range []string{open, real} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(real, filepath.Join(open, "link")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(open, "link", "f")
	compare(t, target(path, "x")) // root's link in root's directory is followed
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Compare([]Target{target(path, "x")}); err == nil {
		t.Error("followed a link in a directory that everybody may write to")
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Lchown(filepath.Join(open, "link"), 12, 34); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Compare([]Target{target(path, "x")}); err == nil {
		t.Error("followed a link of another user")
	}
}

// What chattr fixed is refused before anything is staged: a file in an append-only directory could
// not even be taken away again.
func TestFixedIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can fix a file")
	}
	for _, tt := range []struct {
		on   string
		flag uint32
	}{{"f", immutable}, {"f", appendOnly}, {".", appendOnly}, {".", immutable}} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		write(t, path, "old", 0o600)
		release := fix(t, filepath.Join(dir, tt.on), tt.flag)
		_, err := machine.Compare([]Target{target(path, "new")})
		release()
		if err == nil || !strings.Contains(err.Error(), "immutable or append-only") {
			t.Errorf("flag %#x on %s: %v", tt.flag, tt.on, err)
		}
	}
}

// Flags of ioctl_iflags(2).
const (
	immutable  = 0x10
	appendOnly = 0x20
)

// fix sets a flag of a file, until release.
func fix(t *testing.T, path string, flag uint32) (release func()) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(f.Fd())
	flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(flags|flag))
	}
	if err != nil {
		t.Skipf("%s: %v", path, err)
	}
	return func() {
		if err := errors.Join(unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(flags)), f.Close()); err != nil {
			t.Error(err)
		}
	}
}
