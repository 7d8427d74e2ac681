package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/pages"
)

// What docs/operating.md shows of the verbs that ask nobody is what they say, and fits a screen of
// 80 columns but for names that are longer.
func TestOperatingShowsWhatIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/operating")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RENDERED_CONFIG", filepath.Join(dir, "rendered.yaml"))
	blocks := pages.Claimed(t)
	for _, b := range blocks {
		command, says, found := strings.Cut(strings.TrimPrefix(b.Text, "$ rendered "), "\n")
		if !found {
			t.Fatalf("%v: it shows no verb", b)
		}
		var said bytes.Buffer
		run(strings.Fields(command), &said, &said)
		if said.String() != says {
			t.Errorf("%v: %s says\n%s", b, command, &said)
		}
		for line := range strings.Lines(says) {
			if !strings.Contains(line, "arn:") && !strings.HasPrefix(line, "warning: ") && len(line) > 80+len("\n") {
				t.Errorf("%v: a line of %d columns: %s", b, len(line), line)
			}
		}
	}
	if len(blocks) < 5 {
		t.Errorf("it shows %d", len(blocks))
	}
}
