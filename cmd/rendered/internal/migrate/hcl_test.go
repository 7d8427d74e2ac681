package migrate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A config of another program is bounded, whatever stands in it.
func TestConfigsAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"lists":   "a = " + strings.Repeat("[", 1<<19),
		"blocks":  strings.Repeat("a {\n", 1<<18),
		"json":    strings.Repeat(`{"a":`, 1<<17),
		"long":    strings.Repeat("a = 1\n", 1<<18),
		"within":  strings.Repeat("a {\n", maxDepth-1) + strings.Repeat("}\n", maxDepth-1),
		"open":    strings.Repeat("a {\n", maxDepth-1),
		"number":  "a = 0x",
		"heredoc": "a = <<X\n",
		"quote":   `a = "\u`,
		"empty":   "",
	} {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, failed := hclFile(path)
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s takes %v", name, took)
		}
		if want := name != "within" && name != "empty"; (failed != nil) != want {
			t.Errorf("%s: %v", name, failed)
		}
	}
}

// FuzzHCL finds configs over which the reader panics.
func FuzzHCL(f *testing.F) {
	f.Add([]byte("template {\n  source = \"a\"\n  perms = 0600\n  exec { command = [\"a\"] }\n}\nvault { retry { enabled = true } }\n"))
	f.Add([]byte(`{"template": [{"contents": "x", "destination": "/etc/x", "wait": "1s:2s"}], "wait": {"min": "1s"}}`))
	f.Add([]byte("template {\n  contents = <<-X\n    a\n    X\n  destination = \"/etc/x\"\n}\nenv_template \"A\" {}\n"))
	f.Add([]byte("template {\n  source = \"\\q\"\n  perms = 1e99999\n  destination = \"/etc/\\uZZ\"\n  command_timeout = 1e99999\n}\nwait { min = 1e99999 }\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "config.hcl")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, read := range []func(Options, *setup) error{readConsulTemplate, readVaultAgent} {
			paths, _ := readNames("")
			s := &setup{paths: paths}
			if read(Options{Program: "x", Paths: []string{path}}, s) == nil {
				_, of := s.rewriteAll(true)
				s.config("x", s.groups(), of)
			}
		}
	})
}
