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
	const text = `services:
  web:
    files: [{content: x, path: a}, {content: x, path: b, mode: 0600}]
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
		return plan.Services[0].Fingerprint
	}
	first := print(text)
	if print(text) != first {
		t.Error("the same service has another fingerprint")
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
