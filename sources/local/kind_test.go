package local

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rendered/rendered/sources"
)

// A kind that has a section is read from it, and what is not there is missing; of any other a
// values file holds nothing.
func TestEveryKindIsReadFromItsSection(t *testing.T) {
	var text strings.Builder
	name := func(kind sources.Kind) string {
		return cmp.Or(map[sources.Kind]string{sources.Own: "region", sources.Params: "/a"}[kind], "/a/b")
	}
	for _, kind := range sections {
		fmt.Fprintf(&text, "%s: {%s: text}\n", kind.Traits().Section, name(kind))
	}
	path := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range sources.Kinds(func(sources.Traits) bool { return true }) {
		r, err := sources.ParseRef(kind, name(kind))
		if err != nil {
			t.Fatal(err)
		}
		NewValues(path).Fetch(context.Background(), []sources.Ref{r}, func(_ sources.Ref, got sources.Result) {
			switch traits := kind.Traits(); {
			case traits.Section == "":
				if got.Err == nil || got.Err.Reason != sources.Unanswerable {
					t.Errorf("%s: %v", r, got.Err)
				}
			case got.Err != nil:
				t.Errorf("%s: %v", r, got.Err)
			case got.Value.Text+got.Value.Params["b"] != "text":
				t.Errorf("%s is not read", r)
			}
		})
	}
}
