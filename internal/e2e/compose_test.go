package e2e

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/internal/pages"
)

// What the page's compose.yaml names is what its config renders, and Docker Compose's own code
// reads of the env file what was stored.
func TestComposeAsDocumented(t *testing.T) {
	t.Parallel()
	var config, compose string
	for _, b := range pages.Claimed(t) {
		if b.Kind == "yaml compose" {
			compose = b.Text
		} else {
			config = b.Text
		}
	}
	const user, password, token = "it's me", "p$a #ss=\"w\nord", "tok\ten"
	values, err := yaml.Marshal(map[string]any{"secrets": map[string]any{"prod/app": map[string]any{"username": user, "password": password, "token": token}}})
	if err != nil {
		t.Fatal(err)
	}
	sh := newShell(t, "")
	write(t, filepath.Join(sh.dir, "rendered.yaml"), "values: values.yaml\n"+config)
	write(t, filepath.Join(sh.dir, "values.yaml"), string(values))
	if said, err := sh.run(t, "mkdir -p out/srv/app && rendered check -c rendered.yaml && rendered once -c rendered.yaml --root out"); err != nil || strings.Contains(said, "warning") {
		t.Fatalf("%v:\n%s", err, said)
	}
	var project struct {
		Services map[string]struct {
			EnvFile string   `yaml:"env_file"`
			Secrets []string `yaml:"secrets"`
		} `yaml:"services"`
		Secrets map[string]struct {
			File string `yaml:"file"`
		} `yaml:"secrets"`
	}
	if err := yaml.Unmarshal([]byte(compose), &project); err != nil {
		t.Fatal(err)
	}
	app := project.Services["app"]
	dir := filepath.Join(sh.dir, "out/srv/app")
	if got, err := os.ReadFile(filepath.Join(dir, project.Secrets[app.Secrets[0]].File)); err != nil || string(got) != token {
		t.Errorf("the secret's file has %q, %v", got, err)
	}
	if !strings.Contains(config, "docker compose --project-directory /srv/app up ") || !strings.Contains(config, " app\n") {
		t.Error("the notice is for another project")
	}
	long.Test(t)
	env, err := os.ReadFile(filepath.Join(dir, app.EnvFile))
	if err != nil {
		t.Fatal(err)
	}
	numbered := strings.NewReplacer("DB_USER=", "k0=", "DB_PASSWORD=", "k1=").Replace(string(env))
	write(t, filepath.Join(dir, "numbered"), numbered)
	reader := exec.Command("go", "run", ".", "compose", filepath.Join(dir, "numbered"))
	reader.Dir, reader.Stderr = filepath.Join(root, "render/funcs/testdata/readers"), os.Stderr
	out, err := reader.Output()
	want := []byte(hex.EncodeToString([]byte(user)) + "\n" + hex.EncodeToString([]byte(password)) + "\n")
	if err != nil || !bytes.Equal(out, want) {
		t.Errorf("Compose reads %s, %v, want %s", out, err, want)
	}
}
