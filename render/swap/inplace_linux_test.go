package swap

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A file that is written in place keeps its inode, and what a crash cut short is written again from
// the temporary.
func TestInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "old and longer", 0o644)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	next := Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, Mode: 0o640, InPlace: true}
	s := compare(t, next)
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	list := s.Renames()
	write(t, path, "ne", 0o644) // a crash in the middle of it
	todo, unsure, err := machine.Pending(list)
	if err != nil || unsure || len(todo) != 1 || !todo[0].InPlace {
		t.Fatalf("%+v, %v, %v", todo, unsure, err)
	}
	if err := machine.RollForward(todo); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || read(t, path) != "new" || after.Mode() != 0o640 {
		t.Errorf("%q, mode %v, the same file: %v; %v", read(t, path), after.Mode(), os.SameFile(before, after), err)
	}
	if todo, unsure, err := machine.Pending(list); err != nil || unsure || len(todo) != 0 {
		t.Errorf("still to do: %v %v %v", todo, unsure, err)
	}
	if left := names(t, filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	if !compare(t, next).Idle() {
		t.Error("the second time it differs")
	}
}

// One that is not there yet has no place, and is made as any other.
func TestInPlaceOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	s := compare(t, Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, Mode: 0o600, InPlace: true})
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if list := s.Renames(); list[0].InPlace {
		t.Error("it is to be written in place")
	}
	if err := s.Commit(); err != nil || read(t, path) != "new" {
		t.Errorf("%q, %v", read(t, path), err)
	}
}

// A file that is taken away before it could be written in its place is made anew: a swap that is on
// record does not wait for it for ever.
func TestInPlaceOfWhatIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "old", 0o644)
	s := compare(t, Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, Mode: 0o640, InPlace: true})
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := machine.RollForward(s.Renames()); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || read(t, path) != "new" || st.Mode() != 0o640 || len(names(t, filepath.Dir(path))) != 1 {
		t.Errorf("%v, %v, in a directory with %v", st, err, names(t, filepath.Dir(path)))
	}
}

// A file that is mounted by itself can only be written in place.
func TestMountedFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting takes root")
	}
	dir := t.TempDir()
	path, from := filepath.Join(dir, "f"), filepath.Join(dir, "from")
	write(t, path, "", 0o600)
	write(t, from, "old", 0o600)
	if err := unix.Mount(from, path, "", unix.MS_BIND, ""); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	next := Target{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, KeepMode: true}
	if _, err := machine.Compare([]Target{next}); err == nil || !strings.Contains(err.Error(), "set write: in-place") {
		t.Errorf("%v", err)
	}
	next.InPlace = true
	s := compare(t, next)
	if err := errors.Join(s.Stage(), s.Commit()); err != nil {
		t.Fatal(err)
	}
	if read(t, from) != "new" {
		t.Errorf("%q", read(t, from))
	}
}

// On a full disk a file that is written in place stays whole, and is written when there is room.
func TestInPlaceOnAFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting takes root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	path, ballast := filepath.Join(dir, "f"), filepath.Join(dir, "ballast")
	old, content := strings.Repeat("o", 5000), strings.Repeat("n", 20000)
	write(t, path, old, 0o640)
	s := compare(t, Target{Path: path, Content: []byte(content), UID: Keep, GID: Keep, Mode: 0o600, InPlace: true})
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	list := s.Renames()
	write(t, ballast, strings.Repeat("b", 30000), 0o600)
	if err := s.Commit(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v, want %v", err, unix.ENOSPC)
	}
	if read(t, path) != old || mode(t, path) != 0o640 {
		t.Errorf("%d bytes, mode %v; want the old file", len(read(t, path)), mode(t, path))
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	todo, unsure, err := machine.Pending(list)
	if err != nil || unsure || len(todo) != 1 {
		t.Fatalf("%+v, %v, %v", todo, unsure, err)
	}
	if err := machine.RollForward(todo); err != nil || read(t, path) != content {
		t.Errorf("%d bytes, %v", len(read(t, path)), err)
	}
}

// What may be half written is written once more, though the others of its swap are lost; what is
// renamed is left as it is then.
func TestHalfWrittenBesideWhatIsLost(t *testing.T) {
	for _, inPlace := range []bool{true, false} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "f"), "old", 0o600)
		write(t, filepath.Join(dir, "g"), "old", 0o600)
		f := target(filepath.Join(dir, "f"), "new")
		f.InPlace = inPlace
		s := compare(t, f, target(filepath.Join(dir, "g"), "new"))
		if err := s.Stage(); err != nil {
			t.Fatal(err)
		}
		list := s.Renames()
		if err := os.Remove(list[1].Temp); err != nil {
			t.Fatal(err)
		}
		if todo, unsure, err := machine.Pending(list); err != nil || !unsure || len(todo) == 1 != inPlace {
			t.Errorf("in place: %v: to do %v, %v, %v", inPlace, todo, unsure, err)
		}
	}
}
