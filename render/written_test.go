package render_test

import (
	"testing"

	"github.com/rendered/rendered/render"
)

// A lookup says whether its name stands in the template, or is made by it.
func TestWrittenNames(t *testing.T) {
	for body, want := range map[string]bool{
		`{{ secret "prod/db" }}`:                                true,
		"{{ param `/a` }}":                                      true,
		`{{ "prod/db" | secret }}`:                              true,
		`{{ secretOr "x" "prod/db" }}`:                          true,
		`{{ "prod/db" | secretOr "x" }}`:                        true,
		`{{ awsRegion }}`:                                       true,
		`{{ secret .name }}`:                                    false,
		`{{ secret (printf "%s/db" "prod") }}`:                  false,
		`{{ printf "%s/db" "prod" | secret }}`:                  false,
		`{{ range list "a" "b" }}{{ secret . }}{{ end }}`:       false,
		`{{ with param "/a" }}{{ secretOr "x" . }}{{ end }}`:    false,
		`{{ $name := "prod/db" }}{{ secret $name "password" }}`: false,
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}, Vars: map[string]any{"name": "prod/db"}})
		if len(faults) > 0 {
			t.Errorf("%s: %v", body, faults)
			continue
		}
		list := tmpl.Lookups()
		if got := list[len(list)-1].Written; got != want {
			t.Errorf("%s: written is %v", body, got)
		}
	}
}
