package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/printable"
)

// What a terminal would obey is not written to it, wherever it comes from.
func TestNothingDirectsTheTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n": "plain\ttext\n", "Grüße, 密码 ‹value› ✓": "Grüße, 密码 ‹value› ✓", "\x1b[2J\x1b]0;t\a": `\x1b[2J\x1b]0;t\x07`, "a\rb\bc\x00\x7f": `a\x0db\x08c\x00\u007f`,
		"\u009b31m": `\u009b31m`, "\u202eevil\u2066": `\u202eevil\u2066`, "\xff\xc3": `\xff\xc3`, "a\u2028b\u200f": `a\u2028b\u200f`, "\U000e0001": `\udb40\udc01`,
	} {
		if got := printable.Escape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "no\x1b[2Jsuch.tmpl"), `{{ secret "\u001b[2J" }}`)
	write(t, filepath.Join(dir, "values.yaml"), "secrets: {s: a-Canary-0}\n")
	write(t, filepath.Join(dir, "rendered.yaml"), `
values: values.yaml
state_dir: state
services:
  check: {files: [{content: x, path: out1, check: {run: 'printf "\033[31mred\033[0m\r"; cat {}; exit 1', output: show}}]}
  run: {files: [{content: '{{ secret "s" }}', path: out}], notify: [{run: 'printf "\033]0;title\007"; cat out'}]}
  shown: {files: [{content: x, path: third}], notify: [{run: 'printf "\033[5m"', output: show}]}
`)
	for _, verb := range []string{"check", "once"} {
		var out, errs strings.Builder
		run([]string{verb, "-c", filepath.Join(dir, "rendered.yaml")}, &out, &errs)
		if text := out.String() + errs.String(); strings.ContainsAny(text, "\x1b\r\a") || verb == "once" && strings.Count(text, `\x1b`) < 4 {
			t.Errorf("%s: %q", verb, text)
		}
	}
	if err := os.Rename(filepath.Join(dir, "rendered.yaml"), filepath.Join(dir, "x\x1b[1m.yaml")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	run([]string{"check", "-c", filepath.Join(dir, "no\x1b[1m.yaml")}, &out, &out)
	run([]string{"once", "-c", filepath.Join(dir, "x\x1b[1m.yaml"), "no\x1b[1m"}, &out, &out)
	if strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), `\x1b`) {
		t.Errorf("%q", out.String())
	}
}
