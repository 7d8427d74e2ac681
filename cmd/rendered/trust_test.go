package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// As root nothing is rendered from what others can change.
func TestRootDistrustsWhatOthersCanWrite(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"rendered.yaml":      "values: values.yaml\nservices: {app: {files: [{template: templates/app.tmpl, path: out}]}}\n",
		"values.yaml":        "params: {/a: x}\n",
		"conf.d/more.yaml":   "services: {more: {files: [{content: x, path: more}]}}\n",
		"templates/app.tmpl": "{{ param \"/a\" }}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path(name), text)
	}
	check := func() string {
		cmd := exec.CommandContext(t.Context(), "rendered", "check", "-c", "rendered.yaml")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if (err == nil) != strings.HasSuffix(string(out), "ok\n") {
			t.Errorf("%v:\n%s", err, out)
		}
		return string(out)
	}
	if out := check(); !strings.HasSuffix(out, "ok\n") {
		t.Fatal(out)
	}
	for _, name := range []string{"rendered.yaml", "values.yaml", "conf.d/more.yaml", "conf.d", "templates/app.tmpl", "templates"} {
		info, err := os.Stat(path(name))
		if err != nil {
			t.Fatal(err)
		}
		for what, change := range map[string]func() error{
			"everybody can write to it": func() error { return os.Chmod(path(name), info.Mode()|0o002) },
			"group 12 can write to it": func() error {
				if err := os.Chown(path(name), 0, 12); err != nil {
					return err
				}
				return os.Chmod(path(name), info.Mode()|0o020)
			},
			"it belongs to user 12": func() error { return os.Chown(path(name), 12, 0) },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			out := check()
			if !strings.Contains(out, "error: "+path(name)+": "+what+"; root does not work from it\n") || !strings.Contains(out, "chmod go-w "+path(name)) {
				t.Errorf("%s, %s:\n%s", name, what, out)
			}
			if err := os.Chown(path(name), 0, 0); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path(name), info.Mode()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
