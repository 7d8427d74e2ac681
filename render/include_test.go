package render_test

import (
	"strings"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// What an included template prints is no text of the template alone, whatever function it goes
// through: who shows the file hides it.
func TestIncludedIsHidden(t *testing.T) {
	body := `{{ define "p" }}user {{ param "/a" }}{{ print "-" }}{{ end }}{{ print "shown" }} {{ include "p" . | upper }} {{ include "p" . | b64enc }}` + "\n" + `{{ template "p" . }}`
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Trace: true, TrackValues: true})
	if faults != nil {
		t.Fatal(faults)
	}
	out, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(one("canary"), 0))
	if failed != nil {
		t.Fatal(failed)
	}
	shown, end := "", 0
	for _, p := range out.Parts() {
		shown, end = shown+string(out.Content[end:p.Start])+"‹›", p.End
	}
	if shown += string(out.Content[end:]); shown != "shown ‹› ‹›\nuser ‹›-" {
		t.Errorf("%q of %q", shown, out.Content)
	}
	if strings.Contains(strings.ToLower(shown), "canary") {
		t.Error(shown)
	}
}

// What a template may call is there when it is executed, however its name is given.
func TestCallable(t *testing.T) {
	parts := render.Text{Name: "_parts.tmpl", Body: `{{ define "a" }}A{{ template "b" . }}{{ end }}{{ define "b" }}B{{ end }}{{ define "self" }}{{ if . }}S{{ template "self" false }}{{ end }}{{ end }}`}
	for body, gives := range map[string]string{
		`{{ template "a" . }}`:                                               "AB",
		`{{ include "a" . }}`:                                                "AB",
		`{{ include ("a") . }}`:                                              "AB",
		`{{ include (print "a") . }}`:                                        "AB",
		`{{ $n := "a" }}{{ include $n . | lower }}`:                          "ab",
		`{{ . | include "a" }}`:                                              "AB",
		`{{ upper (include "a" .) }}`:                                        "AB",
		`{{ if false }}{{ else }}{{ template "a" }}{{ end }}`:                "AB",
		`{{ range list 1 2 }}{{ include "b" . }}{{ end }}`:                   "BB",
		`{{ block "own" . }}{{ template "b" . }}{{ end }}`:                   "B",
		`{{ template "self" true }}`:                                         "S",
		`{{ define "a2" }}{{ include "a" . }}{{ end }}{{ template "a2" . }}`: "AB",
		`none`: "none",
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Partials: []render.Text{parts}})
		if len(faults) > 0 {
			t.Errorf("%s: %v", body, faults)
			continue
		}
		for range 2 {
			output, failed := tmpl.Execute(t.Context(), sources.NewSnapshot(nil, 0))
			if failed != nil || string(output.Content) != gives {
				t.Errorf("%s gives %q, not %q: %v", body, output.Content, gives, failed)
			}
		}
	}
}
