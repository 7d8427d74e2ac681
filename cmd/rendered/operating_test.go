package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sessions are what a page shows of a terminal: a command, and what it says.
var sessions = regexp.MustCompile("(?ms)^```console\n\\$ rendered ([^\n|>]*)\n(.*?)^```$")

// offline are the verbs that read the config alone.
var offline = regexp.MustCompile(`^(?:lookups|uses|iam-policy)\b`)

// What docs/operating.md shows of the verbs that ask nobody is what they say, and fits a screen of
// 80 columns but for names that are longer.
func TestOperatingShowsWhatIsSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/operating")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RENDERED_CONFIG", filepath.Join(dir, "rendered.yaml"))
	shown := 0
	page, _, _ := strings.Cut(documents(t)[filepath.Join(root, "docs/operating.md")], "\n# Seven questions\n") // which systemd's test asks
	for _, m := range sessions.FindAllStringSubmatch(page, -1) {
		if !offline.MatchString(m[1]) {
			continue
		}
		shown++
		var said bytes.Buffer
		run(strings.Fields(m[1]), &said, &said)
		if said.String() != m[2] {
			t.Errorf("%s says\n%s", m[1], &said)
		}
		for line := range strings.Lines(m[2]) {
			if !strings.Contains(line, "arn:") && !strings.HasPrefix(line, "warning: ") && len(line) > 80+len("\n") {
				t.Errorf("%s: a line of %d columns: %s", m[1], len(line), line)
			}
		}
	}
	if shown < 5 {
		t.Errorf("it shows %d", shown)
	}
}
