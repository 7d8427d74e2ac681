package outcome

import (
	"os"
	"reflect"
	"testing"

	"github.com/rendered/rendered/internal/jsonshape"
	_ "github.com/rendered/rendered/internal/long"
	"github.com/rendered/rendered/watch"
)

// healthStates are those that a Health may be in.
var healthStates = []string{string(watch.Current), string(watch.Proving), string(watch.RolledBack), string(watch.Unhealthy)}

// What programs read stays what it is.
func TestDocument(t *testing.T) {
	jsonshape.Hold(t, "../../testdata/json/refresh", reflect.TypeFor[Outcome](), jsonshape.Words{
		"services[].files[].state": jsonshape.Constants(t, "../../../../render/swap", "State"),
		"notices[].state":          {Told, Refused, Owed},
		"health[].state":           healthStates,
	})
	jsonshape.Hold(t, "../../testdata/json/reload", reflect.TypeFor[Reload](), jsonshape.Words{
		"outcome.services[].files[].state": jsonshape.Constants(t, "../../../../render/swap", "State"),
		"outcome.notices[].state":          {Told, Refused, Owed},
		"outcome.health[].state":           healthStates,
	})
	page, err := os.ReadFile("../../../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	jsonshape.Documented(t, string(page), reflect.TypeFor[Outcome]())
	jsonshape.Documented(t, string(page), reflect.TypeFor[Reload]())
}
