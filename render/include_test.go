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
