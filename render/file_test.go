package render_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// A check that fails again over another temporary fails in the same words, however long its command
// is.
func TestFailingCheckIsOneCause(t *testing.T) {
	for name, check := range map[string]command.Command{
		"short": {Args: []string{"sh", "-c", "echo no good: $0; exit 3", "{}"}},
		"long":  {Shell: "echo no good: {} >&2; : " + strings.Repeat("and so on ", 30) + "; exit 3"},
		"lines": {Shell: "echo no good: {}\nexit 3"},
		"gone":  {Args: []string{"/no/such/program", "{}"}},
	} {
		dir := t.TempDir()
		f := render.File{Target: swap.Target{Path: filepath.Join(dir, "app.conf")}, Check: command.Check{Command: check}}
		var texts []string
		for _, temporary := range []string{".rendered-a1", ".rendered-b22"} {
			staged := filepath.Join(dir, temporary)
			if err := os.WriteFile(staged, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			failed := f.CheckStaged(t.Context(), staged, nil, func(_ command.Check, output []byte) string { return string(output) })
			if failed == nil {
				t.Fatalf("%s: passes", name)
			}
			texts = append(texts, failed.Text())
		}
		if texts[0] != texts[1] || strings.Contains(texts[0], ".rendered") {
			t.Errorf("%s:\n%s%s", name, texts[0], texts[1])
		}
		if name != "gone" && (!strings.Contains(texts[0], "exit status 3") || !strings.Contains(texts[0], "no good: "+f.Path)) {
			t.Errorf("%s:\n%s", name, texts[0])
		}
	}
}

// A check that is given the file by a descriptor reads that file, from its beginning, and whatever
// its name leads to by now.
func TestCheckOfAHeldFile(t *testing.T) {
	dir := t.TempDir()
	staged := filepath.Join(dir, ".rendered-a1")
	if err := os.WriteFile(staged, []byte("good\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(staged)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := errors.Join(os.Remove(staged), os.WriteFile(staged, []byte("his\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(held); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		check command.Command
		held  *os.File
		good  bool
	}{
		"by a shell":     {command.Command{Shell: "test -f {} && exec grep -qx good {}"}, held, true},
		"as it is":       {command.Command{Args: []string{"grep", "-qx", "good", "{}"}}, held, true},
		"in a word":      {command.Command{Args: []string{"dd", "if={}", "of=/dev/null", "status=none"}}, held, true},
		"by its name":    {command.Command{Args: []string{"grep", "-qx", "good", "{}"}}, nil, false},
		"what it is not": {command.Command{Args: []string{"grep", "-qx", "his", "{}"}}, held, false},
	} {
		f := render.File{Target: swap.Target{Path: filepath.Join(dir, "app.conf")}, Check: command.Check{Command: tt.check}}
		failed := f.CheckStaged(t.Context(), staged, tt.held, func(_ command.Check, output []byte) string { return string(output) })
		if (failed == nil) != tt.good {
			t.Errorf("%s: %v", name, failed)
		}
		if failed != nil && strings.Contains(failed.Text(), "/proc/self") {
			t.Errorf("%s: %s", name, failed.Text())
		}
	}
}

func TestOutputHasALimit(t *testing.T) {
	for _, tt := range []struct {
		limit, size int
		what        string
	}{
		{0, 1 << 20, ""},
		{1000, 1000, ""},
		{1000, 1001, "the output is larger than 1000 bytes"},
		{2 << 10, 2<<10 + 1, "the output is larger than 2 KiB"},
		{1 << 20, 1<<20 + 1, "the output is larger than 1 MiB"},
	} {
		const line = 256 // one by one they take seconds under the race detector
		body := "{{ range .lines }}" + strings.Repeat("x", line) + "{{ end }}{{ range .rest }}x{{ end }}"
		vars := map[string]any{"lines": make([]int, tt.size/line), "rest": make([]int, tt.size%line)}
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, MaxSize: tt.limit, Vars: vars})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(nil, 0))
		if tt.what == "" && (failed != nil || len(out.Content) != tt.size) || tt.what != "" && (failed == nil || failed.What != tt.what || out.Content != nil) {
			t.Errorf("%d bytes within %d: %v", tt.size, tt.limit, failed)
		}
	}
}

// What breaks a format is looked for where it stands: in a value that was not quoted, or after one.
func TestFormatNamesTheValueThatBreaksIt(t *testing.T) {
	for body, want := range map[string]string{
		`{"a": "{{ param "/env" }}", "b": {{ param "/pw" }}}`:  "column 20: a value is expected, in the value of param /pw; file not written; {{ … | toJson }} writes the quotes, too; none stand around it",
		`{"a": "{{ param "/env" | toJson }}", "b": 1}`:         "column 9: a comma or } is expected, in the value of param /env; file not written; {{ … | toJson }} writes the quotes, too; none stand around it",
		`{"a": "{{ param "/env" }}", "b": "{{ secret "s" }}"}`: `column 23: a comma or } is expected, in the value of secret s`,
		`{"a": "{{ param "/env" }}"; "b": 1}`:                  "column 13: a comma or } is expected, just after the value of param /env",
		`{"a"; "{{ param "/env" }}"}`:                          "column 5: a colon is expected; file not written",
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}})
		if faults != nil {
			t.Fatal(faults)
		}
		json, err := format.Parse("json")
		if err != nil {
			t.Fatal(err)
		}
		f := render.File{Target: swap.Target{Path: "/etc/app.json"}, Template: tmpl, Format: json}
		rendering, _, failed := f.Render(t.Context(), sources.NewSnapshot(few{}, 0))
		if failed != nil {
			t.Fatal(failed)
		}
		failed = rendering.Judge()
		if failed == nil || !strings.Contains(strings.Join(append([]string{failed.What}, failed.Hints...), "; "), want) {
			t.Errorf("%s: %v, want %s", body, failed, want)
		}
	}
}
