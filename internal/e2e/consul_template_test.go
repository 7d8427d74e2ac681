package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rendered/rendered/internal/long"
)

// consulTemplate gives the path of the real program, of the version that docs/migration.md is about.
// Where it cannot be built the test is skipped; in CI it can.
func consulTemplate(t *testing.T) string {
	t.Helper()
	program(t) // which makes the directory that it is built in
	path, err := builtConsulTemplate()
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

var builtConsulTemplate = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "install", "github.com/hashicorp/consul-template@v0.41.0")
	cmd.Env = append(os.Environ(), "GOBIN="+buildDir, "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return filepath.Join(buildDir, "consul-template"), nil
})

// hasGo reports that this user builds programs: one for whom they were built before does not.
func hasGo() bool { return os.Getenv(ours) == "" }

// backends stands in for Vault and Consul: it has the data of a case, which never changes.
func (m *migration) backends(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, document any) { _ = json.NewEncoder(w).Encode(document) }
	mux.HandleFunc("/v1/sys/internal/ui/mounts/", func(w http.ResponseWriter, r *http.Request) {
		mount, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/sys/internal/ui/mounts/"), "/")
		version := "1"
		if strings.HasPrefix(rest, "data/") || mount == "secret" {
			version = "2"
		}
		answer(w, map[string]any{"data": map[string]any{"path": mount + "/", "type": "kv", "options": map[string]string{"version": version}}})
	})
	mux.HandleFunc("/v1/kv/", func(w http.ResponseWriter, r *http.Request) { m.consulKeys(w, r) })
	for _, s := range m.data["vault"] {
		_, text, _ := strings.Cut(s[1], " ")
		data := any(json.RawMessage(text))
		if strings.Contains(s[0], "/data/") {
			data = map[string]any{"data": data, "metadata": map[string]any{"version": 1}}
		}
		mux.HandleFunc("/v1/"+s[0], func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"data": data}) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// consulKeys answers as Consul's store of keys does.
func (m *migration) consulKeys(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/v1/kv/")
	w.Header().Set("X-Consul-Index", "1")
	if r.URL.Query().Get("index") == "1" {
		<-r.Context().Done() // nothing changes
		return
	}
	type pair struct {
		Key         string
		Value       []byte
		ModifyIndex int
	}
	var pairs []pair
	for _, k := range m.data["consul"] {
		if k[0] == key || r.URL.Query().Has("recurse") && strings.HasPrefix(k[0], key) {
			pairs = append(pairs, pair{k[0], []byte(k[1]), 1})
		}
	}
	if pairs == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(pairs)
}

// consulTemplateWrites has the real program write the files of a case, by their paths.
func consulTemplateWrites(t *testing.T, m *migration) map[string]string {
	t.Helper()
	was := filepath.Join(m.dir, "was")
	for _, f := range m.archive.Files {
		text := strings.NewReplacer("$DIR/old", filepath.Join(m.dir, "real"), "$DIR", m.dir, "$DEST", was, "$RUN", "true").Replace(string(f.Data))
		if name, ok := strings.CutPrefix(f.Name, "old/"); ok {
			f.Name = "real/" + name
		}
		if strings.HasPrefix(f.Name, "real/") {
			writeFile(t, filepath.Join(m.dir, f.Name), text)
		}
	}
	configs, err := filepath.Glob(filepath.Join(m.dir, "real/*.hcl"))
	if err != nil || len(configs) == 0 {
		configs, _ = filepath.Glob(filepath.Join(m.dir, "real/*.json"))
	}
	words := []string{"-once", "-vault-renew-token=false"}
	for _, c := range configs {
		words = append(words, "-config", c)
	}
	address := m.backends(t)
	cmd := exec.Command(consulTemplate(t), words...)
	cmd.Dir = filepath.Join(m.dir, "real")
	cmd.Env = m.environment("VAULT_ADDR="+address, "VAULT_TOKEN=t", "CONSUL_HTTP_ADDR="+strings.TrimPrefix(address, "http://"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("consul-template: %v\n%s", err, out)
	}
	written := map[string]string{}
	err = filepath.WalkDir(was, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		written[strings.TrimPrefix(path, was)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// What consul-template and Vault Agent wrote rendered writes, after their configs are migrated. With
// -long it is what the real consul-template writes now.
func TestMigrateConsulTemplate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"consul-template", "vault-agent"} {
		for _, m := range migrations(t, name) {
			t.Run(name+"/"+filepath.Base(m.path), func(t *testing.T) {
				if m.left == "" && hasGo() && (long.Asked() || *updateMigrations) {
					m.compare(t, consulTemplateWrites(t, m))
				}
				m.check(t)
			})
		}
	}
}

var nameOfFunction = regexp.MustCompile(`(?m)^\t\t"(\w+)":\s`)

// The table of functions has all that the real program has, and no others.
func TestMigrateKnowsAllFunctions(t *testing.T) {
	long.Test(t)
	if !hasGo() {
		t.Skip("it takes Go")
	}
	consulTemplate(t)
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/hashicorp/consul-template@v0.41.0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(module.Dir, "template/template.go"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/migration.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- functions of consul-template")
	found := nameOfFunction.FindAllStringSubmatch(string(source), -1)
	for _, m := range found {
		if !strings.Contains(table, "\n| `"+m[1]+"` |") {
			t.Errorf("it has %s, which the table has not", m[1])
		}
	}
	if rows := strings.Count(table, "\n| `"); rows != len(found) {
		t.Errorf("it has %d functions, and the table %d", len(found), rows)
	}
}
