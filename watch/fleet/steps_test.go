package fleet

import (
	"strings"
	"testing"
	"time"
)

// What is done to the world at one request of a host, when it is the host's turn to ask.
var faults = map[string]func(w *world, h *host){
	"throttled":  func(w *world, h *host) { w.once = trouble{throttled: 1} },
	"lost":       func(w *world, h *host) { w.once = trouble{lost: 1} },
	"unanswered": func(w *world, h *host) { w.once = trouble{unanswered: 1} },
	"late":       func(w *world, h *host) { w.once = trouble{late: 1} },
	"doubled":    func(w *world, h *host) { w.once = trouble{doubled: 1} },
	"killed": func(w *world, h *host) {
		h.crash(false)
		w.after(5*time.Second, h.start)
	},
	"killed, and back late": func(w *world, h *host) {
		h.crash(false)
		w.after(5*time.Minute, h.start)
	},
	"killed, and its state lost": func(w *world, h *host) {
		h.crash(true)
		w.after(5*time.Second, h.start)
	},
	"dead": func(w *world, h *host) {
		h.crash(false)
		h.dead = true
	},
	"asleep for longer than a lease": func(w *world, h *host) { h.asleep = w.now + 3*time.Minute },
	"a full disk": func(w *world, h *host) {
		h.full = true
		w.after(3*time.Minute, func() { h.full = false })
	},
	"cut off":        func(w *world, h *host) { h.cut = span{w.now, w.now + 10*time.Minute} },
	"the table away": func(w *world, h *host) { w.outages = append(w.outages, span{w.now, w.now + 10*time.Minute}) },
	"another change": func(w *world, h *host) { w.rolls("web", "v3") },
	"and back":       func(w *world, h *host) { w.rolls("web", "v1") },
	"frozen a while": func(w *world, h *host) { w.frozenAWhile() },
	"fewer at once": func(w *world, h *host) {
		w.lowered = 2 // who has its turn already goes on
		w.update(SetMost("prod", "web", 1))
	},
	"a host that joins": func(w *world, h *host) { w.addHost("web") },
}

func (w *world) frozenAWhile() {
	w.update(Freeze("prod", "web", "somebody"))
	w.after(10*time.Minute, func() { w.update(Thaw("prod", "web", "somebody")) })
}

// Each fault, at each request of three hosts: no promise is broken, and each host gets the change.
func TestEveryFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	cases := 0
	for _, canary := range []bool{true, false} {
		for _, bad := range []bool{false, true} {
			for name := range faults {
				for step := 1; ; step++ {
					w, reached := stepped(canary, bad, name, step, "", nil)
					if !reached {
						break
					}
					if cases++; len(w.broken) > 0 {
						t.Errorf("canary %v, bad %v, %s at request %d: %s", canary, bad, name, step, w.broken[0])
						if testing.Verbose() {
							w, _ := stepped(canary, bad, name, step, "", new(strings.Builder))
							t.Fatalf("\n%s", w.trace)
						}
					}
				}
			}
		}
	}
	t.Logf("%d cases", cases)
}

// stepped goes through a change of three hosts, with a fault at one request after it.
func stepped(canary, bad bool, fault string, step int, planted string, trace *strings.Builder) (w *world, reached bool) {
	s := small(3, 2)
	if planted != "" { // so that they meet
		s.Most.Number = 1
	}
	s.Canary = canary
	w = newWorld(uint64(step), s)
	defer w.close()
	w.trace, w.planted = trace, planted
	w.want["web"] = "v1"
	for range 3 {
		w.addHost("web")
	}
	w.run(time.Minute)
	n := w.requests
	w.asked = func(h *host) {
		if w.requests == n+step && !reached {
			reached = true
			w.note("%s: %s", h.name, fault)
			faults[fault](w, h)
		}
	}
	w.bad["v2"] = bad
	w.rolls("web", "v2")
	w.run(30 * time.Minute)
	if reached {
		w.quietAt = w.now
		w.run(4 * time.Hour)
		w.judgeEnd()
	}
	return w, reached
}

// The same seed gives the same world.
func TestWorldsAreTheSame(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		if a, b := chaos(seed, "", true), chaos(seed, "", true); a.trace.String() != b.trace.String() {
			t.Fatalf("seed %d gives two worlds", seed)
		}
	}
}
