package render_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

const canary = "canary-9f2c"

// everything answers every lookup with the canary.
type everything struct{}

func (everything) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	for _, r := range refs {
		v := sources.Value{Text: `{"k":"` + canary + `","l":["` + canary + `",1.10]}`, Secret: true}
		switch {
		case r.Kind == sources.Params:
			v = sources.Value{Params: map[string]string{"a": canary, "b/c": canary}, Secret: true}
		case strings.Contains(r.Name, "list"):
			// A StringList is never encrypted, so no secret.
			v = sources.Value{Text: "w,x", List: []string{"w", "x"}}
		}
		deliver(r, sources.Result{Value: v})
	}
}

// Whatever the template, Parse and Execute return, every fault has a place, and none holds a value.
func FuzzTemplate(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range cases {
		if archive, err := txtar.ParseFile(path); err == nil && len(archive.Files) > 0 {
			f.Add(string(archive.Files[0].Data))
		}
	}
	f.Add(`{{ range $i, $e := secretMap "a" "l" }}{{ $i }}{{ printf "%d" $e }}{{ end }}{{ index (params "/x") "zz" }}`)
	f.Add(`{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}`)
	f.Add(`{{ (secret "a").Data.x }}{{ .env.x }}{{ slice (secret "a") 1000 }}{{ len 3 }}{{ and (secret "a") .x }}{{ call (secret "a") }}`)
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "canary") || strings.Contains(body, "range 1") || len(body) > 4096 {
			return
		}
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Dir: "/nowhere", Vars: map[string]any{"env": "prod", "list": []any{"a", "b"}}})
		for _, fault := range faults {
			if fault.Place.Line == 0 {
				t.Errorf("%v has no place", fault)
			}
		}
		if tmpl == nil {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, failed := tmpl.Execute(ctx, sources.NewSnapshot(everything{}, 0))
		if failed != nil && strings.Contains(failed.Text(), canary) {
			t.Errorf("%q: a value in %s", body, failed.Text())
		}
	})
}
