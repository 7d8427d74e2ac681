package fleet

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

var (
	seeds  = flag.Int("seeds", 100, "how many worlds of trouble to go through")
	oneOf  = flag.Uint64("seed", 0, "go through this one alone, and show it")
	trials = flag.String("planted", "", "with this bug")
)

// Whatever goes wrong, no promise is broken. Half of the worlds are new each time.
func TestChaos(t *testing.T) {
	if *oneOf != 0 {
		w := chaos(*oneOf, *trials, true)
		t.Logf("\n%s", w.trace)
		for _, b := range w.broken {
			t.Error(b)
		}
		return
	}
	n := *seeds
	if long.Asked() && n == 100 {
		n = 50000
	}
	fresh := rand.Uint64() >> 16
	failed := 0
	for i := range n {
		seed := uint64(i + 1)
		if i >= n/2 {
			seed = fresh + uint64(i)
		}
		if w := chaos(seed, *trials, false); len(w.broken) > 0 {
			t.Errorf("seed %d: %s", seed, w.broken[0])
			if failed++; failed == 10 {
				t.Fatalf("after %d worlds", i+1)
			}
		}
	}
	t.Logf("%d worlds, half of them from seed %d", n, fresh)
}

// chaos goes through the world of a seed.
func chaos(seed uint64, planted string, traced bool) *world {
	chance := rand.New(rand.NewPCG(seed, 81))
	s := small(0, 1+chance.IntN(3))
	if chance.IntN(4) == 0 {
		s.Most = Amount{Percent: 10 + chance.IntN(60)}
	}
	s.Canary, s.Hold = chance.IntN(4) > 0, chance.IntN(6) == 0
	w := newWorld(seed, s)
	defer w.close()
	if w.planted = planted; traced {
		w.trace = new(strings.Builder)
	}
	rate := func(most float64) float64 {
		if chance.IntN(2) == 0 {
			return 0
		}
		return chance.Float64() * most
	}
	w.trouble = trouble{rate(0.1), rate(0.05), rate(0.05), rate(0.03), rate(0.1), time.Duration(chance.IntN(3)) * time.Second}
	services := []string{"web", "app"}[:1+chance.IntN(2)]
	for _, service := range services {
		w.want[service] = service + "-0"
	}
	for range 3 + chance.IntN(5) {
		h := w.addHost(services...)
		h.drift = (chance.Float64() - 0.5) / 1000
	}
	w.quietAt = 3 * time.Hour
	for range 2 + chance.IntN(12) {
		w.at(time.Duration(chance.Int64N(int64(w.quietAt-20*time.Minute))), func() { w.mishap(chance, services) })
	}
	w.at(w.quietAt, w.calms)
	w.run(w.quietAt)
	w.run(w.quietAt + 4*time.Hour)
	w.judgeEnd()
	return w
}

// calms ends what goes wrong.
func (w *world) calms() {
	part := PartOf(w.settings.Fleet, w.settings.Group)
	if who := w.item(Key{part, stateSort}).Text("frozen"); who != "" {
		w.update(Thaw(w.settings.Fleet, w.settings.Group, who))
	}
	w.outages = nil
	for _, h := range w.hosts {
		h.cut, h.full = span{}, false
		if h.down && !h.dead {
			h.start()
		}
	}
}

// mishap is something that goes wrong, or that somebody wants.
func (w *world) mishap(chance *rand.Rand, services []string) {
	h := w.hosts[chance.IntN(len(w.hosts))]
	service := services[chance.IntN(len(services))]
	minutes := func(most int) time.Duration { return time.Duration(1+chance.IntN(most*60)) * time.Second }
	switch kind := chance.IntN(20); kind {
	case 0, 1, 2, 3, 4:
		if chance.IntN(2) == 0 { // and something else while it is under way
			w.after(time.Duration(chance.Int64N(int64(5*time.Minute))), func() { w.mishap(chance, services) })
		}
		w.rolls(service, fmt.Sprintf("%s-%d", service, chance.IntN(4)))
	case 5:
		change := fmt.Sprintf("%s-%d", service, chance.IntN(4))
		w.bad[change] = !w.bad[change] && change != service+"-0"
	case 6:
		change := fmt.Sprintf("%s-%d", service, 1+chance.IntN(3))
		w.badOn[change] = func(o *host) bool { return o == h }
	case 7, 8:
		for _, o := range w.hosts {
			if o.atWork {
				h = o
			}
		}
		h.crash(chance.IntN(4) == 0)
		if !h.dead {
			down := minutes(4)
			if chance.IntN(2) == 0 {
				down = 5 * time.Second
			}
			w.after(down, func() {
				if h.down && !h.dead {
					h.start()
				}
			})
		}
	case 9:
		if alive := w.alive(); alive > 2 {
			h.crash(false)
			h.dead = true
		}
	case 10:
		w.note("a host joins")
		w.addHost(services...)
	case 11:
		from := w.now + minutes(1)
		w.outages = append(w.outages, span{from, from + minutes(30)})
	case 12:
		h.cut = span{w.now, w.now + minutes(20)}
		w.note("%s is cut off until %v", h.name, h.cut.to)
	case 13:
		h.asleep = w.now + minutes(6)
		w.note("%s sleeps until %v", h.name, h.asleep)
	case 14:
		h.full = true
		w.after(minutes(10), func() { h.full = false })
	default:
		w.operator(chance, kind)
	}
}

func (w *world) alive() int {
	n := 0
	for _, h := range w.hosts {
		if !h.dead {
			n++
		}
	}
	return n
}

// operator does something to the table.
func (w *world) operator(chance *rand.Rand, kind int) {
	fleet, group := w.settings.Fleet, w.settings.Group
	part := PartOf(fleet, group)
	state := w.item(Key{part, stateSort})
	switch kind {
	case 15:
		if who := state.Text("frozen"); who != "" {
			w.note("thaw")
			w.update(Thaw(fleet, group, who))
		} else {
			w.note("freeze")
			w.update(Freeze(fleet, group, fmt.Sprint("somebody at ", w.low())))
		}
	case 16:
		before := w.mostAllowed()
		most := chance.IntN(4)
		w.note("at most %d", most)
		w.update(SetMost(fleet, group, most))
		w.lowered = before
		at := w.now
		w.lowAt = at
		w.after(w.settings.lease()+30*time.Second, func() {
			if w.lowAt == at {
				w.lowered = 0
			}
		})
	case 17, 18:
		for _, c := range w.parts[part] {
			if c.item.Text("halted") != "" {
				w.note("resume %s", c.name)
				if chance.IntN(2) == 0 {
					delete(w.bad, strings.TrimPrefix(c.name[strings.LastIndex(c.name, "#"):], "#"))
				}
				w.update(Resume(fleet, group, c.name, c.item))
			}
		}
	}
}
