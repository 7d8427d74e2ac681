package swap

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

// A removal that was recorded is done by whoever finishes the swap, once: what somebody has put
// there meanwhile stays.
func TestRemovalIsFinished(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(path string) error
		todo      bool
		left      string
	}{
		"as it was":        {func(string) error { return nil }, true, ""},
		"removed already":  {os.Remove, false, ""},
		"another's":        {func(path string) error { return os.WriteFile(path, []byte("another"), 0o600) }, false, "another"},
		"a link":           {func(path string) error { return errors.Join(os.Remove(path), os.Symlink("kept", path)) }, false, "kept"},
		"a directory":      {func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, false, ""},
		"without its home": {func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			path := filepath.Join(dir, "gone")
			if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(path, []byte("old"), 0o600), os.WriteFile(filepath.Join(dir, "kept"), []byte("kept"), 0o600)); err != nil {
				t.Fatal(err)
			}
			m := NewMachine(disk.Host, Key{1}, nil)
			s, err := m.Compare([]Target{{Path: path, Gone: Remove}})
			if err != nil || s.Idle() || !slices.Equal(s.Changed(), []string{path}) {
				t.Fatal(err, s.Changed())
			}
			if err := s.Stage(); err != nil {
				t.Fatal(err)
			}
			list := s.Renames()
			if err := s.Close(); err != nil { // it was killed
				t.Fatal(err)
			}
			if err := c.meanwhile(path); err != nil {
				t.Fatal(err)
			}
			todo, unsure, err := m.Pending(list)
			if err != nil || unsure || (len(todo) == 1) != c.todo {
				t.Errorf("to do are %v, unsure %v: %v", todo, unsure, err)
			}
			if err := errors.Join(m.RollForward(todo), m.Discard(list), m.Sync(list)); err != nil {
				t.Error(err)
			}
			if content, err := os.ReadFile(path); err == nil && string(content) != c.left || os.IsNotExist(err) && c.left != "" {
				t.Errorf("left is %q, want %q", content, c.left)
			}
		})
	}
}

// What is removed is the name itself, link or not; what is no file of ours is refused, and what is
// not there is nothing to do.
func TestRemove(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(in("file"), []byte("x"), 0o600), os.WriteFile(in("target"), []byte("y"), 0o600), os.Symlink("target", in("link")), os.WriteFile(in("left"), []byte("z"), 0o600), os.Mkdir(in("directory"), 0o700)); err != nil {
		t.Fatal(err)
	}
	var steps []string
	m := NewMachine(faulty.System(disk.Host, func(s faulty.Step) error {
		steps = append(steps, s.Op+" "+filepath.Base(s.Path))
		return nil
	}), Key{1}, nil)
	if s, err := m.Compare([]Target{{Path: in("directory"), Gone: Remove}}); err == nil {
		t.Errorf("a directory would be removed: %v", s.Changed())
	} else if !strings.HasSuffix(err.Error(), "/directory is to be removed, and is a directory, which somebody else has made; move it elsewhere") {
		t.Errorf("a directory that is to be removed: %v", err)
	}
	s, err := m.Compare([]Target{
		{Path: in("new"), Content: []byte("new"), Mode: 0o600, UID: Keep, GID: Keep},
		{Path: in("file"), Gone: Remove}, {Path: in("link"), Gone: Remove}, {Path: in("absent"), Gone: Remove}, {Path: in("none/absent"), Gone: Remove},
		{Path: in("left"), Gone: Leave}, {Path: in("absent too"), Gone: Leave},
	})
	if err != nil {
		t.Fatal(err)
	}
	states := make(map[string]State)
	s.Files(func(path string, state State) { states[filepath.Base(path)] = state })
	if len(states) != 4 || states["new"] != NotThere || states["file"] != Removed || states["link"] != Removed || states["left"] != Left {
		t.Errorf("states are %v", states)
	}
	if err := errors.Join(s.Stage(), s.Commit(), s.SyncAll(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = m.Compare([]Target{{Path: in("file"), Gone: Remove}})
	if err != nil {
		t.Fatal(err)
	}
	steps = nil
	if err := errors.Join(s.Stage(), s.Commit(), s.Close()); err != nil || steps[len(steps)-1] != "sync "+filepath.Base(dir) || slices.Index(steps, "remove file") < 0 {
		t.Errorf("alone it is removed by %v: %v", steps, err)
	}
	entries, _ := os.ReadDir(dir)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, []string{"directory", "left", "new", "target"}) {
		t.Errorf("left are %v", left)
	}
}
