package e2e

import (
	"errors"
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
		"rendered.yaml":      "state_dir: state\nvalues: values.yaml\nservices: {app: {files: [{template: templates/app.tmpl, path: out}]}}\n",
		"values.yaml":        "params: {/a: x}\n",
		"conf.d/more.yaml":   "services: {more: {files: [{content: x, path: more}]}}\n",
		"templates/app.tmpl": "{{ param \"/a\" }}\n",
		"templates/_part":    "x",
		"state/key":          "",
		"state/ledger.jsonl": "",
	} {
		if err := os.MkdirAll(filepath.Dir(path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path(name), text)
	}
	check := func() string {
		cmd := exec.CommandContext(t.Context(), program(t), "check", "-c", "rendered.yaml")
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
	const all, app = "of all services: the config last in force", ": a start leaves out app, a reload leaves it as it was; 1 other service is good\n"
	for name, whose := range map[string]string{
		"rendered.yaml": all, "values.yaml": all, "conf.d": all, "state": all, "state/key": all, "state/ledger.jsonl": all,
		"templates/app.tmpl": app, "templates/_part": app, "templates": app,
		"conf.d/more.yaml": ": a start leaves out " + path("conf.d/more.yaml") + ", a reload leaves it as it was; 1 other service is good\n",
	} {
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
			if !strings.Contains(out, "error: "+path(name)+": "+what+"; root does not work from it\n") || !strings.Contains(out, "chmod go-w "+path(name)) || !strings.Contains(out, whose) {
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

// Nor from what others can put something else in the place of: a directory above it, or a link on
// the way.
func TestRootDistrustsTheWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"etc/rendered", "srv/templates", "home/user/templates"} {
		if err := os.MkdirAll(path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path("etc/rendered/rendered.yaml"), "state_dir: ../../var/state\nservices: {app: {files: [{template: link/templates/app.tmpl, path: ../../out}]}}\n")
	write(t, path("srv/templates/app.tmpl"), "x")
	write(t, path("home/user/templates/app.tmpl"), "x")
	link := func(target string) func() error {
		return func() error {
			return errors.Join(os.RemoveAll(path("etc/rendered/link")), os.Symlink(target, path("etc/rendered/link")))
		}
	}
	good := func() error {
		return errors.Join(link("../../srv")(), os.Chown(path("etc"), 0, 0), os.Chmod(path("etc"), 0o755), os.Chmod(path("srv"), 0o755),
			os.Chown(path("srv"), 0, 0), os.Chown(path("home/user"), 12, 12), os.RemoveAll(path("var")))
	}
	for _, tt := range []struct {
		name   string
		change func() error
		where  string
		what   string
	}{
		{"all is root's", func() error { return nil }, "", ""},
		{"the config's directory is everybody's", func() error { return os.Chmod(path("etc"), 0o777) }, "etc", "everybody can write to it"},
		{"it is everybody's and sticky", func() error { return os.Chmod(path("etc"), 0o777|os.ModeSticky) }, "", ""},
		{"it is a user's and sticky", func() error {
			return errors.Join(os.Chown(path("etc"), 12, 0), os.Chmod(path("etc"), 0o755|os.ModeSticky))
		}, "etc", "it belongs to user 12"},
		{"a directory beyond a link", func() error { return os.Chown(path("srv"), 12, 0) }, "srv", "it belongs to user 12"},
		{"a link to a user's directory", link("../../home/user"), "home/user", "it belongs to user 12"},
		{"a user's link", func() error { return os.Lchown(path("etc/rendered/link"), 12, 12) }, "etc/rendered/link", "it belongs to user 12"},
		{"a link in a circle", link("link"), "", "too many levels of symbolic links"},
		{"the state is to be in a user's directory", func() error { return errors.Join(os.Mkdir(path("var"), 0o755), os.Chown(path("var"), 12, 12)) }, "var", "it belongs to user 12"},
	} {
		if err := errors.Join(good(), tt.change()); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), program(t), "check", "-c", path("etc/rendered/rendered.yaml"))
		out, err := cmd.CombinedOutput()
		want := "error: " + path(tt.where) + ": " + tt.what + "; root does not work from what it leads to\n  "
		if tt.where == "" {
			want = tt.what
		}
		if (err == nil) != (tt.what == "") || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v:\n%s", tt.name, err, out)
		}
	}
}

// Nor does root ask AWS by a shared configuration that others can change: it names programs to run.
func TestRootDistrustsSharedConfig(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has others to distrust")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, d := range []string{"home/.aws", "etc"} {
		if err := os.MkdirAll(path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path("etc/rendered.yaml"), "state_dir: state\nservices: {app: {files: [{content: '{{ secret \"s\" }}', path: out}]}}\n")
	write(t, path("etc/config"), "")
	write(t, path("etc/profile"), "[default]\nca_bundle = "+path("etc/config")+"\n[profile web]\nca_bundle = etc/config\n")
	check := func(env ...string) string {
		cmd := exec.CommandContext(t.Context(), program(t), "check", "-c", path("etc/rendered.yaml"))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), append([]string{"AWS_REGION=eu-west-1", "HOME=" + path("home"), "AWS_CONFIG_FILE=", "AWS_SHARED_CREDENTIALS_FILE=", "AWS_CA_BUNDLE="}, env...)...)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if err := os.Chown(path("home"), 12, 12); err != nil {
		t.Fatal(err)
	}
	if out := check(); !strings.HasSuffix(out, "ok\n") {
		t.Errorf("where there is none: %s", out)
	}
	write(t, path("home/.aws/credentials"), "")
	if out := check(); !strings.Contains(out, "error: "+path("home")+": it belongs to user 12; root does not work from what it leads to\n") {
		t.Errorf("in a user's home: %s", out)
	}
	if out := check("AWS_SHARED_CREDENTIALS_FILE=/dev/null"); !strings.HasSuffix(out, "ok\n") {
		t.Errorf("switched off: %s", out)
	}
	if out := check("AWS_SHARED_CREDENTIALS_FILE=" + path("etc/config")); !strings.HasSuffix(out, "ok\n") {
		t.Errorf("named, and root's: %s", out)
	}
	if err := os.Chown(path("etc/config"), 12, 12); err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{
		{"AWS_CONFIG_FILE=" + path("etc/config")}, {"AWS_CONFIG_FILE=etc/config"}, {"AWS_SHARED_CREDENTIALS_FILE=../" + filepath.Base(dir) + "/etc/config"},
		{"AWS_CA_BUNDLE=" + path("etc/config")}, {"AWS_CONFIG_FILE=" + path("etc/profile")}, {"AWS_CONFIG_FILE=" + path("etc/profile"), "AWS_PROFILE=web"},
	} {
		wrong := "error: " + path("etc/config") + ": it belongs to user 12; root does not work from it\n"
		if out := check(append([]string{"HOME=/nonexistent"}, env...)...); !strings.Contains(out, wrong) {
			t.Errorf("%s: %s", env, out)
		}
	}
}
