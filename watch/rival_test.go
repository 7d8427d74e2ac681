package watch

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever changes a file each time that it was put right does not have its readers reloaded for
// ever. New content does not wait for him, and when he is gone all is as it should be soon.
func TestRival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.values.set("a", "1")
		d := &dependent{name: "reload x.service"}
		w.service("app", "@every 1m", []*dependent{d}, "a", `{{ secret "a" }}`)
		w.start()
		rivalry := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); w.after(10 * time.Second) {
				if err := os.WriteFile(w.path("a"), []byte("mine"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.after(time.Second)
		rivalry(4 * time.Hour)
		if n := d.count(); n < 8 || n > 14 {
			t.Errorf("told %d times in four hours", n)
		}
		if n := w.logged("WARN", "something else keeps writing this file", w.path("a")); n < 1 || n > d.count() {
			t.Errorf("warned %d times:\n%s", n, w.log.String())
		}
		if n := w.values.lookups("a"); n > 4*60+10 {
			t.Errorf("%d lookups in four hours", n)
		}
		w.values.set("a", "2")
		w.after(time.Minute)
		w.want("a", "2")
		told := d.count()

		rivalry(30 * time.Minute)
		w.after(time.Hour)
		w.want("a", "2")
		if n := d.count() - told; n < 4 || n > 9 {
			t.Errorf("told %d times more", n)
		}
		w.log.Reset()
		w.after(3 * time.Hour)
		// A single edit long after is put right with the next pass.
		if err := os.WriteFile(w.path("a"), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.after(time.Minute)
		w.want("a", "2")
	})
}
