package watch

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/internal/command"
)

// Whoever is to hear of a failure and does not is asked again, and the log says so once, as what it
// is: no dependent has refused.
func TestFailureIsNotSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.service("svc", "@every 1m", nil, "f", `{{ param "p" }}`)
		s.OnFailure.Run.Args = []string{"page"}
		var heard, deaf atomic.Int32
		deaf.Store(3)
		w.run = func(_ context.Context, c command.Command, o command.Options) ([]byte, error) {
			if c.Args[0] != "page" || !strings.Contains(strings.Join(o.Env, "\n"), `"kind":"failed"`) {
				t.Errorf("it ran %v with %q", c.Args, o.Env)
			}
			if deaf.Add(-1) >= 0 {
				return nil, errRefused
			}
			heard.Add(1)
			return nil, nil
		}
		w.start() // there is no such parameter
		w.after(time.Second)
		const failing, unsaid = string(kindFailing), string(kindUnsaid)
		if w.logged("a failure is not said", "svc", unsaid) != 1 || w.logged(string(kindRefused)) > 0 || w.logged(failing) != 1 {
			t.Errorf("the log:\n%s", w.log.String())
		}
		if _, d := w.detail(); d.Unsaid == nil {
			t.Error("status says nothing of it")
		}
		w.after(30 * time.Second)
		if _, d := w.detail(); d.Unsaid != nil {
			t.Errorf("it was said, and status has %v", d.Unsaid)
		}
		if heard.Load() != 1 || w.logged("a failure is not said") != 1 || w.logged("on_failure: done", "svc", unsaid) != 1 {
			t.Errorf("it was heard %d times:\n%s", heard.Load(), w.log.String())
		}
		w.after(10 * time.Minute)
		if heard.Load() != 1 {
			t.Errorf("it was heard %d times", heard.Load())
		}
		w.values.set("p", "one")
		w.after(10 * time.Minute)
		w.want("f", "one")
		w.values.refuse("p", "AWS is away")
		w.after(10 * time.Minute)
		if heard.Load() != 2 || w.logged("on_failure: done") != 1 {
			t.Errorf("it was heard %d times:\n%s", heard.Load(), w.log.String())
		}
	})
}
