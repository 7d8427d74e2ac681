package lookups

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
	_ "github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/sources"
)

// What programs read stays what it is, and is documented; a policy is IAM's.
func TestDocuments(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(text), "\n## For programs\n")
	var kinds []string
	for _, kind := range sources.Kinds(func(sources.Traits) bool { return true }) {
		kinds = append(kinds, string(kind))
	}
	for name, c := range map[string]struct {
		document reflect.Type
		lookups  []string // where they are in it
	}{
		"lookups":    {reflect.TypeFor[listing](), []string{"lookups[]"}},
		"uses":       {reflect.TypeFor[usage](), []string{"uses[].lookups[]", "unknown[]"}},
		"iam-policy": {reflect.TypeFor[rights](), []string{"unknown[]"}},
	} {
		words := make(jsonshape.Words)
		for _, list := range c.lookups {
			words[list+".kind"], words[list+".found"] = kinds, []string{"written", "derived", "computed"}
		}
		jsonshape.Hold(t, "../../testdata/json/"+name, c.document, words)
		jsonshape.Documented(t, page, c.document)
	}
}
