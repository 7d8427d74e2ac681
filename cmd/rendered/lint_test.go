package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// What people copy gives them no warnings.
func TestExamplesGiveNoWarnings(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "conf.d"), os.DirFS("../../packaging/examples/conf.d")); err != nil {
		t.Fatal(err)
	}
	packaged := filepath.Join(dir, "rendered.yaml")
	if err := os.WriteFile(packaged, []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob("../../docs/cookbook/*/rendered.yaml")
	if len(paths) == 0 {
		t.Fatal("no cookbook")
	}
	for _, path := range append(paths, "../../testdata/quickstart/rendered.yaml", packaged) {
		var stdout, stderr bytes.Buffer
		code := run([]string{"check", "-c", path}, &stdout, &stderr)
		for line := range strings.Lines(stderr.String()) {
			if strings.HasPrefix(line, "warning: ") {
				t.Errorf("%s: %s", path, line)
			}
		}
		if os.Geteuid() != 0 && code != exitOK {
			t.Errorf("%s: exit code %d: %s", path, code, stderr.String())
		}
	}
}

// The rules are those of the document and of the help.
func TestRulesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../../packaging/man/rendered.yaml.5")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Count(string(text), "\n| `")
	if rows != len(config.Rules) {
		t.Errorf("docs/check.md has %d rules, there are %d", rows, len(config.Rules))
	}
	for _, rule := range config.Rules {
		if !strings.Contains(string(text), "\n| `"+string(rule.Name)+"` |") {
			t.Errorf("docs/check.md lacks %s", rule.Name)
		}
		if !strings.Contains(strings.ReplaceAll(string(manual), `\-`, "-"), string(rule.Name)) {
			t.Errorf("rendered.yaml(5) lacks %s", rule.Name)
		}
	}
}
