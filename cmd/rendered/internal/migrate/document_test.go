package migrate

import (
	"os"
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
)

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Document]())
	jsonshape.Hold(t, "../../testdata/json/migrate", reflect.TypeFor[Document](), nil)
}
