package watch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/rendered/rendered/internal/fault"
)

// A reload says which services are new, changed and removed, and waits for one look at each.
func TestReloadSaysWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d"}
		w.service("a", "@every 1h", nil, "a", `{{ secret "s" }}`)
		w.service("b", "@every 1h", []*dependent{d}, "b", `{{ secret "s" }}`)
		w.values.set("s", "one")
		w.start()
		w.plan = &Plan{Source: w.values}
		w.service("b", "@every 2h", []*dependent{d}, "b", `new {{ secret "s" }}`)
		w.service("c", "@every 1h", nil, "c", `{{ secret "s" }}`)
		before := w.values.lookups("s")
		came, r, err := w.loop.For("root").ReloadAndWait(context.Background())
		if got := fmt.Sprint(came, err); got != "{2 [c] [b] [a]} <nil>" {
			t.Error(got)
		}
		if len(r.Outcomes) != 2 || r.Failed() || len(r.Notices) != 1 || w.values.lookups("s") != before+1 {
			t.Errorf("%+v; %d lookups", r, w.values.lookups("s")-before)
		}
		w.plan.Faulty = []Faulty{{Service: "x", Faults: fault.List{{What: "no path"}}}}
		if came, err := w.loop.For("root").Reload(context.Background()); fmt.Sprint(came) != "{2 [] [] []}" || !errors.As(err, new(Unfit)) {
			t.Errorf("%v, %v", came, err)
		}
		w.load = func() (*Plan, error) { return nil, errors.New("no YAML") }
		if came, r, err := w.loop.For("root").ReloadAndWait(context.Background()); fmt.Sprint(came) != "{2 [] [] []}" || err == nil || len(r.Outcomes) != 2 {
			t.Errorf("%v, %v, %v", came, err, r.Outcomes)
		}
	})
}
