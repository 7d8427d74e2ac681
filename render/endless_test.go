package render

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
)

// endless are templates that do not end, and where they are stopped.
var endless = map[string]string{
	`{{ range 1000000000000 }}{{ end }}`:                                                                       "t:1:10: ",
	"\n{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}":                                               "t:2:",
	`{{ define "x" }}{{ range 1000000 }}{{ range 1000000 }}{{ end }}{{ end }}{{ end }}` + `{{ template "x" }}`: "t:1:",
	`{{ template "_p" }}`: "_p:1:56: ",
}

func parseEndless(t *testing.T, body string) *Template {
	t.Helper()
	tmpl, faults := Parse(Options{Main: Text{Name: "t", Body: body}, Partials: []Text{{Name: "_p", Body: `{{ range 1000000000000 }}x{{ break }}{{ end }}{{ range 1000000000000 }}{{ end }}`}}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return tmpl
}

// A template that does not end is stopped when its time is over, and named.
func TestEndlessTemplateIsStopped(t *testing.T) {
	before := timeLimit
	defer func() { timeLimit = before }()
	timeLimit = 100 * time.Millisecond
	for body, place := range endless {
		out, failed := parseEndless(t, body).Execute(t.Context(), sources.NewSnapshot(nil, 0))
		if failed == nil || out.Content != nil || !strings.HasPrefix(failed.Error(), place) || !strings.Contains(failed.Error(), "the template runs for more than 100ms; does this end?") {
			t.Errorf("%s: %v", body, failed)
		}
	}
}

// It is stopped with the daemon as well.
func TestEndlessTemplateEndsWithItsContext(t *testing.T) {
	for body := range endless {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, failed := parseEndless(t, body).Execute(ctx, sources.NewSnapshot(nil, 0))
		if failed == nil || !strings.Contains(failed.Error(), "the render was stopped") {
			t.Errorf("%s: %v", body, failed)
		}
	}
}

// slowly answers after more time than a template may take.
type slowly struct{}

func (slowly) Fetch(_ context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	<-time.After(3 * timeLimit)
	for _, r := range refs {
		deliver(r, sources.Result{Value: sources.Value{Text: "x"}})
	}
}

// A slow lookup does not count as the template's time.
func TestLookupsAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, failed := parseEndless(t, `{{ param "/a" }}{{ range 3 }}y{{ end }}`).Execute(t.Context(), sources.NewSnapshot(slowly{}, time.Hour))
		if failed != nil || string(out.Content) != "xyyy" {
			t.Errorf("%q, %v", out.Content, failed)
		}
	})
}
