package manual

import (
	"os"
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
)

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Document]())
	jsonshape.Hold(t, "../../testdata/json/functions", reflect.TypeFor[Document](), nil)
}
