package render_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// eachFile makes a file for each element of what a pipeline gives.
func eachFile(t *testing.T, pipeline, body string, o render.Options) (*render.File, fault.List) {
	t.Helper()
	e, faults := render.ParseEach(render.Options{Main: render.Text{Name: "each", Body: pipeline}, Vars: o.Vars})
	if len(faults) > 0 {
		return nil, faults
	}
	e.Path = func(key string) (string, *fault.Fault) { return "/sites/" + key, nil }
	o.Main, o.Each = render.Text{Name: "body", Body: body}, e
	tmpl, faults := render.Parse(o)
	if len(faults) > 0 {
		return nil, faults
	}
	return &render.File{Target: swap.Target{Path: "/sites/*"}, Template: tmpl, Each: e}, nil
}

// answers has what is looked up, by the ref's text.
type answers map[string]sources.Result

func (a answers) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		if result, known := a[r.String()]; known {
			deliver(r, result)
		} else {
			deliver(r, sources.Result{Err: &sources.Error{Ref: r, Reason: sources.Missing}})
		}
	}
}

var eachAnswers = answers{
	"secret sites": {Value: sources.Value{Text: `{"b": {"p": "c4n4ry: x"}, "a": {"p": "two"}, "list": ["one", "two"]}`, Secret: true}},
	"secret named": {Value: sources.Value{Text: `{"a": "c4n4ry", "b": "b"}`, Secret: true}},
	"params /p":    {Value: sources.Value{Params: map[string]string{"x": "1", "y/z": "2"}}},
}

// What a file is made for each of is a map or a list, in the order of its keys; or it is said at its
// place what is wrong.
func TestEach(t *testing.T) {
	vars := map[string]any{"list": []any{"v", "w"}, "map": map[string]any{"k": map[string]any{"n": int64(3)}}, "text": "t", "none": map[string]any{}}
	many := make([]any, render.MostItems+1)
	for i := range many {
		many[i] = "x"
	}
	vars["many"] = many
	for pipeline, want := range map[string]string{
		`secretMap "sites" "list"`:              "/sites/0=one /sites/1=two",
		`.list`:                                 "/sites/0=v /sites/1=w",
		`.none`:                                 "",
		`get .map "k"`:                          "/sites/n=3",
		`secretMap "named"`:                     "/sites/a=c4n4ry /sites/b=b",
		`dict (secret "named" "a") "x"`:         "each:1:1: each: gives a key that is the value of secret named \"a\"",
		`dict (upper (secret "named" "a")) "x"`: "each:1:1: each: gives a key that is made of a secret",
		`dict (printf "n-%s" (secret "named" "a") | sha256sum) "x"`: "each:1:1: each: gives a key that is made of a secret",
		`dict "fixed" (secret "named" "a")`:                         "/sites/fixed=c4n4ry",
		`dict .text (secret "named" "a")`:                           "/sites/t=c4n4ry",
		`splitList "4" (secret "named" "a")`:                        "/sites/0=c /sites/1=n /sites/2=ry",
		`params "/p"`:                                               "each:1:1: the key \"y/z\" has a / in it",
		`secretMap "none"`:                                          "each:1:1: secret none does not exist",
		`.many`:                                                     "each: gives more than 1000 elements",
		`secret "sites" "a" "p"`:                                    "each:1:1: ",
		`.text`:                                                     "each:1:1: ",
		`.lst`:                                                      "each:1:1: there is no lst; did you mean list?",
		`3`:                                                         "each:1:1: ",
		``:                                                          "each:1:",
		`.list }}{{ end }}{{ range $a, $b := .list`:   "each:1:1: each: takes one pipeline",
		`.list }}x{{ else }}y`:                        "each:1:1: each: takes one pipeline",
		`.list }}{{ define "x" }}{{ end }}{{ if .map`: "each:1:1: ",
		`$x := .list`: "each:1:",
	} {
		f, faults := eachFile(t, pipeline, "{{ .value }}", render.Options{Vars: vars})
		got := ""
		if len(faults) == 0 {
			snapshot := sources.NewSnapshot(eachAnswers, 0)
			var list []*render.File
			if list, _, faults = f.Expand(t.Context(), snapshot); len(faults) == 0 {
				var texts []string
				for _, one := range list {
					r, _, failed := one.Render(t.Context(), snapshot)
					if failed != nil {
						t.Errorf("%s: %v", pipeline, failed)
						continue
					}
					texts = append(texts, one.Path+"="+string(r.Content))
				}
				got = strings.Join(texts, " ")
			}
		}
		if len(faults) > 0 {
			if got = faults[0].Error(); !strings.Contains(got, want) || want == "" || strings.Contains(faults[0].Text(), "c4n4ry") || strings.Contains(faults[0].Text(), "range $key") {
				t.Errorf("%s: it says\n%s, want %q", pipeline, faults[0].Text(), want)
			}
			continue
		}
		if got != want {
			t.Errorf("%s gives %s, want %s", pipeline, got, want)
		}
	}
}

// A value of each is a lookup's: it is hidden where a file is shown, keeps the structure of the
// file, and is in no error; the key is a name.
func TestValueOfEach(t *testing.T) {
	snapshot := sources.NewSnapshot(eachAnswers, 0)
	expand := func(body string, o render.Options) map[string]*render.File {
		f, faults := eachFile(t, `omit (secretMap "sites") "list"`, body, o)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		list, asked, faults := f.Expand(t.Context(), snapshot)
		if len(faults) > 0 || len(asked) != 1 || len(f.Refs()) != 1 || len(f.Lookups()) == 0 {
			t.Fatal(faults, asked, f.Refs(), f.Lookups())
		}
		files := make(map[string]*render.File)
		for _, one := range list {
			files[one.Key()] = one
		}
		return files
	}
	traced := expand("{{ .key }} {{ .value.p }}", render.Options{Trace: true})
	r, _, failed := traced["b"].Render(t.Context(), snapshot)
	if failed != nil || string(r.Content) != "b c4n4ry: x" {
		t.Fatal(failed, r)
	}
	if parts := r.Parts(); len(parts) != 1 || string(r.Content[parts[0].Start:parts[0].End]) != "c4n4ry: x" {
		t.Errorf("hidden are %v", parts)
	}
	yaml, err := format.Parse("yaml")
	if err != nil {
		t.Fatal(err)
	}
	tracked := expand("p: {{ .value.p }}\n", render.Options{TrackValues: true})
	for key, want := range map[string]string{"a": "", "b": `the value of secret sites "b" "p" changes the structure of the YAML around it`} {
		tracked[key].Format = yaml
		r, _, failed := tracked[key].Render(t.Context(), snapshot)
		if failed != nil {
			t.Fatal(failed)
		}
		if failed = r.Judge(); (failed == nil) != (want == "") || failed != nil && (!strings.Contains(failed.What, want) && !strings.Contains(failed.What, "line") || strings.Contains(failed.Text(), "c4n4ry")) {
			t.Errorf("%s: %v", key, failed)
		}
	}
	for _, body := range []string{`{{ .value.q }}`, `{{ secret (printf "x/%s" .value.p) }}`, `{{ .value }}`, `{{ index .value.p 3 "x" }}`} {
		_, _, failed := expand(body, render.Options{})["b"].Render(t.Context(), snapshot)
		if failed == nil || !strings.HasPrefix(failed.What, `for the key "b": `) || strings.Contains(failed.Text(), "c4n4ry") {
			t.Errorf("%s: it says %s", body, fmt.Sprint(failed))
		}
	}
}

func TestMakes(t *testing.T) {
	for _, c := range []struct {
		of, path string
		want     bool
	}{
		{"/a/b", "/a/b", true}, {"/a/b", "/a/c", false},
		{"/a/*.conf", "/a/x.conf", true}, {"/a/*.conf", "/a/x.conf.conf", true}, {"/a/*.conf", "/a/.conf", false},
		{"/a/*.conf", "/a/x/y.conf", false}, {"/a/*.conf", "/a/x.cont", false}, {"/a/*", "/a/", false}, {"/a/*", "/a", false},
		{"/a/*/*.conf", "/a/x/x.conf", true}, {"/a/*/*.conf", "/a/x/y.conf", false}, {"/a/*-*", "/a/x-y-x-y", true},
	} {
		if got := render.Makes(c.of, c.path); got != c.want {
			t.Errorf("%s makes %s: %v", c.of, c.path, got)
		}
	}
}
