package migrate

import (
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
)

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	jsonshape.Hold(t, "../../testdata/json/migrate", reflect.TypeFor[Document](), nil)
}
