package diff

import (
	"os"
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
	_ "github.com/rendered/rendered/internal/long"
)

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	jsonshape.Hold(t, "../../testdata/json/diff", reflect.TypeFor[Diff](), jsonshape.Words{
		"services[].files[].state":                jsonshape.Constants(t, "../../../../render/swap", "State"),
		"services[].files[].hunks[].lines[].sign": {" ", removed, added, remark, cut},
	})
	page, err := os.ReadFile("../../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Diff]())
}
