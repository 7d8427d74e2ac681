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

// Where the host that goes first dies the others wait for as long as its lease lasts, though that is
// longer than the longest wait of the config: another goes first.
func TestDeadHostBeyondTheLongestWait(t *testing.T) {
	s := small(5, 1)
	s.MaxWait, s.Bake = time.Minute, 20*time.Second
	w := newWorld(1, s)
	defer w.close()
	w.trace = new(strings.Builder)
	w.want["web"] = "v1"
	for range 5 {
		w.addHost("web")
	}
	w.run(time.Minute)
	w.rolls("web", "v2")
	w.run(time.Minute + 15*time.Second)
	w.killOne()
	w.run(30 * time.Minute)
	w.judgeEnd()
	dead := 0
	for _, h := range w.hosts {
		if h.dead {
			dead++
		}
		if n := h.forced["swaps "+KindLate]; n > 0 {
			w.breaks("%s has gone without a turn", h.name)
		}
	}
	if len(w.broken) > 0 || dead != 1 {
		t.Errorf("%d hosts died, want 1: %v\n%s", dead, w.broken, w.trace)
	}
}
