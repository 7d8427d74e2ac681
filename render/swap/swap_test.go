package swap

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

var (
	key     = Key{1, 2, 3}
	machine = NewMachine(disk.Host, key, nil)
)

func compare(t *testing.T, targets ...Target) *Swap {
	t.Helper()
	s, err := machine.Compare(targets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func target(path, content string) Target {
	return Target{Path: path, Content: []byte(content), UID: Keep, GID: Keep, Mode: 0o600, KeepMode: true}
}

func states(s *Swap) []State {
	var list []State
	s.Files(func(_ string, state State) { list = append(list, state) })
	return list
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	st, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Mode()
}

func TestCommitReplacesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	crt, key := filepath.Join(dir, "site.crt"), filepath.Join(dir, "site.key")
	write(t, crt, "old", 0o644)
	s := compare(t, target(crt, "new"), target(key, "secret"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, crt); got != "old" {
		t.Errorf("before Commit %s holds %q", crt, got)
	}
	staged := s.Staged(key)
	if got := read(t, staged); got != "secret" {
		t.Errorf("staged file holds %q", got)
	}
	if base := filepath.Base(staged); filepath.Dir(staged) != dir || base[0] != '.' || filepath.Ext(base) == ".key" {
		t.Errorf("staged as %s; it must be hidden, beside its destination, without an ending", staged)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if diff := cmp.Diff([]string{"site.crt", "site.key"}, names(t, dir)); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	if read(t, crt) != "new" || read(t, key) != "secret" {
		t.Error("contents are not the new ones")
	}
	if mode(t, crt) != 0o644 || mode(t, key) != 0o600 {
		t.Errorf("modes %v and %v; want the old file's 0644 kept and 0600 for the new one", mode(t, crt), mode(t, key))
	}
}

func TestCompareTellsStates(t *testing.T) {
	dir := t.TempDir()
	same, differs, drifted := filepath.Join(dir, "same"), filepath.Join(dir, "differs"), filepath.Join(dir, "drifted")
	write(t, same, "x", 0o640)
	write(t, differs, "x", 0o640)
	write(t, drifted, "x", 0o666)
	fixed := target(drifted, "x")
	fixed.KeepMode, fixed.Mode = false, 0o640
	s := compare(t, target(same, "x"), target(differs, "y"), fixed, target(filepath.Join(dir, "new"), ""))
	if diff := cmp.Diff([]State{Same, Differs, Drifted, NotThere}, states(s)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{differs, filepath.Join(dir, "new")}, s.Changed()); diff != "" {
		t.Errorf("Changed (-want +got):\n%s", diff)
	}
	if err := errors.Join(s.Stage(), s.Commit()); err != nil {
		t.Fatal(err)
	}
	if mode(t, drifted) != 0o640 {
		t.Errorf("drifted mode is %v after Commit", mode(t, drifted))
	}
}

func TestUnchangedFileIsNotTouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "x", 0o600)
	before, _ := os.Stat(path)
	s := compare(t, target(path, "x"))
	if !s.Idle() {
		t.Fatal("not idle")
	}
	if err := errors.Join(s.Stage(), s.Commit()); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(path)
	if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Error("the file was written")
	}
	if len(s.Renames()) != 0 {
		t.Errorf("renames: %v", s.Renames())
	}
}

func TestCloseWithoutCommitLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s := compare(t, target(filepath.Join(dir, "a"), "x"), target(filepath.Join(dir, "b"), "y"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if len(names(t, dir)) != 2 {
		t.Fatalf("staged: %v", names(t, dir))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRefusedDestinations(t *testing.T) {
	dir := t.TempDir()
	link, sub, fifo := filepath.Join(dir, "link"), filepath.Join(dir, "sub"), filepath.Join(dir, "fifo")
	lost := filepath.Join(dir, "lost")
	if err := errors.Join(os.Symlink("link", link), os.Symlink("no/f", lost), os.Mkdir(sub, 0o755), mkfifo(fifo)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		link:                          "lead in a circle",
		lost:                          "does not exist; make it, or set dir_mode",
		sub:                           "is a directory",
		fifo:                          "is a device, pipe or socket",
		filepath.Join(dir, "no", "f"): "does not exist; make it, or set dir_mode",
		filepath.Join(fifo, "f"):      "not a directory",
	} {
		_, err := machine.Compare([]Target{target(path, "x")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", path, err, want)
		}
	}
}

func TestMissingDirectoriesGetDirMode(t *testing.T) {
	dir := t.TempDir()
	f := target(filepath.Join(dir, "a", "b", "f"), "x")
	f.DirMode = 0o750
	s := compare(t, f)
	if err := errors.Join(s.Stage(), s.Commit()); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"a", "a/b"} {
		if got := mode(t, filepath.Join(dir, d)); got != fs.ModeDir|0o750 {
			t.Errorf("%s has mode %v", d, got)
		}
	}
}

func TestRollForwardFinishesWhatACrashCutShort(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	s := compare(t, target(a, "A"), target(b, "B"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	list := s.Renames()
	if err := os.Rename(list[0].Temp, a); err != nil { // and there the crash is
		t.Fatal(err)
	}
	todo, _, err := machine.Pending(list)
	if err != nil || len(todo) != 1 || todo[0].Path != b {
		t.Fatalf("pending: %v, %v", todo, err)
	}
	if err := machine.RollForward(todo); err != nil {
		t.Fatal(err)
	}
	if read(t, a) != "A" || read(t, b) != "B" {
		t.Error("not finished")
	}
	if todo, _, err = machine.Pending(list); err != nil || len(todo) != 0 {
		t.Errorf("still pending: %v, %v", todo, err)
	}
}

func TestDamagedTemporaryIsNotRolledForward(t *testing.T) {
	dir := t.TempDir()
	s := compare(t, target(filepath.Join(dir, "a"), "AAAA"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	list := s.Renames()
	write(t, list[0].Temp, "AA", 0o600)
	if todo, _, err := machine.Pending(list); err != nil || len(todo) != 0 {
		t.Errorf("pending: %v, %v", todo, err)
	}
}

func TestSweepRemovesOnlyOurTemporaries(t *testing.T) {
	dir := t.TempDir()
	s := compare(t, target(filepath.Join(dir, "a"), "x"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Base(s.Staged(filepath.Join(dir, "a")))
	foreign := []string{
		".rendered-" + strings.Repeat("0", 32),
		".rendered-backup",
		Key{9}.tempName(dir, 0),
		key.tempName("/another/directory", 0),
		key.tempName(dir, 0), // is spared
	}
	for _, name := range foreign {
		write(t, filepath.Join(dir, name), "mine", 0o600)
	}
	spare := func() (map[string]bool, error) { return map[string]bool{filepath.Join(dir, foreign[4]): true}, nil }
	if err := NewMachine(disk.Host, key, nil).Sweep([]string{filepath.Join(dir, "a"), filepath.Join(dir, "missing", "a")}, spare); err != nil {
		t.Fatal(err)
	}
	left := strings.Join(names(t, dir), " ")
	if strings.Contains(left, ours) {
		t.Errorf("%s is still there", ours)
	}
	for _, name := range foreign {
		if !strings.Contains(left, name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// What this process is at work on stays, whoever sweeps the directory.
func TestSweepLeavesOthersAtWork(t *testing.T) {
	dir := t.TempDir()
	machine := NewMachine(disk.Host, key, nil)
	stage := func(name string) *Swap {
		s, err := machine.Compare([]Target{target(filepath.Join(dir, name), "x")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if err := s.Stage(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	left := key.tempName(dir, 0)
	write(t, filepath.Join(dir, left), "of a crash", 0o600)
	a, b := stage("a"), stage("b")
	if err := machine.Sweep([]string{filepath.Join(dir, "a")}, nothing); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 2 || slices.Contains(got, left) {
		t.Errorf("left are %v", got)
	}
	if err := errors.Join(b.Commit(), b.Close(), a.Close()); err != nil {
		t.Fatal(err)
	}
	for path := range machine.register.temporaries.paths.Range {
		t.Errorf("%s is in the register at last", path)
	}
}

// nothing is spared.
func nothing() (map[string]bool, error) { return nil, nil }

func TestDigestsAndKey(t *testing.T) {
	if key.Digest("/a", []byte("x")) == key.Digest("/b", []byte("x")) || key.Digest("/a", []byte("x")) == (Key{}).Digest("/a", []byte("x")) {
		t.Error("a digest depends on path and key")
	}
	state := t.TempDir()
	dir, err := disk.Host.Open(state)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	first, _, err := LoadKey(disk.Host, dir)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := LoadKey(disk.Host, dir)
	if err != nil || again != first || first == (Key{}) {
		t.Errorf("key is not kept: %v", err)
	}
	if mode(t, filepath.Join(state, keyFile)) != 0o600 {
		t.Error("the key is readable by others")
	}
}

// What was done to a staged file is noticed.
func TestIntact(t *testing.T) {
	for name, harm := range map[string]func(staged string) error{
		"nothing": func(string) error { return nil },
		"content": func(staged string) error { return os.WriteFile(staged, []byte("xen"), 0) },
		"length":  func(staged string) error { return os.WriteFile(staged, []byte("newer"), 0) },
		"mode":    func(staged string) error { return os.Chmod(staged, 0o777) },
		"removed": os.Remove,
		"a link":  func(staged string) error { return errors.Join(os.Remove(staged), os.Symlink("f", staged)) },
		"a pipe":  func(staged string) error { return errors.Join(os.Remove(staged), mkfifo(staged)) },
		"same anew": func(staged string) error {
			return errors.Join(os.Remove(staged), os.WriteFile(staged, []byte("new"), 0o600))
		},
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, "old", 0o600)
		s := compare(t, target(path, "new"))
		if err := s.Stage(); err != nil {
			t.Fatal(err)
		}
		if err := harm(s.Staged(path)); err != nil {
			t.Fatal(err)
		}
		if err := s.Intact(); (err == nil) != (name == "nothing" || name == "same anew") || err != nil && !strings.Contains(err.Error(), path+": a check wrote to the new file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mkfifo(path string) error { return unix.Mkfifo(path, 0o600) }
