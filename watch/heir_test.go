package watch

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/sources"
)

// A dependent that the config names while a job is at work that was begun before is told of what
// that job changes: at once after it, or, where the daemon ends before that, after the next start.
func TestDependentThatIsNewWhileAJobIsAtWork(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		for _, moved := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				d := &dependent{name: "d"}
				e := &dependent{name: "e", reads: []string{w.path("f")}}
				w.service("app", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`, "g", "g")
				w.values.set("s", "1")
				w.start()
				w.after(time.Second)
				w.values.set("s", "2")
				w.values.delay("s", 10*time.Second)
				w.loop.Refresh()
				w.after(5 * time.Second)
				w.plan.Services = nil
				if moved {
					w.service("app", "@daily", []*dependent{d}, "g", "g").Fingerprint = "without f"
					w.service("new", "@daily", []*dependent{e}, "f", `{{ secret "s" }}`)
				} else {
					w.service("app", "@daily", []*dependent{d, e}, "f", `{{ secret "s" }}`, "g", "g").Fingerprint = "with e"
				}
				w.loop.Reload()
				if restarted {
					d.mu.Lock()
					d.pause = time.Second
					d.mu.Unlock()
					w.after(5*time.Second + time.Second/2)
					w.want("f", "2")
					w.stop()
					w.start()
				}
				w.after(time.Minute)
				others := 2
				if moved { // nobody but e reads it from then on
					others = 1
				}
				if e.count() != 1 || e.saw[0] != "2" || d.count() != others {
					t.Errorf("restarted: %v, moved: %v: told %d times, of %q; the other one %d times", restarted, moved, e.count(), e.saw, d.count())
				}
				w.stop()
				w.start()
				w.after(time.Minute)
				if r := recorded(t, w); e.count() != 1 || owes(t, w) {
					t.Errorf("restarted: %v, moved: %v: told %d times in the end; on record is %s", restarted, moved, e.count(), r)
				}
			})
		}
	}
}

// It is told also where the config came between the record of the swap and the rename, and the swap
// was not done to its end.
func TestDependentThatIsNewWhileFilesAreRenamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		d := &dependent{name: "d"}
		e := &dependent{name: "e", reads: []string{w.path("f")}}
		var armed, renamed atomic.Bool
		w.system = faulty.System(disk.Host, func(s faulty.Step) error {
			switch {
			case armed.Load() && s.Op == "rename" && s.Path == w.path("f"):
				armed.Store(false)
				renamed.Store(true)
				return w.loop.Reload()
			case s.Op == "rename" && s.Path == w.path("g") && renamed.Swap(false):
				return unix.EIO
			}
			return nil
		})
		w.service("app", "@daily", []*dependent{d}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`)
		w.values.set("s", "1")
		w.start()
		w.after(time.Second)
		w.values.set("s", "2")
		next := *w.plan
		next.Services = nil
		w.plan = &next // which the loop does not have before it loads it
		w.service("app", "@daily", []*dependent{d, e}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`).Fingerprint = "with e"
		armed.Store(true)
		w.loop.Refresh()
		w.after(time.Minute)
		if _, _, saw, paths := e.so(); len(paths) != 1 || len(paths[0]) != 2 || saw[0] != "2" || d.count() != 2 || renamed.Load() {
			t.Errorf("told of %q, which held %q; the other one %d times", paths, saw, d.count())
		}
	})
}

// A dependent that takes the place of another while a file moves in, of which something is owed as
// well, is told of all of it.
func TestReplacedDependentInheritsBesideAMovedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := &dependent{name: "a", fails: 1 << 30}, &dependent{name: "b", fails: 1 << 30}
		w.service("a", "@daily", []*dependent{a}, "f", `{{ secret "s" }}`)
		w.service("b", "@daily", []*dependent{b}, "g", `{{ secret "s" }}`, "h", "h")
		w.values.set("s", "1")
		w.start()
		w.after(time.Second)
		c := &dependent{name: "c"}
		w.plan.Services = nil
		w.service("a", "@daily", []*dependent{c}, "f", `{{ secret "s" }}`, "g", `{{ secret "s" }}`).Fingerprint = "with g"
		w.service("b", "@daily", []*dependent{b}, "h", "h").Fingerprint = "without g"
		w.loop.Reload()
		w.after(time.Minute)
		if _, _, _, paths := c.so(); len(paths) != 1 || strings.Join(paths[0], " ") != w.path("f")+" "+w.path("g") {
			t.Errorf("told of %q", paths)
		}
	})
}

// A dependent that comes back while it is owed a notice still takes the place of another as who is
// new does: it is told of what both were owed.
func TestOwedDependentThatComesBackInherits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		p, r := &dependent{name: "p", fails: 1 << 30}, &dependent{name: "r"}
		use := func(list ...*dependent) {
			w.plan.Services = nil
			w.service("app", "@daily", list, "f", `{{ secret "s" }}`, "g", `{{ secret "t" }}`).Fingerprint = fmt.Sprint(len(list), list[0].name)
		}
		w.values.set("s", "1")
		w.values.set("t", "1")
		p.refuse(1)
		use(p, r)
		w.start()
		w.after(time.Minute)
		p.refuse(1 << 30)
		w.values.set("s", "2")
		w.loop.Refresh()
		w.after(time.Second)
		r.refuse(1 << 30)
		use(r)
		w.values.set("t", "2")
		w.loop.Reload()
		w.after(time.Second)
		p.refuse(0)
		use(p)
		w.stop()
		w.values.refuse("s", sources.Unavailable)
		w.start()
		w.after(time.Minute)
		if _, _, _, paths := p.so(); len(paths) != 2 || strings.Join(paths[1], " ") != w.path("f")+" "+w.path("g") {
			t.Errorf("told of %q", paths)
		}
	})
}
