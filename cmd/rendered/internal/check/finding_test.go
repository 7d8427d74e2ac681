package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	_ "github.com/rendered/rendered/internal/long"
)

// Nothing in a finding ends its annotation, or is taken for more of it.
func TestAnnotation(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	f := Finding{Severity: Warning, Rule: "a-rule", What: "50% of\r\nit: a, b::", File: filepath.Join(dir, "a,b:c%\n.yaml"), Line: 3, Hints: []string{"do", "this"}}
	const want = "::warning file=a%2Cb%3Ac%25%0A.yaml,line=3,title=rendered check%3A a-rule::50%25 of%0D%0Ait: a, b::%0Ado%0Athis"
	if got := f.annotation(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Finding{Severity: Error, Rule: "queue", What: "x", File: ""}).annotation(); got != "::error title=rendered check%3A queue::x" {
		t.Error(got)
	}
	if got := console.Relative("/etc/x"); got != "/etc/x" {
		t.Error(got)
	}
}

// The end of a finding is that of the word that begins at its column.
func TestEnd(t *testing.T) {
	for _, c := range []struct {
		line   string
		column int
		want   string // what is marked; "": nothing
	}{
		{"  destination: /x", 3, "destination:"}, {"a {{ if }} b", 3, "{{ if }}"}, {`x: "a b", y`, 4, `"a b"`}, {`{{ secrt "a" }}`, 4, "secrt"}, {`(param "/x")`, 2, "param"},
		{"é [1m]", 3, "["}, {"x", 2, ""}, {"", 1, ""}, {"x", 0, ""}, {`say "what`, 5, `"`},
	} {
		end, marked := endOf(c.line, c.column), ""
		if end > 0 {
			marked = string([]rune(c.line)[c.column-1 : end-1])
		}
		if marked != c.want {
			t.Errorf("%s: %q, want %q", c.line, marked, c.want)
		}
	}
}

// What is documented is what findings are of.
func TestAreas(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, area := range areas {
		if !strings.Contains(string(page), "\n| "+area+" |") {
			t.Errorf("docs/check.md does not say what %s is", area)
		}
	}
}
