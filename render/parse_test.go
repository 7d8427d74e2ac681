package render_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// Templates of one parser that have texts in common are as if each had its own.
func TestParserSharesTexts(t *testing.T) {
	partial := render.Text{Name: "_p", Body: "{{ define \"q\" }}{{ .env }}{{ end }}a: {{ secret .name }}\n"}
	yaml, err := format.Parse("yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p render.Parser
	parse := func(body, env string, more ...render.Text) (*render.Template, string) {
		tmpl, faults := p.Parse(render.Options{
			Main:        render.Text{Name: "t", Body: body},
			Partials:    append([]render.Text{partial}, more...),
			Vars:        map[string]any{"env": env, "name": "of-" + env},
			TrackValues: true,
		})
		var text strings.Builder
		for _, f := range faults {
			text.WriteString(f.Text())
		}
		return tmpl, text.String()
	}
	const body = "{{ template \"q\" . }}: {{ secret \"s\" | toJson }}\n{{ template \"_p\" . }}"
	var wait sync.WaitGroup
	for _, env := range []string{"prod", "test"} {
		if _, faults := parse("{{ nonesuch }}", env); !strings.HasPrefix(faults, "t:1:4: unknown function") {
			t.Errorf("%s: a faulty template gives %s", env, faults)
		}
		if _, faults := parse(body, env, render.Text{Name: "_r", Body: "{{ define \"q\" }}x{{ end }}"}); !strings.Contains(faults, `_r:1:17: template "q" is defined a second time; the first is in _p`) {
			t.Errorf("%s: a template that is defined twice gives %s", env, faults)
		}
		if _, faults := parse("{{ template \"_p\" }}{{ template \"_r\" }}", env, render.Text{Name: "_r", Body: "{{ if }}"}); !strings.HasPrefix(faults, "_r:1:1: missing value") {
			t.Errorf("%s: a faulty partial gives %s", env, faults)
		}
		tmpl, faults := parse(body, env)
		if faults != "" {
			t.Fatal(faults)
		}
		if refs := tmpl.Refs(); len(refs) != 2 || refs[1].Name != "of-"+env {
			t.Errorf("%s: it looks up %v", env, refs)
		}
		file := render.File{Target: swap.Target{Path: "/f"}, Format: yaml, Template: tmpl}
		wait.Go(func() { // while others are parsed
			for secret, want := range map[string]string{"v": "", "v\nadmin: true": "_p:1:42: the value of secret "} {
				got, _, failed := file.Render(t.Context(), sources.NewSnapshot(answer(secret), 0))
				if failed != nil {
					t.Errorf("%s: %v", env, failed)
					continue
				}
				if failed := got.Judge(); want == "" && (failed != nil || string(got.Content) != env+": \"v\"\na: v\n") || want != "" && (failed == nil || !strings.HasPrefix(failed.Text(), want)) {
					t.Errorf("%s: %q, %v", env, got.Content, failed)
				}
			}
		})
	}
	wait.Wait()
	tmpl, faults := p.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Left: "<<", Right: ">>"})
	if faults != nil {
		t.Fatal(faults)
	}
	if out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(few{}, 0)); failed != nil || string(out.Content) != body {
		t.Errorf("with other delimiters: %q, %v", out.Content, failed)
	}
}
