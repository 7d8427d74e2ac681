package render_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/funcs"
	"github.com/rendered/rendered/sources"
)

// goWords are what Go calls its types.
var goWords = regexp.MustCompile(`interface \{\}|map\[|\[\]|<nil>|json\.|funcs\.|reflect|\bstring\b|\bint\b|\bint64\b|\bfloat64\b|\bbool\b|panic|runtime|Value\b.*type`)

// Whatever a function is given, what is said about it names no type of Go, holds no value, and the
// file gets no notation of Go. Without -long a third of the calls are tried.
func TestWrongArgumentsAreSaidInWords(t *testing.T) {
	render.Computes(t)
	dir := t.TempDir()
	values := `secrets: {s: '{"m": {"h": "canary"}, "l": ["canary", {"h": "canary"}], "n": 5, "r": 1.50, "t": "canary", "b": true, "z": null, "q": [null]}'}`
	if err := os.WriteFile(filepath.Join(dir, "values.yaml"), []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	snapshot := sources.NewSnapshot(source(dir), 0)
	pool := []string{`(secretMap "s" "m")`, `(secretMap "s" "l")`, `(secretMap "s" "n")`, `(secretMap "s" "r")`, `(secretMap "s" "t")`, `(secretMap "s" "b")`, `(secretMap "s" "z")`, `(secretMap "s").z`, `(index (secretMap "s") "z")`, `(index (secretMap "s" "q") 0)`, `nil`, `"x"`, `3`, `1.5`, `true`}
	said := make(map[string]int)
	for at, name := range append(funcs.Names(), "len", "not", "call", "secret", "secretOr", "param", "params", "file", "env") {
		if strings.HasPrefix(name, "must") {
			continue // like those without it
		}
		var calls []string
		for i, a := range pool {
			calls = append(calls, name+" "+a, name+" "+a+" | print")
			for j := range pool {
				if (i+j)%long.Or(len(pool), 4) == 0 {
					calls = append(calls, name+" "+a+" "+pool[j])
				}
			}
			calls = append(calls, name+` "x" "y" `+a, name+" "+a+` "x" "y"`, name+` 1 2 `+a, name+" 1 "+a+" 2", "range "+name+" "+a, "with "+name+" "+a)
		}
		for i, call := range calls {
			if !long.Asked() && (at+i)%3 > 0 {
				continue
			}
			if strings.HasPrefix(call, "range") || strings.HasPrefix(call, "with") {
				call += " }}{{ . }}{{ end"
			}
			tmpl, faults := render.Parse(render.Options{Main: render.Text{Name: "t", Body: "{{ " + call + " }}"}, Dir: dir})
			if len(faults) == 0 {
				out, failed := tmpl.Execute(t.Context(), snapshot)
				if failed == nil {
					if text := string(out.Content); strings.Contains(text, "map[") || strings.Contains(text, "nil>") || strings.Contains(text, "%!") || strings.Contains(text, "[canary") || strings.Contains(text, "interface") {
						t.Errorf("%s gives %q", call, text)
					}
					continue
				}
				faults = append(faults, failed)
			}
			for _, f := range faults {
				what := strings.Join(append([]string{f.What}, f.Hints...), "\n")
				said[f.What]++
				// These words are names of functions, too.
				what = strings.TrimPrefix(strings.TrimPrefix(strings.ReplaceAll(what, "float64:", ""), "int64:"), "int:")
				what = regexp.MustCompile(`\b(int|int64|float64|toString) (takes|does|cannot|makes|VALUE)|\((int|toString) `).ReplaceAllString(what, "")
				if strings.HasSuffix(f.What, "it is of another type") {
					t.Errorf("%s: %s", call, f.What)
				}
				if found := goWords.FindString(what); found != "" || strings.Contains(what, "canary") {
					t.Errorf("%s: %q says %s", call, found, what)
				}
			}
		}
	}
	t.Logf("%d messages", len(said))
	for _, vague := range []string{"this cannot be executed", "a value of this type does not fit here"} {
		if said[vague] > 0 {
			t.Errorf("%q is said %d times", vague, said[vague])
		}
	}
}
