package systemd

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// kinds are those of the code.
	kinds  = regexp.MustCompile(`(?m)^\tkind(\w+) +kind = "([0-9a-f]{32})" // `)
	fields = regexp.MustCompile(`@(\w+)@`)
)

// Each kind of entry of the log has its explanation in the catalog, with what to do, and no other
// has; what it names is in the entries.
func TestCatalog(t *testing.T) {
	source, err := os.ReadFile("../../watch/kind.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("rendered.catalog")
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]string) // names by id
	for _, m := range kinds.FindAllStringSubmatch(string(source), -1) {
		ids[m[2]] = m[1]
	}
	if len(ids) < 10 {
		t.Fatalf("%d kinds", len(ids))
	}
	page, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	for id, name := range ids {
		if !strings.Contains(string(page), id) {
			t.Errorf("docs/systemd.md lacks %s", name)
		}
	}
	known := strings.Fields("SERVICE SERVICES FILE DEPENDENT ERR AT WHO WHY")
	for part := range strings.SplitSeq(string(text), "\n-- ") {
		id, entry, _ := strings.Cut(part, "\n")
		if strings.HasPrefix(part, "#") {
			continue
		}
		name, found := ids[id]
		if !found {
			t.Errorf("%s is no kind of entry, or has two explanations", id)
		}
		delete(ids, id)
		head, body, _ := strings.Cut(entry, "\n\n")
		if !strings.HasPrefix(head, "Subject: ") || !strings.Contains(head, "\nDefined-By: rendered\n") || len(body) < 80 {
			t.Errorf("%s:\n%s", name, entry)
		}
		if !strings.Contains(body, "There is nothing to do.") && !strings.Contains(body, "\n  rendered ") && !strings.Contains(body, "\n  df ") {
			t.Errorf("%s does not say what to do:\n%s", name, body)
		}
		for _, f := range fields.FindAllStringSubmatch(entry, -1) {
			name, ours := strings.CutPrefix(f[1], "RENDERED_")
			if !ours || !slices.Contains(known, name) {
				t.Errorf("%s: no entry has %s", name, f[1])
			}
		}
		for line := range strings.Lines(entry) {
			if len(line) > 81 {
				t.Errorf("%s: a line of %d columns: %s", name, len(line), line)
			}
		}
	}
	if len(ids) > 0 {
		t.Errorf("there is no explanation of %s", slices.Sorted(maps.Values(ids)))
	}
}

// systemd takes the catalog as it is.
func TestCatalogIsTaken(t *testing.T) {
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("journalctl is not there")
	}
	root := t.TempDir()
	dir := filepath.Join(root, "usr/lib/systemd/catalog")
	text, err := os.ReadFile("rendered.catalog")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Join(root, "var/lib/systemd/catalog"), 0o755),
		os.WriteFile(filepath.Join(dir, "rendered.catalog"), text, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "journalctl", "--update-catalog", "--root", root).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "journalctl", "--list-catalog", "--root", root).CombinedOutput()
	if n := strings.Count(string(out), "rendered: "); err != nil || n != strings.Count(string(text), "\n-- ") {
		t.Errorf("%v: %d entries:\n%s", err, n, out)
	}
}
