package watch

import (
	"testing"
	"testing/synctest"
	"time"
)

// A service, or a dependent, that something holds up for ever is named in the log, once; the others
// go on in silence.
func TestLateServiceIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "hangs", pause: -1}
		w.service("a", "@every 1m", nil, "f", `{{ secret "never" }}`)
		w.service("b", "@every 1m", []*dependent{d}, "g", `{{ secret "s" }}`)
		w.values.delay("never", -1)
		w.values.set("s", "1")
		w.start()
		w.after(4 * time.Minute)
		if n := w.logged("still at work"); n != 0 {
			t.Errorf("%d lines of it after four minutes", n)
		}
		w.after(time.Hour)
		if n, others := w.logged("still at work", "level=WARN", "service=a"), w.logged("still at work", "service=b"); n != 1 || others != 0 {
			t.Errorf("%d lines of the one and %d of the other", n, others)
		}
		if n := w.logged("still being told", "level=WARN", "notice=hangs"); n != 1 {
			t.Errorf("%d lines of the dependent", n)
		}
	})
}
