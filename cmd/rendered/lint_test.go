package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// What people copy is good, and breaks no rule. Who owns directories is the affair of the machine.
func TestExamplesGiveNoWarnings(t *testing.T) {
	examples, _ := filepath.Glob("../../docs/cookbook/*/rendered.yaml")
	if len(examples) == 0 {
		t.Fatal("no cookbook")
	}
	for _, path := range append(examples, "../../testdata/quickstart/rendered.yaml", "../../packaging/examples/rendered.yaml") {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Dir(path))); err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(dir, "rendered.yaml")
		text, err := os.ReadFile(config)
		if os.IsNotExist(err) {
			text = []byte("services: {}\n") // the packaged examples are parts
		} else if err != nil {
			t.Fatal(err)
		}
		// Not every machine knows the user postgres.
		text = bytes.ReplaceAll(text, []byte("owner: postgres:postgres"), []byte("owner: root:root"))
		if err := os.WriteFile(config, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := run([]string{"check", "-c", config}, &stdout, &stderr)
		if code != exitOK || strings.Contains(stderr.String(), "allow: [") || !strings.HasSuffix(stdout.String(), "\nok\n") {
			t.Errorf("%s: exit code %d:\n%s%s", path, code, stdout.String(), stderr.String())
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
	_, warnings, _ := strings.Cut(string(text), "\n## Warnings\n")
	warnings, _, _ = strings.Cut(warnings, "\n## ")
	rows := strings.Count(warnings, "\n| `")
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
