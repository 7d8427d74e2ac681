package plan

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// A template is read to its last byte, or not at all, whatever its file says of its size.
func TestTemplateIsReadWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t")
	for size, want := range map[int]string{maxTemplate: "", maxTemplate + 1: "larger than 4 MiB"} {
		write(t, path, strings.Repeat("x", size))
		body, err := config.Machine.ReadFile(path, maxTemplate)
		if want == "" && (err != nil || len(body) != size) || want != "" && (err == nil || err.Error() != want || len(body) > 0) {
			t.Errorf("%d bytes: %d, %v", size, len(body), err)
		}
	}
	const proc = "/proc/self/mountinfo" // which says 0
	if body, err := config.Machine.ReadFile(proc, maxTemplate); err != nil || len(body) == 0 {
		t.Errorf("%q, %v", body, err)
	}
}
