package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// quoting is a function that quotes a value, where a template pipes one through it.
var quoting = regexp.MustCompile(` \| (?:\w+Quote|toJson|dotenv)\b`)

// regressions are ways in which a template goes wrong: what it gives is another text, and as a rule
// one that no reader refuses.
var regressions = map[string]func(template string) string{
	"a value is not quoted":      func(t string) string { return replaceFirst(t, quoting, "") },
	"a line is gone":             func(t string) string { _, rest, _ := strings.Cut(t, "\n"); return rest },
	"the last line does not end": unended,
	"another key":                func(t string) string { return strings.Replace(t, `"password"`, `"username"`, 1) },
	"the wrong part of a pair":   func(t string) string { return strings.NewReplacer(`"cert"`, `"key"`, `"key"`, `"cert"`).Replace(t) },
	"another condition":          func(t string) string { return strings.Replace(t, "{{ if and", "{{ if or", 1) },
	"a text of its own":          func(t string) string { return strings.Replace(t, "localhost", "127.0.0.1", 1) },
	"another default":            func(t string) string { return strings.NewReplacer(`"info"`, `"debug"`, `"60s"`, `"6s"`).Replace(t) },
	"a word of the file":         func(t string) string { return strings.NewReplacer("listen", "listn", "password", "pasword").Replace(t) },
}

// unended takes the end of the last line away, where that is not trimmed anyway.
func unended(template string) string {
	if strings.HasSuffix(template, "-}}\n") {
		return template
	}
	return strings.TrimSuffix(template, "\n")
}

func replaceFirst(text string, pattern *regexp.Regexp, with string) string {
	at := pattern.FindStringIndex(text)
	if at == nil {
		return text
	}
	return text[:at[0]] + with + text[at[1]:]
}

// The cases of every recipe pass, and find each regression that is planted in its templates.
func TestRecipesFindRegressions(t *testing.T) {
	t.Parallel()
	recipes(t, func(t *testing.T, r recipe) {
		dir := begun(t, filepath.Base(r.from))
		if said := in(t, dir, "test"); strings.Contains(said, "failed") {
			t.Errorf("test says\n%s", said)
		}
		for name, text := range r.files {
			if !strings.HasSuffix(name, ".tmpl") {
				continue
			}
			planted := 0
			for what, plant := range regressions {
				bad := plant(text)
				if bad == text {
					continue
				}
				planted++
				write(t, filepath.Join(dir, name), bad)
				cmd := exec.CommandContext(t.Context(), program(t), "test")
				cmd.Dir = dir
				if said, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(said), " failed\n") || !strings.Contains(string(said), strings.TrimSuffix(name, ".tmpl")) {
					t.Errorf("%s: %s is not found: %v\n%s", name, what, err, said)
				}
			}
			if planted < 2 {
				t.Errorf("%s: only %d regressions were planted", name, planted)
			}
			write(t, filepath.Join(dir, name), text)
		}
	})
}

// Two hundred cases take about a second, though each has its own vars.
func TestManyCases(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const files, each = 10, 20
	config, lines := "services:\n", ""
	for i := range 50 {
		lines += fmt.Sprintf("{{ if .n }}\"x%d\": {{ param \"/x\" | toJson }},{{ end }}\n", i)
	}
	for i := range files {
		config += fmt.Sprintf("  s%d: {files: [{template: t%d.tmpl, path: /etc/%d.json, format: json}]}\n", i, i, i)
		write(t, filepath.Join(dir, fmt.Sprintf("t%d.tmpl", i)), "{\n"+lines+"\"n\": {{ .n }}, \"p\": {{ secret \"db\" \"password\" | toJson }}}\n")
		cases := "values: {secrets: {db: {password: p}}, params: {/x: y}}\ncases:\n"
		for n := range each {
			cases += fmt.Sprintf("  - {name: case %d, vars: {n: %d}, golden: golden/%d-%d}\n", n, n, i, n)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("t%d.test.yaml", i)), cases)
	}
	write(t, filepath.Join(dir, "rendered.yaml"), config)
	in(t, dir, "test", "--update")
	begun := time.Now()
	if said := in(t, dir, "test"); said != fmt.Sprintf("%d cases in %d files\n", files*each, files) {
		t.Error(said)
	}
	took := time.Since(begun)
	t.Logf("%d cases take %v", files*each, took)
	if took > 10*time.Second && os.Getenv("CI") == "" && !raceDetector { // a machine that is shared is slow
		t.Errorf("they take %v", took)
	}
}
