package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// Whatever changes about a service changes its fingerprint.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rendered.yaml")
	write(t, filepath.Join(dir, "c.tmpl"), "z")
	const text = `services:
  web:
    files: [{content: x, path: a}, {content: x, path: b, mode: 0600}, {template: c.tmpl, path: c}]
    verify: {tls: {cert: a, key: b, host: [a.example, b.example], valid_for: 72h}}
    check: test -s a
    notify: [{run: 'true'}]
`
	print := func(text string) string {
		write(t, path, text)
		c := newCompiler(path, config.Options{})
		c.offline = true
		_, plan, err := c.load(t.Context())
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
		"0600":                "0640",
		"'true'":              "'false'",
		"cert: a, key: b":     "cert: b, key: a",
		", key: b":            "",
		"host: [a":            "host: [b",
		"[a.example, b":       "[c",
		"72h":                 "71h",
		"-s a":                "-s b",
	} {
		if print(strings.Replace(text, old, new, 1)) == first {
			t.Errorf("with %q in the place of %q the fingerprint is the same", new, old)
		}
	}
}
