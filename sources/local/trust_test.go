package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

// Root takes no values from a file that others can change by now, or lead to, whoever could when
// the config was read.
func TestValuesOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	for _, tt := range []struct {
		name   string
		change func(path string) error
		reads  bool
	}{
		{"root's", func(string) error { return nil }, true},
		{"everybody's", func(path string) error { return os.Chmod(path, 0o666) }, false},
		{"another's", func(path string) error { return os.Chown(path, 12001, 12001) }, false},
		{"in everybody's directory", func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) }, false},
		{"behind a link of another's", func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path), os.Lchown(path, 12001, 12001))
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "secrets: {a: canary}\n")
			values := NewValues(path)
			if got := ask(t, values, "secret a"); got.Err != nil {
				t.Fatal(got.Err)
			}
			if err := tt.change(path); err != nil {
				t.Fatal(err)
			}
			got := ask(t, values, "secret a")
			if tt.reads {
				if got.Err != nil {
					t.Error(got.Err)
				}
				return
			}
			if got.Err == nil || got.Err.Reason != sources.Unavailable || !strings.Contains(got.Err.Detail, "others than root can change") || len(got.Err.Hints) != 1 {
				t.Errorf("%q, %v", got.Value.Text, got.Err)
			}
		})
	}
}
