package plan

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/fault"
)

// Hosts name a service the same however its config is written, and however its changes go through
// the fleet: where that is edited, what was halted stays so.
func TestIdentity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rendered.yaml")
	const text = `fleet: {table: rendered, name: prod}
vars: {color: green}
services:
  web:
    files: [{content: "{{ .color }}", path: a}]
    healthy: [{tcp: "b:1"}]
    rollout: {group: web, max_unavailable: 2}
`
	identity := func(old, new string) string {
		write(t, path, strings.Replace(text, old, new, 1))
		_, plan, err := NewCompiler(Options{Config: path, Reach: ToValues}).Load(t.Context(), config.Machine)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Services[0].Identity
	}
	first := identity("", "")
	for old, new := range map[string]string{
		"max_unavailable: 2": "max_unavailable: 10%, bake: 5m, after_max_wait: hold",
		"group: web, ":       "",
		"    rollout: {group: web, max_unavailable: 2}\n": "    rollout:\n      group: other\n",
		"{content: \"{{ .color }}\", path: a}":            "{path: a, content: '{{ .color }}'}",
		"services:\n":                                     "state_dir: elsewhere\nservices:\n",
	} {
		if identity(old, new) != first {
			t.Errorf("with %q in the place of %q it is another", new, old)
		}
	}
	for old, new := range map[string]string{"green": "red", "path: a": "path: b", "b:1": "b:2"} {
		if identity(old, new) == first {
			t.Errorf("with %q in the place of %q it is the same", new, old)
		}
	}
}

// Whatever changes about a service changes its fingerprint.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	write(t, filepath.Join(dir, "c.tmpl"), "z")
	write(t, filepath.Join(dir, "d.tmpl"), "z")
	const text = `services:
  web:
    files: [{content: x, path: a}, {content: x, path: b, mode: 0600}, {template: c.tmpl, path: c}, {content: "1\n2", path: e}]
    verify: {tls: {cert: a, key: b, host: [a.example, b.example], valid_for: 72h}}
    check: test -s a
    notify: [{run: 'true'}]
    healthy: [{http: "http://a/", status: [200]}, {tls: "b:1", cert: a}]
    healthy_for: 6s
    healthy_within: 40s
`
	print := func(text string) string {
		write(t, path, text)
		_, plan, err := NewCompiler(Options{Config: path, Reach: ToValues}).Load(t.Context(), config.Machine)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Services[len(plan.Services)-1].Fingerprint
	}
	first := print(text)
	if print(text) != first {
		t.Error("the same service has another fingerprint")
	}
	// Where the config says it does not make it another service.
	for old, new := range map[string]string{
		"services:\n":        "# a comment\n\nservices:\n",
		"  web:\n":           "  another: {files: [{content: x, path: d}]}\n  web:\n",
		"[{content: x, path": "[\n      {path: a, content:   x}, # the first\n      {content: x, path",
		"mode: 0600":         "mode:   0600",
		"content: \"1\\n2\"": "content:   \"1\\n2\"",
		"    check: test":    "    # a comment\n    check:   test",
	} {
		with := strings.Replace(text, old, new, 1)
		if strings.HasPrefix(new, "[\n") {
			with = strings.Replace(with, "{content: x, path: a}, ", "", 1)
		}
		if print(with) != first {
			t.Errorf("with %q in the place of %q the fingerprint is another", new, old)
		}
	}
	for old, new := range map[string]string{
		"content: x, path: a": "content: y, path: a",
		"template: c.tmpl":    "template: d.tmpl",
		"1\\n2":               "1\\n3",
		"0600":                "0640",
		"'true'":              "'false'",
		"cert: a, key: b":     "cert: b, key: a",
		", key: b":            "",
		"host: [a":            "host: [b",
		"[a.example, b":       "[c",
		"72h":                 "71h",
		"-s a":                "-s b",
		"http://a/":           "http://b/",
		"[200]":               "[201]",
		"cert: a}":            "cert: b}",
		`{tls: "b:1", `:       `{tls: "b:2", `,
		"6s":                  "7s",
		"40s":                 "41s",
	} {
		if print(strings.Replace(text, old, new, 1)) == first {
			t.Errorf("with %q in the place of %q the fingerprint is the same", new, old)
		}
	}
}

// What is not in the config but in a template leaves the settings as they are.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	prints := func(settings, template string) (string, string) {
		write(t, filepath.Join(dir, "c.tmpl"), template)
		write(t, path, "services:\n  web:\n    files: [{template: c.tmpl, path: c}, {content: x, path: d, "+settings+"}]\n")
		_, plan, err := NewCompiler(Options{Config: path, Reach: ToValues}).Load(t.Context(), config.Machine)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Services[0].Settings, plan.Services[0].Fingerprint
	}
	settings, print := prints("mode: 0600", "x")
	if s, p := prints("mode: 0600", "y"); s != settings || p == print {
		t.Error("another template is not told from another config")
	}
	if s, p := prints("mode: 0640", "x"); s == settings || p == print {
		t.Error("another mode is not seen")
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What concerns all services is said before what concerns one: only the first is in the status.
func TestGraveFaultsComeFirst(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "conf.d", "a.yaml"), "{{\n")
	write(t, path, "services: {b: {}}\nsetle: 1s\n")
	_, _, err := NewCompiler(Options{Config: path, Reach: ToValues}).Load(t.Context(), config.Machine)
	list, ok := err.(fault.List)
	if !ok || len(list) != 3 || !strings.Contains(list[0].What, "setle") || !strings.Contains(list[1].Place.File, "a.yaml") {
		t.Errorf("got %v", err)
	}
}
