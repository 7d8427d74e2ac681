// Package systemd holds the unit and what can be laid beside it. It has tests and no code.
package systemd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/pages"
)

// analyze runs systemd-analyze on the unit with drop-ins beside it.
func analyze(t *testing.T, dropIns []string, args ...string) string {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	unit := filepath.Join(dir, "rendered.service")
	copyTo(t, "rendered.service", unit)
	if err := os.Mkdir(unit+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range dropIns {
		copyTo(t, path, filepath.Join(unit+".d", filepath.Base(path)))
	}
	cmd := exec.CommandContext(t.Context(), tool, append(args, unit)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "LC_ALL=C.UTF-8")
	out, _ := cmd.CombinedOutput() // it fails where the machine has no /usr/bin/rendered
	return string(out)
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var exposure = regexp.MustCompile(`Overall exposure level for rendered\.service: ([0-9.]+)`)

// The sandbox is as tight as the documentation says.
func TestExposure(t *testing.T) {
	for _, c := range []struct {
		dropIns []string
		most    float64
	}{
		{nil, 3.0},
		{[]string{"examples/no-foreign-owners.conf"}, 2.8},
		{[]string{"examples/no-service-checks.conf"}, 2.4},
		{[]string{"examples/user.conf"}, 2.0},
		{[]string{"examples/paths.conf"}, 3.1},
	} {
		out := analyze(t, c.dropIns, "security", "--offline=true", "--no-pager")
		m := exposure.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("%q: %s", c.dropIns, out)
		}
		got, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%q: exposure %.1f", c.dropIns, got)
		if got > c.most {
			t.Errorf("%q: exposure %.1f, want %.1f at most", c.dropIns, got, c.most)
		}
	}
}

// unknown are the complaints about what older systemds do not know, and about what is not on this
// machine.
var unknown = regexp.MustCompile(`Failed to parse service type, ignoring: notify-reload|Unknown key (name )?'ReloadSignal'|/usr/bin/rendered is not executable|Command 'man .*' failed`)

// systemd knows every line of the unit and the examples, but for those that old ones may ignore.
func TestLinesAreKnown(t *testing.T) {
	examples, err := filepath.Glob("examples/*.conf")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	// nginx-once is an example of another unit.
	examples = slices.DeleteFunc(examples, func(path string) bool { return strings.Contains(path, "nginx-once") })
	for _, dropIns := range append([][]string{nil}, split(examples)...) {
		for line := range strings.Lines(analyze(t, dropIns, "verify")) {
			if strings.Contains(line, "rendered.service") && !unknown.MatchString(line) {
				t.Errorf("%q: %s", dropIns, line)
			}
		}
	}
}

// What pages show as a drop-in of rendered.service or nginx.service is one: systemd knows each of
// its lines.
func TestPagesShowGoodDropIns(t *testing.T) {
	for _, b := range pages.Claimed(t) {
		unit := strings.TrimPrefix(b.Kind, "ini ")
		dropIn := filepath.Join(t.TempDir(), "shown.conf")
		if err := os.WriteFile(dropIn, []byte(b.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(verified(t, unit, dropIn)) {
			if strings.Contains(line, "shown.conf") && !unknown.MatchString(line) {
				t.Errorf("%v: %s", b, line)
			}
		}
	}
	bad := filepath.Join(t.TempDir(), "shown.conf")
	if err := os.WriteFile(bad, []byte("[Service]\nExecStartBefore=/bin/true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := verified(t, "nginx.service", bad); !strings.Contains(said, "shown.conf") {
		t.Errorf("what systemd does not know is taken: %s", said)
	}
}

// verified gives what systemd-analyze says of a unit with a drop-in.
func verified(t *testing.T, unit, dropIn string) string {
	t.Helper()
	if unit == "rendered.service" {
		return analyze(t, []string{dropIn}, "verify")
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), unit)
	if err := errors.Join(os.WriteFile(path, []byte("[Service]\nExecStart=/bin/true\n"), 0o600), os.Mkdir(path+".d", 0o755)); err != nil {
		t.Fatal(err)
	}
	copyTo(t, dropIn, filepath.Join(path+".d", filepath.Base(dropIn)))
	out, _ := exec.CommandContext(t.Context(), tool, "verify", path).CombinedOutput() // the machine may have no program of the drop-in
	return string(out)
}

func split(list []string) (each [][]string) {
	for _, s := range list {
		each = append(each, []string{s})
	}
	return each
}

var directive = regexp.MustCompile(`(?m)^([A-Z][A-Za-z]+)=`)

// The documentation says of every line of the unit what it is for, and names every example.
func TestDocumentationKnowsEveryLine(t *testing.T) {
	text := read(t, "../../docs/systemd.md")
	for _, m := range directive.FindAllStringSubmatch(read(t, "rendered.service"), -1) {
		if !strings.Contains(text, m[1]+"=") {
			t.Errorf("it does not say what %s= is for", m[1])
		}
	}
	examples, err := filepath.Glob("examples/*")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	for _, path := range examples {
		if !strings.Contains(text, "packaging/systemd/"+path) {
			t.Errorf("it does not name %s", path)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What the unit bounds is what the documentation says that it bounds, with the reason.
func TestBounds(t *testing.T) {
	unit, err := os.ReadFile("rendered.service")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/systemd.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"MemoryMax=1G", "TasksMax=512", "LimitNOFILE=4096"} {
		if !slices.Contains(strings.Split(string(unit), "\n"), line) {
			t.Errorf("the unit lacks %s", line)
		}
		if !strings.Contains(string(doc), "| `"+line+"` | ") {
			t.Errorf("docs/systemd.md does not say why %s", line)
		}
	}
	if unknown := regexp.MustCompile(`(?i)(unknown|failed).*(Memory|Tasks|Limit).*`).FindString(analyze(t, nil, "verify")); unknown != "" {
		t.Errorf("systemd does not read the unit: %s", unknown)
	}
}
