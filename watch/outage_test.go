package watch

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/sources"
)

// AWS away is one line in the log, however many services and lookups meet it; so is its return. A
// service that meets it longer than the one it was said of is named then, and trouble of its own
// each service has to itself.
func TestOutageIsSaidOnce(t *testing.T) {
	for _, reason := range []sources.Reason{sources.Unavailable, sources.Credentials, sources.Throttled} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for i := range 4 {
				w.service(fmt.Sprint("app", i), "@every 1m", nil, fmt.Sprint("f", i), fmt.Sprintf(`{{ secret "s%d" }}{{ param "/p%[1]d" }}`, i))
			}
			each := func(f func(name string)) {
				for i := range 4 {
					f(fmt.Sprint("s", i))
					f(fmt.Sprint("/p", i))
				}
			}
			each(func(name string) { w.values.set(name, "v") })
			w.start()
			w.after(time.Minute)
			each(func(name string) { w.values.refuse(name, reason) })
			w.after(20 * time.Minute)
			if n := w.logged("level=WARN"); n != 1 {
				t.Errorf("%s: %d warnings:\n%s", reason, n, w.log.String())
			}
			each(func(name string) { w.values.refuse(name, "") })
			w.after(20 * time.Minute)
			if n := w.logged("level=INFO", "up to date again"); n != 1 {
				t.Errorf("%s: it is over %d times:\n%s", reason, n, w.log.String())
			}

			w.log.Reset()
			each(func(name string) { w.values.refuse(name, sources.Denied) })
			w.after(20 * time.Minute)
			if n := w.logged("level=WARN"); n != 4 { // a template ends at the first
				t.Errorf("%d warnings of what is each one's own:\n%s", n, w.log.String())
			}

			each(func(name string) { w.values.refuse(name, reason) })
			w.after(20 * time.Minute)
			w.log.Reset()
			for i := range 3 {
				w.values.refuse(fmt.Sprint("s", i), "")
				w.values.refuse(fmt.Sprint("/p", i), "")
			}
			w.after(20 * time.Minute)
			if n := w.logged("level=WARN", "service=app3"); n > 1 || w.logged("level=WARN") != n {
				t.Errorf("%s: %d warnings of the one that goes on:\n%s", reason, n, w.log.String())
			}
		})
	}
}
