package render_test

import (
	"context"
	"sync"
	"testing"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
)

// counting notes what a source is asked for.
type counting struct {
	few
	mu    sync.Mutex
	asked map[sources.Ref]int
}

func (c *counting) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	c.mu.Lock()
	for _, r := range refs {
		c.asked[r]++
	}
	c.mu.Unlock()
	c.few.Fetch(ctx, refs, deliver)
}

// Whether something exists, what is one level below a path and what has a default is answered by
// what is looked up anyway: each ref is known beforehand and asked for once.
func TestQuestionsAskOnce(t *testing.T) {
	const text = `{{ params "/open" }}{{ paramsTree "/open" }}{{ paramsExist "/open" }}{{ paramChildren "/open" }}{{ paramDirs "/open" }}{{ paramsOr dict "/open" }}` +
		`{{ param "/env" }}{{ paramExists "/env" }}{{ paramOr "x" "/env" }}{{ paramList "/list" }}` +
		`{{ secret "s" }}{{ secretExists "s" }}{{ secretExists "s" "word" }}{{ secretOr "x" "s" "word" }}` +
		`{{ file "/f" }}{{ fileOr "x" "/f" }}{{ fileExists "/f" }}{{ paramExists "/none" }}{{ paramOr "x" "/none" }}`
	var body string
	for i := 0; i < len(text); { // what is given goes to a variable: some of it has no text
		body += string(text[i])
		if i++; body[max(len(body)-2, 0):] == "{{" {
			body += " $_ := "
		}
	}
	tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}})
	if faults != nil {
		t.Fatal(faults)
	}
	if got := len(tmpl.Refs()); got != 6 {
		t.Errorf("%d refs are known beforehand, want 6: %v", got, tmpl.Refs())
	}
	source := &counting{asked: make(map[sources.Ref]int)}
	snapshot := sources.NewSnapshot(source, 0)
	snapshot.Want(t.Context(), tmpl.Refs())
	if out, failed := tmpl.Execute(t.Context(), snapshot); failed != nil || len(out.Content) > 0 {
		t.Errorf("%q, %v", out.Content, failed)
	}
	for r, n := range source.asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", r, n)
		}
	}
	if len(source.asked) != 6 {
		t.Errorf("asked for %v", source.asked)
	}
}

// An else that is never reached is found, where the range is over the lookup itself.
func TestDeadElses(t *testing.T) {
	for body, want := range map[string]int{
		`{{ range params "/a" }}{{ . }}{{ else }}x{{ end }}{{ range $n, $x := params "/a" }}{{ else }}x{{ end }}`:                                2,
		`{{ range "/a" | params }}{{ . }}{{ else }}x{{ end }}{{ range paramsTree "/a" }}{{ else }}x{{ end }}`:                                    2,
		`{{ range list 1 2 }}{{ range params "/a" }}{{ else }}x{{ end }}{{ end }}`:                                                               1,
		`{{ range params "/a" }}{{ . }}{{ end }}{{ range paramsOr dict "/a" }}{{ else }}x{{ end }}{{ range paramList "/l" }}{{ else }}{{ end }}`: 0,
		`{{ range paramChildren "/a" }}{{ else }}x{{ end }}{{ $x := params "/a" }}{{ range $x }}{{ else }}{{ end }}`:                             0,
		`{{ range (paramsTree "/a").b }}{{ else }}x{{ end }}{{ range keys (params "/a") }}{{ else }}x{{ end }}`:                                  0,
	} {
		tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: body}})
		if faults != nil {
			t.Fatal(faults)
		}
		if got := tmpl.DeadElses(); len(got) != want {
			t.Errorf("%s: %v, want %d", body, got, want)
		}
	}
}
