package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// begun is a directory that init made of a recipe.
func begun(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "d")
	if said, err := exec.CommandContext(t.Context(), program(t), "init", name, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, said)
	}
	return dir
}

// withoutAWS is an environment in which no answer of AWS's can be had, and no Region is known.
func withoutAWS(dir string) (env []string) {
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") && !strings.HasPrefix(entry, "RENDERED_") {
			env = append(env, entry)
		}
	}
	return append(env, "HOME="+dir, "AWS_EC2_METADATA_DISABLED=true")
}

// in runs the program in a directory.
func in(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	cmd.Dir, cmd.Env = dir, withoutAWS(dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v:\n%s", args, err, said)
	}
	return string(said)
}

// From nothing each recipe works at once, as its page has it.
func TestInit(t *testing.T) {
	t.Parallel()
	recipes(t, func(t *testing.T, r recipe) {
		dir := begun(t, filepath.Base(r.from))
		for name, text := range r.files {
			made, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if name == "rendered.yaml" {
				text, made = withOwners(text), []byte(withOwners(string(made)))
			}
			if !strings.HasSuffix(string(made), text) {
				t.Errorf("%s is not that of the cookbook:\n%s", name, made)
			}
		}
		said := in(t, dir, "check")
		if !strings.HasPrefix(said, "config: ./rendered.yaml\n") || !strings.HasSuffix(said, "\nok\n") {
			t.Errorf("check says\n%s", said)
		}
		said = in(t, dir, "once", "--root", "out")
		if got, want := strings.Count(said, "created   "+dir+"/out/"), r.filesWith(2); got != want {
			t.Errorf("%d files of %d:\n%s", got, want, said)
		}
		page, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, not := range []string{"](../", "TestCookbook", "## Try it", "%!"} {
			if strings.Contains(string(page), not) {
				t.Errorf("the page has %q:\n%s", not, page)
			}
		}
		for _, want := range []string{"\n## What to do next\n", "\n## In AWS\n", "\n## Pitfalls\n", "values: values.yaml"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("the page lacks %q:\n%s", want, page)
			}
		}
	})
}

// withOwners gives a config in which whoever this machine does not know is an owner again.
func withOwners(config string) string {
	return strings.NewReplacer("# owner:", "owner:", " # for the server; this machine does not know it", "").Replace(config)
}

// nginxAt is a configuration of an nginx that writes below a directory alone.
func nginxAt(dir, sites string) string {
	text := "pid " + dir + "/pid;\nevents {}\nhttp {\naccess_log off;\n"
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += of + "_temp_path " + dir + "/" + of + ";\n"
	}
	return text + "include " + sites + ";\n}\n"
}

// The real nginx takes what comes of the recipe for it.
func TestInitNginx(t *testing.T) {
	t.Parallel()
	needed(t, "nginx")
	dir := begun(t, "nginx-tls")
	in(t, dir, "once", "--root", "out")
	etc := filepath.Join(dir, "out", "etc")
	site, err := os.ReadFile(filepath.Join(etc, "nginx/conf.d/site.conf"))
	if err != nil {
		t.Fatal(err)
	}
	// A check binds what is listened to, which takes root for a port below 1024.
	here := strings.NewReplacer(" /etc/", " "+etc+"/", "listen 443 ", "listen unix:"+dir+"/site.sock ").Replace(string(site))
	write(t, filepath.Join(etc, "nginx/conf.d/site.conf"), here)
	write(t, filepath.Join(dir, "nginx.conf"), nginxAt(dir, etc+"/nginx/conf.d/*.conf"))
	said, err := exec.CommandContext(t.Context(), "nginx", "-t", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf")).CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, said)
	}
}
