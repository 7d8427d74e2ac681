package swap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/long"
)

// Who has a file open reads what is written to it in place, whatever its mode has become. So it is
// written only where it is root's or that of its owner-to-be, and nobody else can have put it
// there.
func TestOthersHoldNothingOpen(t *testing.T) {
	top := place(t)
	for i, tt := range []struct {
		name string
		kind kind
		make func(dir, key string) error // as root
		uid  int
		good bool
	}{
		{"his file, in root's directory", kind{0, 0, 0o755, nil}, func(_, key string) error { return makeFile(key, mallory, 0o644) }, 0, false},
		{"his file, in his directory", kinds["own"], func(_, key string) error { return makeFile(key, mallory, 0o644) }, 0, false},
		{"root's file for all, in his directory", kinds["own"], func(_, key string) error { return makeFile(key, 0, 0o644) }, 0, false},
		{"root's file for all, in a sticky one", kinds["sticky"], func(_, key string) error { return makeFile(key, 0, 0o644) }, 0, false},
		{"the owner's file, where he can put it", kinds["group"], func(_, key string) error { return makeFile(key, third, 0o644) }, third, false},
		{"the owner's file, which has two names", kind{third, third, 0o755, nil}, func(dir, key string) error {
			return errors.Join(makeFile(key, third, 0o644), os.Link(key, dir+"/other"))
		}, third, false},
		{"root's file, for root alone, in a sticky one", kinds["sticky"], func(_, key string) error { return makeFile(key, 0, 0o600) }, 0, true},
		{"the owner's file, in his own directory", kind{third, third, 0o755, nil}, func(_, key string) error { return makeFile(key, third, 0o600) }, third, true},
		{"root's file, in root's directory", kind{0, 0, 0o755, nil}, func(_, key string) error { return makeFile(key, 0, 0o600) }, 0, true},
	} {
		dir := filepath.Join(top, fmt.Sprint(i))
		tt.kind.make(t, dir)
		key := filepath.Join(dir, "key")
		if err := tt.make(dir, key); err != nil {
			t.Fatal(err)
		}
		var held *os.File
		as(mallory, func() { held, _ = os.Open(key) })
		if tt.name == "his file, in his directory" {
			// What everybody may read is no secret.
			if err := swapOnce(t, Target{Path: key, Content: []byte("public"), UID: tt.uid, GID: tt.uid, Mode: 0o644, InPlace: true}); err != nil {
				t.Errorf("for all to read: %v", err)
			}
			if err := makeFile(key, mallory, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := swapOnce(t, Target{Path: key, Content: []byte("canary"), UID: tt.uid, GID: tt.uid, Mode: 0o600, InPlace: true})
		if (err == nil) != tt.good {
			t.Errorf("%s: %v", tt.name, err)
		}
		if held == nil {
			continue
		}
		if text, err := io.ReadAll(held); err != nil || bytes.Contains(text, []byte("canary")) {
			t.Errorf("%s: he reads %q, %v", tt.name, text, err)
		}
		held.Close()
	}
}

func makeFile(path string, uid int, mode fs.FileMode) error {
	return errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Chown(path, uid, uid), os.Chmod(path, mode))
}

// Who owns the directory can put another file in the place of a staged one. What is written in
// place is then not what root reads there, neither at once nor after a crash.
func TestStagedFileOfHisChoiceIsNotRead(t *testing.T) {
	top := place(t)
	private := filepath.Join(top, "private")
	write(t, private, "canary", 0o600)
	for _, crashed := range []bool{false, true} {
		dir := filepath.Join(top, fmt.Sprint(crashed))
		kinds["own"].make(t, dir)
		key := filepath.Join(dir, "key")
		if err := makeFile(key, mallory, 0o600); err != nil {
			t.Fatal(err)
		}
		s := compare(t, Target{Path: key, Content: []byte("fresh!"), UID: mallory, GID: mallory, Mode: 0o600, InPlace: true})
		if err := s.Stage(); err != nil {
			t.Fatal(err)
		}
		list := s.Renames()
		if err := errors.Join(os.Remove(list[0].Temp), os.Link(private, list[0].Temp)); err != nil {
			t.Fatal(err)
		}
		err := machine.RollForward(list)
		if !crashed {
			err = s.Commit()
		}
		if err == nil || !strings.Contains(err.Error(), "something else was put in the place") {
			t.Errorf("%v", err)
		}
		if got := read(t, key); got != "old" || mode(t, private) != 0o600 {
			t.Errorf("%q, mode of the other file %v", got, mode(t, private))
		}
	}
}

// Nor is another file renamed, as far as can be seen; and what the check of a file is given stays
// the file.
func TestStagedFileIsHeld(t *testing.T) {
	top := place(t)
	dir := filepath.Join(top, "d")
	kinds["own"].make(t, dir)
	key, other := filepath.Join(dir, "key"), filepath.Join(top, "key")
	next := Target{Path: key, Content: []byte("new"), UID: 0, GID: 0, Mode: 0o600}
	s := compare(t, next, target(other, "x"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	if held, err := s.Held(other); held != nil || err != nil {
		t.Errorf("where root alone can change the directory: %v, %v", held, err)
	}
	held, err := s.Held(key)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	aside := filepath.Join(dir, "aside")
	for what, put := range map[string]func(path string) error{
		"a link":                           func(path string) error { return os.Symlink("/etc/passwd", path) },
		"his own file, with what is known": func(path string) error { return os.WriteFile(path, []byte("new"), 0o600) },
	} {
		as(mallory, func() { err = errors.Join(os.Rename(s.Staged(key), aside), put(s.Staged(key))) })
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d", held.Fd())); err != nil || string(text) != "new" {
			t.Errorf("%s: %q, %v", what, text, err)
		}
		if again, err := s.Held(key); err == nil {
			again.Close()
			t.Errorf("%s: the check is given it", what)
		}
		if err := s.Unmoved(); err == nil {
			t.Errorf("%s: it is taken for what was staged", what)
		}
		as(mallory, func() { err = os.Rename(aside, s.Staged(key)) })
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Held(key); err != nil {
			t.Errorf("what was staged is there again: %v", err)
		} else {
			again.Close()
		}
	}
	as(mallory, func() { err = errors.Join(os.Rename(s.Staged(key), aside), os.Symlink("/etc/passwd", s.Staged(key))) })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err == nil || read(t, filepath.Join(dir, "aside")) != "new" {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(key); err == nil {
		t.Error("something else was put in its place")
	}
	if _, err := os.Lstat(other); err == nil {
		t.Error("the other file was renamed")
	}
}

// A directory by the name of a temporary, which others may have seen, holds up nothing.
func TestSweepLeavesDirectories(t *testing.T) {
	top := place(t)
	dir := filepath.Join(top, "d")
	kinds["own"].make(t, dir)
	s := compare(t, target(filepath.Join(dir, "key"), "x"))
	if err := s.Stage(); err != nil {
		t.Fatal(err)
	}
	temp := s.Staged(filepath.Join(dir, "key"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	as(mallory, func() { _ = os.Mkdir(temp, 0o700) })
	if err := NewMachine(disk.Host, key, nil).Sweep([]string{filepath.Join(dir, "key")}, nothing); err != nil {
		t.Error(err)
	}
}

// attacks is set for the test below where it is executed by the test itself.
const attacks = "RENDERED_TEST_ATTACKS"

// A user who makes, moves, links and reads whatever he can, as fast as he can, in the directory of
// a destination reads nothing of it, gets nothing of another file into it, and has no other file
// changed.
func TestOthersRace(t *testing.T) {
	if dir, calm, called := strings.Cut(os.Getenv(attacks), "|"); called {
		attack(dir, calm == "true")
		return
	}
	top := place(t)
	private := filepath.Join(top, "private")
	write(t, private, "canary of root's", 0o600)
	program := filepath.Join(top, "attacker")
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(program, self, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, k := range kinds {
		if !long.Asked() && !slices.Contains([]string{"own", "group", "sticky", "default list"}, name) {
			continue // the others are like these, and take their time
		}
		for variant := range 4 {
			inPlace, calm := variant&1 != 0, variant&2 != 0
			dir := filepath.Join(top, fmt.Sprint(name, variant))
			k.make(t, dir)
			cmd := exec.Command(program, "-test.run", "^TestOthersRace$")
			cmd.Env = append(os.Environ(), attacks+"="+dir+"|"+fmt.Sprint(calm))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: mallory, Gid: mallory}, Pdeathsig: syscall.SIGKILL}
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "key")
			good, begun := 0, time.Now()
			for i := 0; i < long.Or(60, 200) && time.Since(begun) < time.Second; i++ {
				next := Target{Path: path, Content: fmt.Appendf(nil, "canary %d", i), UID: 0, GID: 0, Mode: 0o600, InPlace: inPlace, DirMode: 0o750}
				if i%3 == 0 {
					next.UID, next.GID, next.Mode = readers, readers, 0o640
				}
				if i%5 == 0 {
					next.Path = filepath.Join(dir, "sub", "key")
				}
				if swapOnce(t, next) == nil {
					good++
				}
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if bytes.Contains(out.Bytes(), []byte("canary")) {
				t.Errorf("%s, in place %v: %s", name, inPlace, out.Bytes()[:min(out.Len(), 2000)])
			}
			if read(t, private) != "canary of root's" || mode(t, private) != 0o600 {
				t.Errorf("%s, in place %v: the file of another has changed", name, inPlace)
			}
			nobodyReads(t, name, dir)
			t.Logf("%s, in place %v, staged files alone %v: %d passes came through", name, inPlace, calm, good)
		}
	}
}

// attack does what a user may think of until it is killed, where it is calm to staged files alone.
// It prints whatever it reads.
func attack(dir string, calm bool) {
	path := func(name string) string { return filepath.Join(dir, name) }
	held := make(map[string]*os.File)
	for i := 0; ; i++ {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			name := e.Name()
			if text, err := os.ReadFile(path(name)); err == nil && e.Type().IsRegular() {
				fmt.Printf("%s: %s\n", name, text)
			}
			if strings.HasPrefix(name, tempPrefix) {
				_ = os.Link(path(name), path(fmt.Sprint("copy", i)))
				_ = os.Chmod(path(name), 0o666)
				switch i % 12 {
				case 0:
					_ = errors.Join(os.Rename(path(name), path("kept")), os.Symlink("../private", path(name)))
				case 1:
					_ = os.Link(path("../private"), path(name))
				case 2:
					_ = errors.Join(os.Rename(path(name), path("kept")), os.WriteFile(path(name), []byte("his"), 0o666))
				}
			}
		}
		for _, name := range []string{"key", "sub"} {
			if calm {
				break
			}
			_ = os.RemoveAll(path(name))
			switch i % 6 {
			case 0:
				_ = os.WriteFile(path(name), []byte("his"), 0o666)
				if f, err := os.OpenFile(path(name), os.O_RDWR, 0); err == nil {
					if before := held[name]; before != nil {
						before.Close()
					}
					held[name] = f
				}
			case 1:
				_ = os.Symlink("../private", path(name))
			case 2:
				_ = errors.Join(os.Mkdir(path(name), 0o777), os.Chmod(path(name), 0o777))
			case 3:
				_ = os.Symlink(".", path(name))
			case 4:
				_ = syscall.Mkfifo(path(name), 0o666)
			}
		}
		for name, f := range held {
			text := make([]byte, 100)
			n, _ := f.ReadAt(text, 0)
			fmt.Printf("held %s: %s\n", name, text[:n])
		}
	}
}
