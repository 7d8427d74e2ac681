package render_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// Each example of the reference prints what stands beside it, and calls the function that it is of.
func TestExamplesOfTheReference(t *testing.T) {
	dir := t.TempDir()
	o := render.Options{
		Dir: dir, Vars: render.ExampleData.Vars, Hostname: "web-1",
		Env: func(name string) (string, bool) { v, ok := render.ExampleData.Env[name]; return v, ok },
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("values.yaml", render.ExampleData.Values)
	for name, text := range render.ExampleData.Files {
		if write(name, text); name[0] == '_' {
			o.Partials = append(o.Partials, render.Text{Name: name, Body: text})
		}
	}
	for _, f := range render.Functions() {
		o.Main = render.Text{Name: f.Name, Body: f.Example}
		tmpl, faults := render.Parse(o)
		if faults != nil {
			t.Errorf("%s: %v", f.Name, faults)
			continue
		}
		out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(source(dir), 0))
		if failed != nil || string(out.Content) != f.Prints {
			t.Errorf("%s: %s prints %q, want %q; %v", f.Name, f.Example, out.Content, f.Prints, failed)
		}
		if words := strings.FieldsFunc(f.Example, func(r rune) bool { return strings.ContainsRune(" (){}", r) }); !slices.Contains(words, f.Name) {
			t.Errorf("%s: %s does not call it", f.Name, f.Example)
		}
	}
}

// Each function is in the reference once, with as many arguments as it takes.
func TestReferenceIsWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range render.Functions() {
		if seen[f.Name] {
			t.Errorf("%s stands twice", f.Name)
		}
		seen[f.Name] = true
		if f.Gives == "" || strings.ContainsAny(f.Gives+f.Fails+f.Args, "|\n`") || strings.HasSuffix(f.Gives, ".") || strings.HasSuffix(f.Fails, ".") {
			t.Errorf("%s: %q, %q", f.Name, f.Gives, f.Fails)
		}
		least := 0
		for _, word := range strings.Fields(f.Args) {
			if !strings.ContainsAny(word, "[]") && word != "VALUE]…" {
				least++
			}
		}
		if want, more, ok := render.Arity(f.Name); ok && f.Name != "default" && (want != least && !(more && want < least) || more != strings.ContainsAny(f.Args, "[…")) {
			t.Errorf("%s: %s; it takes %d, more: %v", f.Name, f.Signature(), want, more)
		}
	}
	for _, name := range render.FunctionNames() {
		if !seen[name] {
			t.Errorf("%s is not in the reference", name)
		}
		delete(seen, name)
	}
	for name := range seen {
		t.Errorf("there is no %s", name)
	}
}

// What is no function here is said to be what it is, or what may be meant.
func TestFunctionNamed(t *testing.T) {
	for name, want := range map[string]string{
		"toYaml": "", "mustToDate": "", "secert": "did you mean secret?", "now": "sprig's now is not here: what differs from run to run", "getv": `confd's getv is {{ param "/app/key" }} here`,
		"strings.ToUpper": "gomplate's strings.ToUpper is {{ .text | upper }} here", "toJSON": "toJson", "sprig_upper": "is upper here", "_tick": "there is no function", "zzzzzzzz": "there is no function", "ticks": "there is no function \"ticks\"",
	} {
		f, failed := render.FunctionNamed(name)
		if want == "" {
			if failed != nil || f.Name != name {
				t.Errorf("%s: %v, %v", name, f, failed)
			}
			continue
		}
		if failed == nil || !strings.Contains(failed.Text(), want) || strings.Contains(failed.Text(), "mean _") {
			t.Errorf("%s: %v, want %q", name, failed, want)
		}
	}
}
