package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checked runs rendered check over a config.
func checked(t *testing.T, path string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "check", "-c", path)
	cmd.Env = append(os.Environ(), "AWS_REGION=eu-west-1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Where rendered.yaml(5) describes keys, and a config with a key there that nobody knows: the fault
// names those that may stand there.
var unknownKeys = map[string]string{
	"At the top":        "zzzz: 1\nservices: {}\n",
	"log":               "log: {zzzz: 1}\nservices: {}\n",
	"aws":               "aws: {zzzz: 1}\nservices: {}\n",
	"aws.accounts.NAME": "aws: {accounts: {a: {zzzz: 1}}}\nservices: {}\n",
	"metrics":           "metrics: {zzzz: 1}\nservices: {}\n",
	"triggers":          "triggers: {zzzz: 1}\nservices: {}\n",
	"services.NAME":     "services: {a: {zzzz: 1, files: [{content: x, path: /f}]}}\n",
	"services.NAME.check, services.NAME.files[].check": "services: {a: {check: {zzzz: 1}, files: [{content: x, path: /f}]}}\n",
	"services.NAME.files[]":                            "services: {a: {files: [{content: x, path: /f, zzzz: 1}]}}\n",
	"fleet":                                            "fleet: {zzzz: 1}\nservices: {}\n",
	"services.NAME.rollout":                            "services: {a: {files: [{content: x, path: /f}], rollout: {zzzz: 1}}}\n",
	"services.NAME.on_failure":                         "services: {a: {files: [{content: x, path: /f}], on_failure: {zzzz: 1}}}\n",
	"services.NAME.verify":                             "services: {a: {files: [{content: x, path: /f}], verify: {zzzz: 1}}}\n",
	"services.NAME.verify.tls":                         "services: {a: {files: [{content: x, path: /f}], verify: {tls: {zzzz: 1}}}}\n",
	"services.NAME.notify[]":                           "services: {a: {files: [{content: x, path: /f}], notify: [{zzzz: 1}]}}\n",
	"services.NAME.healthy":                            "services: {a: {files: [{content: x, path: /f}], healthy: {zzzz: 1}}}\n",
}

var (
	section = regexp.MustCompile(`^\.S[SH] "(.*)"$`)
	tag     = regexp.MustCompile(`^\.BI "([a-z_]+): " `)
	mayBe   = regexp.MustCompile(`(?m)^  here may stand (.*)$`)
)

// Every key that the program knows is described in rendered.yaml(5), in its place, and no other.
func TestManualHasEveryKey(t *testing.T) {
	text, err := os.ReadFile(root + "/packaging/man/rendered.yaml.5")
	if err != nil {
		t.Fatal(err)
	}
	described := make(map[string][]string)
	at := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if m := section.FindStringSubmatch(line); m != nil {
			at = m[1]
		} else if m := tag.FindStringSubmatch(line); m != nil {
			described[at] = append(described[at], m[1])
		}
	}
	known := make(map[string][]string)
	for at, config := range unknownKeys {
		path := filepath.Join(t.TempDir(), "rendered.yaml")
		write(t, path, config)
		out, _ := checked(t, path)
		m := mayBe.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%s: the program does not say what may stand there:\n%s", at, out)
		}
		known[at] = strings.Split(m[1], ", ")
	}
	for at := range maps.Keys(described) {
		slices.Sort(described[at])
	}
	if diff := cmp.Diff(known, described); diff != "" {
		t.Errorf("what the program knows and the manual describes (-known +described):\n%s", diff)
	}
}

// uncommented makes a config of the examples in the one that is installed, by the rule that it
// states.
func uncommented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && strings.TrimSpace(rest) != "" && (rest[0] != ' ' || rest[1] == ' ') {
			line = rest
		}
		b.WriteString(line)
	}
	return b.String()
}

// The config that is installed is good and keeps nothing. With its examples uncommented it is good,
// too, and keeps one file; the examples for conf.d go with both.
func TestInstalledConfig(t *testing.T) {
	text, err := os.ReadFile(root + "/packaging/rendered.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob(root + "/packaging/examples/conf.d/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal("there are no examples", err)
	}
	for name, c := range map[string]struct {
		config string
		parts  []string
		want   string
	}{
		"as it is":           {string(text), nil, "there are no services yet"},
		"with parts":         {string(text), examples, "app "},
		"uncommented":        {uncommented(string(text)), nil, "app "},
		"uncommented, parts": {strings.ReplaceAll(uncommented(string(text)), "  app:\n", "  other:\n"), []string{root + "/packaging/examples/conf.d/nginx.yaml"}, "other "},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "rendered.yaml"), c.config)
			if err := os.Mkdir(filepath.Join(dir, "conf.d"), 0o755); err != nil {
				t.Fatal(err)
			}
			for _, part := range c.parts {
				text, err := os.ReadFile(part)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, "conf.d", filepath.Base(part)), string(text))
			}
			out, err := checked(t, filepath.Join(dir, "rendered.yaml"))
			if err != nil || !strings.Contains(out, c.want) || !strings.HasSuffix(out, "ok\n") {
				t.Errorf("%v, want %q and ok:\n%s\n%s", err, c.want, out, c.config)
			}
		})
	}
}

// What the cookbook has people store for nginx is what the installed example looks up.
func TestInstalledExampleTakesTheSecretOfTheCookbook(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{
		"rendered.yaml": "packaging/examples/conf.d/nginx.yaml",
		"values.yaml":   "docs/cookbook/nginx-tls/values.yaml",
	} {
		text, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(text))
	}
	cmd := exec.CommandContext(t.Context(), program(t), "once", "-c", "rendered.yaml", "--values", "values.yaml", "--root", "out")
	cmd.Dir = dir
	cmd.Env = os.Environ()
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "created") != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}
