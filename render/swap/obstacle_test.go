package swap

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// What is no file in the place of a file that was swapped does not hold what it should; it is
// Compare that refuses it.
func TestPendingWhereAFileWas(t *testing.T) {
	for name, obstacle := range map[string]func(path string) error{
		"pipe":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink("elsewhere", path) },
	} {
		path := filepath.Join(t.TempDir(), "f")
		s := compare(t, target(path, "new"))
		if err := s.Stage(); err != nil {
			t.Fatal(err)
		}
		list := s.Renames()
		if err := errors.Join(s.Commit(), os.Remove(path), obstacle(path)); err != nil {
			t.Fatal(err)
		}
		if todo, unsure, err := machine.Pending(list); err != nil || !unsure || len(todo) != 0 {
			t.Errorf("%s: to do %v, unsure: %v; %v", name, todo, unsure, err)
		}
	}
}

// A file in the place of the directory of a file that was swapped is no error of what was recorded:
// the config may put a file there by now.
func TestRecoverWhereADirectoryWas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "f")
	s := compare(t, target(path, "new"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	list := s.Renames()
	if err := errors.Join(s.Commit(), os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if todo, unsure, err := machine.Pending(list); err != nil || !unsure || len(todo) != 0 {
		t.Errorf("to do %v, unsure: %v; %v", todo, unsure, err)
	}
	if err := errors.Join(machine.Sync(list), NewMachine(disk.Host, key, nil).Sweep([]string{path}, nothing)); err != nil {
		t.Error(err)
	}
}
