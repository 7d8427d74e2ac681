package swap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is not emptied by mistake.
func TestNothingDoesNotReplaceSomething(t *testing.T) {
	for _, tt := range []struct {
		old, new string
		allow    bool
		refused  bool
	}{
		{"old", "", false, true},
		{"old", " \n\t", false, true},
		{"\n", "", false, true},
		{"old", "", true, false},
		{"", " \n", false, false},
		{" \n", " \n", false, false},
		{"old", "new", false, false},
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(tt.old), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := machine.Compare([]Target{{Path: path, Content: []byte(tt.new), UID: Keep, GID: Keep, KeepMode: true, AllowEmpty: tt.allow}})
		if err == nil {
			err = s.Close()
		}
		if (err != nil) != tt.refused || tt.refused && !strings.Contains(err.Error(), "allow_empty: true") {
			t.Errorf("%q by %q, allowed %v: %v", tt.old, tt.new, tt.allow, err)
		}
	}
	path := filepath.Join(t.TempDir(), "none")
	s, err := machine.Compare([]Target{{Path: path, UID: Keep, GID: Keep}})
	if err != nil {
		t.Fatalf("a new file that is empty: %v", err)
	}
	s.Close()
}
