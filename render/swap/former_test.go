package swap

import (
	"os"
	"path/filepath"
	"testing"
)

// A staged file holds what is in force after Former, and cannot be put in place any more; not where
// that would open it, or there is none.
func TestFormer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		old    string
		mode   os.FileMode
		former bool
	}{
		{"as it was", "old", 0o640, true},
		{"longer than the new one", "old and much longer", 0o640, true},
		{"emptied", "", 0o640, true},
		{"to be opened", "old", 0o600, false},
		{"new", "none", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if tt.mode != 0 {
				if err := os.WriteFile(path, []byte(tt.old), tt.mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, tt.mode); err != nil {
					t.Fatal(err)
				}
			}
			s, err := machine.Compare([]Target{{Path: path, Content: []byte("new"), UID: Keep, GID: Keep, Mode: 0o640}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Stage(); err != nil {
				t.Fatal(err)
			}
			staged := s.Staged(path)
			former, err := s.Former()
			if err != nil || former != tt.former {
				t.Errorf("%v, %v", former, err)
			}
			want := "new"
			if tt.former {
				want = tt.old
				if s.Commit() == nil {
					t.Error("it was put in place")
				}
			}
			if got, err := os.ReadFile(staged); err != nil || string(got) != want {
				t.Errorf("the staged file holds %q, %v", got, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if names, _ := filepath.Glob(filepath.Join(dir, ".*")); names != nil {
				t.Errorf("left is %v", names)
			}
			if got, _ := os.ReadFile(path); tt.mode != 0 && string(got) != tt.old {
				t.Errorf("the file in force holds %q", got)
			}
		})
	}
}
