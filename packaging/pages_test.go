package packaging_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/pages"
)

// shown gives the one block of a page that the test is about.
func shown(t *testing.T) string {
	t.Helper()
	blocks := pages.Claimed(t)
	if len(blocks) != 1 {
		t.Fatalf("there are %d blocks, want 1", len(blocks))
	}
	return blocks[0].Text
}

// installs tells whether the packages have a file at this path.
func installs(t *testing.T, name string) bool {
	t.Helper()
	text, err := os.ReadFile("nfpm/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), "{src: root"+name+", dst: "+path.Dir(name)+"/}") ||
		strings.Contains(string(text), "{src: root"+path.Dir(name)+"/*, dst: "+path.Dir(name)+"/}")
}

// The settings of an editor name the schema where the packages have it, for what is a config.
func TestEditorSettings(t *testing.T) {
	var settings struct {
		Schemas map[string][]string `json:"yaml.schemas"`
	}
	d := json.NewDecoder(strings.NewReader(shown(t)))
	d.DisallowUnknownFields()
	if err := d.Decode(&settings); err != nil || len(settings.Schemas) != 1 {
		t.Fatal(err)
	}
	for schema, patterns := range settings.Schemas {
		if !installs(t, schema) {
			t.Errorf("no package has %s", schema)
		}
		for _, config := range []string{"rendered.yaml", "conf.d/nginx.yaml"} {
			if !slices.ContainsFunc(patterns, func(p string) bool {
				ok, err := path.Match(strings.TrimPrefix(p, "**/"), config)
				return ok && err == nil
			}) {
				t.Errorf("%s is none of %q", config, patterns)
			}
		}
	}
}

// promtool takes what the page has Prometheus read, with the rules of the packages in their place.
func TestPrometheusAsDocumented(t *testing.T) {
	const rules = "/usr/share/rendered/prometheus/rendered.rules.yml"
	text := shown(t)
	if !strings.Contains(text, "["+rules+"]") || !installs(t, rules) {
		t.Errorf("no package has the rules of\n%s", text)
	}
	here, err := filepath.Abs("prometheus/rendered.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(text, rules, here)), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "config", config)
}

// A provisioning is what Grafana reads of a file in provisioning/dashboards ("Provision Grafana" in
// its documentation), as far as the page needs it.
type provisioning struct {
	APIVersion int `yaml:"apiVersion"`
	Providers  []struct {
		Name    string
		Options struct{ Path string }
	}
}

// Grafana is given the directory in which the packages have the dashboard.
func TestGrafanaAsDocumented(t *testing.T) {
	var p provisioning
	d := yaml.NewDecoder(bytes.NewReader([]byte(shown(t))))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.APIVersion != 1 || len(p.Providers) != 1 || p.Providers[0].Name == "" || !installs(t, p.Providers[0].Options.Path+"/rendered.dashboard.json") {
		t.Errorf("no package has the dashboard there: %+v", p)
	}
}
