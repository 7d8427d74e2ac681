package fleet

import (
	"strings"
	"testing"
	"time"
)

func small(hosts, most int) Settings {
	return Settings{
		Fleet: "prod", Group: "web", Most: Amount{Number: most}, Canary: true, Bake: 2 * time.Minute, MaxWait: 15 * time.Minute,
		Work: beforeTakes + 2*(noticesTake+30*time.Second),
	}
}

// A change goes to one host, and when that is well, to the others.
func TestOneChange(t *testing.T) {
	w := newWorld(1, small(5, 2))
	w.trace = new(strings.Builder)
	w.want["web"] = "v1"
	for range 5 {
		w.addHost("web")
	}
	w.run(time.Minute)
	w.rolls("web", "v2")
	w.run(30 * time.Minute)
	w.judgeEnd()
	for _, h := range w.hosts {
		t.Logf("%s has %s at %v, %d requests", h.name, h.services["web"].has, h.services["web"].getsAt, h.requests)
	}
	if len(w.broken) > 0 {
		t.Errorf("%v\n%s", w.broken, w.trace)
	}
	if testing.Verbose() {
		t.Log("\n" + w.trace.String())
	}
}
