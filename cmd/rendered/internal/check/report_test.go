package check

import (
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/jsonshape"
)

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	rules := slices.Clone(areas)
	for _, rule := range config.Rules {
		rules = append(rules, string(rule.Name))
	}
	jsonshape.Hold(t, "../../testdata/json/check", reflect.TypeFor[Report](), jsonshape.Words{
		"findings[].severity": {string(Error), string(Warning)},
		"findings[].rule":     rules,
	})
	page, err := os.ReadFile("../../../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Report]())
}
