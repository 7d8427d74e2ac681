package packaging_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// promtool runs it in the directory of the rules. Without it the test is skipped, but fails in CI.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.CommandContext(t.Context(), "promtool", args...)
	cmd.Dir = "prometheus"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Each alert fires where it should, and rests otherwise.
func TestAlertRules(t *testing.T) {
	promtool(t, "check", "rules", "--lint-fatal", "rendered.rules.yml")
	promtool(t, "test", "rules", "rendered.rules.test.yml")
}

// alerts gives the names of those that are shipped.
func alerts(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("prometheus/rendered.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			names = append(names, r.Alert)
		}
	}
	return names
}

// The page says what to do about each alert, at the address that the alert names, and every alert
// has a test.
func TestAlertsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, m[1])
	}
	if !slices.Equal(documented, alerts(t)) {
		t.Errorf("documented %q, shipped %q", documented, alerts(t))
	}
	rules, _ := os.ReadFile("prometheus/rendered.rules.yml")
	tests, _ := os.ReadFile("prometheus/rendered.rules.test.yml")
	for _, name := range alerts(t) {
		if !strings.Contains(string(rules), "docs/metrics.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("%s does not name its place in the page", name)
		}
		if !strings.Contains(string(tests), "- alertname: "+name+"\n") {
			t.Errorf("no test has %s fire", name)
		}
	}
}

// The panels of the dashboard do not cover one another, say what they show, and ask the data source
// that a person chooses.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("prometheus/rendered.dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct {
				Expr       string
				Datasource struct{ UID string }
			}
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	ids, taken := make(map[int]bool), make(map[[2]int]string)
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.GridPos.X+p.GridPos.W > 24 || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d, %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[...]int{x, y}]; other != "" {
					t.Fatalf("%q covers %q", p.Title, other)
				}
				taken[[...]int{x, y}] = p.Title
			}
		}
		for _, q := range p.Targets {
			if q.Datasource.UID != "${datasource}" || !strings.Contains(q.Expr, `job=~"$job",instance=~"$instance"`) {
				t.Errorf("%s asks %s of %s", p.Title, q.Expr, q.Datasource.UID)
			}
		}
	}
}
