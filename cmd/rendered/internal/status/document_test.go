package status

import (
	"os"
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
)

// What programs read stays what it is.
func TestDocuments(t *testing.T) {
	jsonshape.Hold(t, "../../testdata/json/status", reflect.TypeFor[Status](), jsonshape.Words{
		"services[].state":         jsonshape.Constants(t, "../../../../watch", "State"),
		"services[].rollout.stage": jsonshape.Constants(t, "../../../../watch/ledger", "Stage"),
	})
	jsonshape.Hold(t, "../../testdata/json/history", reflect.TypeFor[History](), jsonshape.Words{
		"events[].kind": jsonshape.Constants(t, "../../../../watch/ledger", "Kind"),
		"events[].why":  jsonshape.Constants(t, "../../../../watch", "Reason"),
	})
	jsonshape.Hold(t, "../../testdata/json/pause", reflect.TypeFor[Pauses](), nil)
	jsonshape.Hold(t, "../../testdata/json/resume", reflect.TypeFor[Resumed](), nil)
	page, err := os.ReadFile("../../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Status]())
	jsonshape.Documented(t, string(page), reflect.TypeFor[History]())
	jsonshape.Documented(t, string(page), reflect.TypeFor[Pauses]())
	jsonshape.Documented(t, string(page), reflect.TypeFor[Resumed]())
}
