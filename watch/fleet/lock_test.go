package fleet

import (
	"testing"
	"time"
)

// At a server that gives turns alone hosts make a change one after the other, and one that fails
// somewhere is tried by the others.
func TestLock(t *testing.T) {
	for name, tt := range map[string]struct {
		trouble func(*world)
		forced  bool
		bad     bool
	}{
		"all is well":     {},
		"not well":        {bad: true},
		"the server away": {trouble: func(w *world) { w.outages = []span{{w.now, w.now + 2*time.Hour}} }, forced: true},
		"the server away while some hold it": {trouble: func(w *world) {
			w.after(20*time.Second, func() { w.outages = []span{{w.now, w.now + 2*time.Hour}} })
		}, forced: true},
		"one is killed": {trouble: func(w *world) {
			w.after(20*time.Second, func() {
				for _, h := range w.hosts {
					if h.atWork {
						h.crash(false)
						w.after(time.Minute, h.start)
					}
				}
			})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(1, small(5, 2))
			defer w.close()
			w.locks = make(map[string]bool)
			w.want["web"] = "v1"
			for range 5 {
				w.addHost("web")
			}
			w.run(time.Minute)
			if w.bad["v2"] = tt.bad; tt.trouble != nil {
				tt.trouble(w)
			}
			w.rolls("web", "v2")
			w.run(3 * time.Hour)
			w.judgeEnd()
			forced := 0
			for _, h := range w.hosts {
				forced += h.forced[KindLate]
				if s := h.services["web"]; tt.bad && s.tried != "v2" || !tt.bad && s.has != "v2" {
					t.Errorf("%s has %s, tried %s", h.name, s.has, s.tried)
				}
			}
			if len(w.broken) > 0 || len(w.locks) > 0 || (forced > 0) != tt.forced || !tt.forced && w.most > 2 {
				t.Errorf("%v; %d hold the lock, %d go without, %d at once", w.broken, len(w.locks), forced, w.most)
			}
		})
	}
}
