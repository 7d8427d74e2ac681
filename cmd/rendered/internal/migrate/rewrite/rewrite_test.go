package rewrite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template/parse"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	_ "github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
)

var update = flag.Bool("update", false, "write what the golden cases give")

// optionsOf reads the words of a case: the program, and what else differs from the usual.
func optionsOf(words string) Options {
	o := Options{Program: ConsulTemplate, File: "old.tmpl", Name: func(path string) string {
		return strings.TrimPrefix(strings.Replace(path, "/data/", "/", 1), "secret/")
	}}
	for word := range strings.FieldsSeq(words) {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "confd":
			o.Program = Confd
		case "prefix":
			o.Prefix = value
		case "backend":
			o.Backend = Backend(value)
		case "keys":
			o.Keys = strings.Split(value, ",")
		case "delims":
			o.Left, o.Right, _ = strings.Cut(value, ",")
		case "strict":
			o.MissingFails = true
		case "quote":
			o.Quote = value
		}
	}
	return o
}

// Each case has the words for its options, a template, what becomes of it, and what is said of it.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text, remarks, err := Template(string(archive.Files[0].Data), optionsOf(string(archive.Comment)))
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			for _, r := range remarks {
				fmt.Fprintf(&said, "%s: %s%s\n", r.Place, map[bool]string{true: "TODO: "}[r.Todo], r.What)
			}
			got := []txtar.File{archive.Files[0], {Name: "new", Data: []byte(text)}, {Name: "said", Data: []byte(said.String())}}
			if *update {
				archive.Files = got
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: got}))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Every function of a program has a rule that says what becomes of it, and what it becomes is here.
func TestRulesAreWhole(t *testing.T) {
	for _, p := range []*Program{Confd, ConsulTemplate} {
		for name, rule := range p.Rules {
			if rule.Verdict == Refused {
				if rule.Why == "" || rule.make != nil || rule.forms != nil {
					t.Errorf("%s: %s is refused, and how or why is not clear", p.Name, name)
				}
				continue
			}
			if (rule.make == nil) == (rule.forms == nil) || rule.make != nil && rule.becomes == "" && rule.Verdict != Kept {
				t.Errorf("%s: it is not clear what becomes of %s", p.Name, name)
			}
			for _, form := range rule.forms {
				for word := range strings.FieldsSeq(strings.NewReplacer("(", " ", ")", " ", "|", " ").Replace(form)) {
					if _, failed := render.FunctionNamed(word); failed != nil && !strings.ContainsAny(word, `"$0123456789`) {
						t.Errorf("%s: %s becomes %s, which is not here", p.Name, name, word)
					}
				}
			}
		}
	}
}

// FuzzTemplate finds texts of which no template comes out that can be parsed, or a panic.
func FuzzTemplate(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data), true)
		f.Add(string(archive.Files[0].Data), false)
	}
	for _, text := range []string{"", "{{", "{{`}}`}}", "{{ `a` }}{{/* } */}}", "{{ \"}}\" }}{{ '}' }}", "{{- getv \"/a\" -}}", "{{ (secret \"a\").Data.data }}", "{{ 1 | subtract }}", "{{ gets }}{{ range gets \"*\" }}{{ . }}{{ end }}", "{{ secret }}{{ indent -1 .x }}", "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}", "{{if(getv \"/a\")}}{{else if(get \"/b\")}}{{end}}", "{{with(0)}}{{(0).x}}{{end}}", "{{ range $p = tree $p }}{{ end }}"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, confd bool) {
		o := optionsOf(map[bool]string{true: "confd prefix=/p"}[confd])
		got, _, err := Template(text, o)
		if err != nil {
			return
		}
		tree := parse.New("new")
		tree.Mode = parse.SkipFuncCheck
		if _, err := tree.Parse(got, "{{", "}}", map[string]*parse.Tree{}); err != nil {
			t.Errorf("%q becomes %q: %v", text, got, err)
		}
	})
}

// Every function with more arguments than it takes, and with fewer, is refused or written as a
// template that can be parsed; no argument is lost in silence.
func TestArguments(t *testing.T) {
	for _, o := range []Options{optionsOf("confd prefix=/p"), optionsOf("")} {
		for name, rule := range o.Program.Rules {
			for n := range 6 {
				var args string
				for i := range n {
					args += fmt.Sprintf(" \"/argument%d\"", i)
				}
				for _, text := range []string{"{{ " + name + args + " }}", "{{ if " + name + args + " }}{{ end }}", "{{ \"/piped\" | " + name + args + " }}", "{{ range " + name + args + " }}{{ end }}"} {
					got, remarks, err := Template(text, o)
					if err != nil {
						t.Errorf("%s of %s: %v", text, o.Program.Name, err)
						continue
					}
					tree := parse.New("new")
					tree.Mode = parse.SkipFuncCheck
					if _, err := tree.Parse(got, "{{", "}}", map[string]*parse.Tree{}); err != nil {
						t.Errorf("%s of %s becomes %s: %v", text, o.Program.Name, got, err)
					}
					if rule.Verdict == Refused || len(remarks) > 0 {
						continue
					}
					for i := range n {
						if !strings.Contains(got, fmt.Sprintf("argument%d", i)) {
							t.Errorf("%s of %s becomes %s, and nothing is said", text, o.Program.Name, got)
							break
						}
					}
				}
			}
		}
	}
}

// The variables that are made are none of the template's own.
func TestVariables(t *testing.T) {
	for _, c := range []struct{ program, text, want string }{
		{"", `{{ $name := "x" }}{{ range tree "a" }}{{ $name }}{{ .Key }}{{ end }}`, `{{ $name := "x" }}{{ range $name2, $value2 := paramsOr dict "/a" }}{{ $name }}{{ $name2 }}{{ end }}`},
		{"", `{{ range $value := tree "a" }}{{ $value.Value }}{{ end }}`, `{{ range $name2, $value2 := paramsOr dict "/a" }}{{ $value2 }}{{ end }}`},
		{"", `{{ range tree "a" }}{{ range tree "b" }}{{ .Key }}{{ end }}{{ .Key }}{{ end }}`, `{{ range $name, $value := paramsOr dict "/a" }}{{ range $name2, $value2 := paramsOr dict "/b" }}{{ $name2 }}{{ end }}{{ $name }}{{ end }}`},
		{"", `{{ range $p := tree $p }}{{ end }}`, "{{/* TODO(migrate): old.tmpl:1:10: $p is used before it is set */ -}}\n{{ range $p := tree $p }}{{ end }}"},
		{"confd", `{{ $values := 1 }}{{ range getvs "/a/*" }}{{ . }}{{ end }}{{ $values }}`, `{{ $values := 1 }}{{ $values2 := list }}{{ range paramChildren "/a" }}{{ $values2 = append $values2 .Value }}{{ end }}{{ range sortAlpha $values2 }}{{ . }}{{ end }}{{ $values }}`},
	} {
		if got, _, err := Template(c.text, optionsOf(c.program)); err != nil || got != c.want {
			t.Errorf("%s becomes\n%s, want\n%s: %v", c.text, got, c.want, err)
		}
	}
}

// A template costs time by its length, whatever stands in it.
func TestTemplatesAreBounded(t *testing.T) {
	for name, text := range map[string]string{
		"parentheses": "{{ " + strings.Repeat("(", 1<<18) + "1" + strings.Repeat(")", 1<<18) + " }}",
		"blocks":      strings.Repeat("{{ if .a }}", 1<<14) + strings.Repeat("{{ end }}", 1<<14),
		"calls":       strings.Repeat("{{ key \"a\" }}\n", 1<<15),
		"refused":     strings.Repeat("{{ service \"a\" }}", 1<<15),
	} {
		began := time.Now()
		_, _, _ = Template(text, optionsOf("")) // it may be no template
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s take %v", name, took)
		}
	}
}
