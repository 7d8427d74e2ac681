package render

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/local"
)

// The JSON of a secret is checked once in a pass, whatever is looked up of it, and by whom.
func TestJSONIsCheckedOnceInAPass(t *testing.T) {
	path := filepath.Join(t.TempDir(), "values.yaml")
	values := "secrets:\n  db: {user: app, password: hunter2}\n  list: [1, [2, 3]]\n  text: no JSON\n"
	if err := os.WriteFile(path, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	templates := make(map[*Template]string) // and what they give; "" where they fail
	for body, gives := range map[string]string{
		`{{ secret "db" "user" }} {{ secret "db" "password" }} {{ secretOr "none" "db" "port" }}`:       "app hunter2 none",
		`{{ range secretMap "list" 1 }}{{ . }} {{ end }}{{ secret "list" 0 }} {{ secret "db" "user" }}`: "2 3 1 app",
		`{{ secret "text" }} {{ (secretMap "db").user }}`:                                               "no JSON app",
		`{{ secret "text" "user" }}`: "",
		`{{ secretMap "text" }}`:     "",
	} {
		template, faults := Parse(Options{Main: Text{Name: "t", Body: body}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		templates[template] = gives
	}
	var checks atomic.Int64
	check := checkJSON
	t.Cleanup(func() { checkJSON = check })
	checkJSON = func(text []byte) error {
		checks.Add(1)
		return check(text)
	}
	for pass := range 3 {
		snapshot := sources.NewSnapshot(local.NewValues(path), 0)
		var all sync.WaitGroup
		for template, gives := range templates {
			for range 4 {
				all.Go(func() {
					output, failed := template.Execute(t.Context(), snapshot)
					if string(output.Content) != gives || (failed != nil) != (gives == "") {
						t.Errorf("%q, not %q: %v", output.Content, gives, failed)
					}
				})
			}
		}
		all.Wait()
		if n := checks.Swap(0); n != 3 {
			t.Errorf("pass %d checked the JSON of 3 secrets %d times", pass, n)
		}
	}
}
