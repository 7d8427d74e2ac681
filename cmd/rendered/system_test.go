package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Elsewhere than on Linux a verb either works or says that it needs Linux, and what to do instead.
func TestElsewhere(t *testing.T) {
	defer func(was string) { system = was }(system)
	system = "darwin"
	t.Setenv("RENDERED_SOCKET", "")
	dir := filepath.Join(t.TempDir(), "site")
	said := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(args, &out, &out)
		return code, out.String()
	}
	config := filepath.Join(dir, "rendered.yaml")
	for _, args := range [][]string{
		{"init", "nginx-tls", dir},
		{"version"},
		{"check", "-c", config},
		{"render", "-c", config, "nginx-tls"},
		{"test", dir},
		{"once", "-c", config, "--root", t.TempDir()},
		{"schema"},
		{"functions", "secret"},
	} {
		if code, out := said(args...); code != exitOK {
			t.Errorf("%v: %d, %s", args, code, out)
		}
	}
	needs := make(map[string]bool)
	for _, tt := range []struct {
		args []string
		code int
	}{
		{[]string{"run"}, 1}, {[]string{"run", "--root", dir}, 1}, {[]string{"once"}, 1}, {[]string{"diff"}, 2},
		{[]string{"history"}, 2}, {[]string{"pause", "a"}, 2}, {[]string{"refresh"}, 2}, {[]string{"reload"}, 2}, {[]string{"resume", "a"}, 2}, {[]string{"status"}, 2}, {[]string{"wait"}, 2},
	} {
		needs[tt.args[0]] = true
		code, out := said(tt.args...)
		if first, hint, _ := strings.Cut(out, "\n"); code != tt.code || !strings.HasPrefix(first, "error: rendered "+tt.args[0]+" needs Linux: ") || hint == "" {
			t.Errorf("%v: %d, %s", tt.args, code, out)
		}
	}
	for verb := range demands {
		if !needs[verb] {
			t.Errorf("nobody tries %s", verb)
		}
	}
	if code, out := said("diff", "-c", config, "--root", t.TempDir()); code != exitFailed || !strings.Contains(out, "/etc/nginx/tls/site.key") {
		t.Errorf("diff --root: %d, %s", code, out)
	}
	// What the verbs of a fleet ask is a table, from wherever.
	if code, out := said("fleet", "status", "-c", config); code != exitFailed || !strings.Contains(out, "there is no fleet: in the config") {
		t.Errorf("fleet status: %d, %s", code, out)
	}
	// A daemon's socket may have been brought here.
	t.Setenv("RENDERED_SOCKET", filepath.Join(dir, "none.sock"))
	if code, out := said("status"); code != exitNoDaemon || strings.Contains(out, "needs Linux") {
		t.Errorf("%d, %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("something was written that nobody asked for")
	}
}
