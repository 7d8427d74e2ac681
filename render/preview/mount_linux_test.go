package preview

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A path that leads through a link, or to one, is not opened.
func TestOpenFollowsNoLink(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "a/b"), 0o700),
		os.WriteFile(filepath.Join(dir, "a/b/file"), nil, 0o600),
		os.Symlink("a", filepath.Join(dir, "link")),
		os.Symlink("file", filepath.Join(dir, "a/b/link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path  string
		flags int
		want  error
	}{
		{"a/b/file", unix.O_PATH, nil},
		{"a/b", unix.O_RDONLY | unix.O_DIRECTORY, nil},
		{"a/b/gone", unix.O_PATH, unix.ENOENT},
		{"a/gone/file", unix.O_PATH, unix.ENOENT},
		{"link/b/file", unix.O_PATH, unix.ENOTDIR},
		{"a/b/link", unix.O_PATH, unix.ELOOP},
		{"a/b/link", unix.O_RDONLY, unix.ELOOP},
	} {
		fd, err := open(filepath.Join(dir, c.path), c.flags)
		if err != c.want {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
		if err == nil {
			unix.Close(fd)
		}
	}
	root, err := open("/", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(root)
}
