package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/internal/pages"
)

// What docs/operating.md shows of diff is what it says after a rotation, but for the paths of the
// test and the ids of versions.
func TestDiffIsAsDocumented(t *testing.T) {
	t.Parallel()
	blocks := pages.Claimed(t)
	shown, found := strings.CutPrefix(blocks[0].Text, "$ rendered diff nginx; echo $?\n")
	shown, ended := strings.CutSuffix(shown, "1\n")
	if !found || !ended || len(blocks) != 1 {
		t.Fatalf("the page shows another diff: %q", blocks)
	}
	dir, aws := t.TempDir(), awsfake.Start(t)
	write(t, filepath.Join(dir, "rendered.yaml"), `state_dir: state
services:
  nginx:
    files: [{content: '{{ secret "prod/web/tls" "key" }}', path: etc/nginx/tls/site.key, dir_mode: 0700, check: "test -s {}"}]
    notify: [{reload: nginx.service}]
`)
	// A key has 28 lines in 1,704 bytes.
	put := func(letter string) string {
		lines := []string{"-----BEGIN PRIVATE KEY-----"}
		for range 25 {
			lines = append(lines, strings.Repeat(letter, 64))
		}
		lines = append(lines, strings.Repeat(letter, 24), "-----END PRIVATE KEY-----", "")
		key := strings.Join(lines, "\n")
		if len(key) != 1704 || len(lines) != 29 {
			t.Fatalf("the key has %d bytes in %d lines", len(key), len(lines)-1)
		}
		return aws.PutSecret("prod/web/tls", string(must(json.Marshal(map[string]string{"key": key}))))
	}
	rendered := func(words ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), program(t), append(words, "-c", "rendered.yaml")...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), aws.Env()...)
		said, _ := cmd.CombinedOutput()
		return string(said), cmd.ProcessState.ExitCode()
	}
	short := func(version string) string { return strings.Split(version, "-")[0] }
	before := put("A")
	if said, code := rendered("once", "--no-notify"); code != 0 {
		t.Fatal(said)
	}
	now := put("B")
	said, code := rendered("diff", "nginx")
	got := strings.NewReplacer(dir, "", short(before), "7c1f02aa", short(now), "e04b1c7a", "would run: test -s {};", "would run: nginx -t;").Replace(said)
	// A path of the test has less room beside it.
	got = strings.Replace(got, "site.key\n    secret", "site.key    secret", 1)
	if got != shown || code != 1 {
		t.Errorf("%d:\n%s\nthe page shows\n%s", code, got, shown)
	}
}
