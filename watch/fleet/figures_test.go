package fleet

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/rendered/rendered/internal/long"
)

// A figure is what a change costs a fleet. What is 0 is not looked at.
type figure struct {
	name     string
	hosts    int
	most     Amount
	last     time.Duration // in which the last host is current, at most
	mean     float64       // requests of a host
	high     int           // of all hosts but one of a hundred
	working  int           // at once
	cost     float64       // dollars
	hours    int           // until when it is looked at
	forced   bool          // every host goes without a turn
	halted   bool          // at the host that goes first
	trouble  func(*world)
	settings func(*Settings)
}

// Prices of DynamoDB on demand, in us-east-1, since November 2024: of a write request unit, and of
// a read request unit (https://aws.amazon.com/dynamodb/pricing/on-demand/).
const (
	writePrice = 0.625 / 1e6
	readPrice  = 0.125 / 1e6
)

func share(percent int) Amount { return Amount{Percent: percent} }

var largest = flag.Bool("largest", false, "see what a change costs a hundred thousand hosts, which takes five minutes and 10 GB")

var figures = []figure{
	{name: "a hundred hosts, ten at once", hosts: 100, most: share(10), last: 8 * time.Minute, mean: 8.5, high: 16, working: 10, cost: 0.0004},
	{name: "a thousand hosts, 20 at once", hosts: 1000, most: Amount{Number: 20}, last: 27 * time.Minute, mean: 9.8, high: 21, working: 20, cost: 0.0035},
	{name: "a thousand hosts, a hundred at once", hosts: 1000, most: share(10), last: 9 * time.Minute, mean: 8, high: 12, working: 100, cost: 0.0036},
	{name: "a thousand hosts, a change that is not well", hosts: 1000, most: Amount{Number: 20}, working: 1, mean: 160, hours: 12, halted: true, cost: 0.012,
		trouble: func(w *world) { w.bad["v2"] = true }},
	{name: "a thousand hosts, the table away for an hour", hosts: 1000, most: Amount{Number: 20}, last: 28 * time.Minute, mean: 60, working: 100, forced: true, cost: 0.002,
		trouble: func(w *world) { w.outages = []span{{w.now, w.now + time.Hour}} }},
	{name: "a thousand hosts, the table away for ten minutes", hosts: 1000, most: Amount{Number: 20}, last: 40 * time.Minute,
		trouble: func(w *world) { w.outages = []span{{w.now + 5*time.Minute, w.now + 15*time.Minute}} }},
	{name: "a thousand hosts, of which some die", hosts: 1000, most: Amount{Number: 20}, last: 32 * time.Minute, mean: 11, working: 20,
		trouble: func(w *world) {
			for i := range 10 {
				w.after(time.Duration(3+2*i)*time.Minute, func() { w.killOne() })
			}
		}},
	{name: "a hundred hosts, none of which goes first", hosts: 100, most: share(10), last: 7 * time.Minute, mean: 9.5, working: 10, settings: func(s *Settings) { s.Canary = false }},
}

// killOne has a host that works die.
func (w *world) killOne() {
	for _, h := range w.hosts {
		if h.atWork && !h.dead {
			h.crash(false)
			h.dead = true
			return
		}
	}
}

// What a change costs a fleet is as docs/fleet.md has it.
func TestFigures(t *testing.T) {
	list := []figure{figures[0], figures[1], figures[len(figures)-1]}
	if long.Asked() {
		list = append(slices.Clone(figures),
			figure{name: "ten thousand hosts, 200 at once", hosts: 10000, most: Amount{Number: 200}, last: 28 * time.Minute, mean: 9.3, high: 20, working: 200, cost: 0.04})
	}
	if *largest {
		list = []figure{{name: "a hundred thousand hosts, 2,000 at once", hosts: 100000, most: Amount{Number: 2000}, last: 29 * time.Minute, mean: 9.3, high: 20, working: 2000, cost: 1}}
	}
	for _, f := range list {
		t.Run(f.name, f.measure)
	}
}

func (f figure) measure(t *testing.T) {
	s := small(f.hosts, 1)
	if s.Most = f.most; f.settings != nil {
		f.settings(&s)
	}
	w := newWorld(uint64(f.hosts), s)
	defer w.close()
	w.want["web"] = "v0"
	for range f.hosts {
		w.addHost("web")
	}
	w.run(time.Minute)   // in which they say that they are there
	w.rolls("web", "v1") // by which they know how long a turn takes
	const begin = 3 * time.Hour
	w.run(begin)
	w.requests, w.writes, w.reads, w.most = 0, 0, 0, 0
	for _, h := range w.hosts {
		h.requests = 0
		clear(h.forced)
	}
	if f.trouble != nil {
		f.trouble(w)
	}
	w.rolls("web", "v2")
	w.run(begin + time.Duration(max(1, f.hours))*time.Hour)
	w.judgeEnd()
	for _, b := range w.broken {
		t.Error(b)
	}
	f.compare(t, w, begin)
}

// compare shows what a change has cost, and wants it to be no more.
func (f figure) compare(t *testing.T, w *world, begin time.Duration) {
	var last time.Duration
	var requests []int
	forced, tried := 0, 0
	for _, h := range w.hosts {
		s := h.services["web"]
		if s.has == "v2" {
			last = max(last, s.getsAt-begin)
		}
		if s.has == "v2" || s.tried == "v2" {
			tried++
		}
		requests = append(requests, h.requests)
		forced += h.forced["swaps "+KindAway] + h.forced["swaps "+KindLate]
	}
	slices.Sort(requests)
	mean, high := float64(w.requests)/float64(f.hosts), requests[(len(requests)-1)*99/100]
	cost := float64(w.writes)*writePrice + w.reads*readPrice
	t.Logf("%d hosts: the last is current after %v; %.1f requests a host, at most %d but for one of a hundred; %d at work at once, %d without a turn; $%.4f",
		f.hosts, last.Round(time.Second), mean, high, w.most, forced, cost)
	switch {
	case f.last > 0 && last > f.last, f.mean > 0 && mean > f.mean, f.high > 0 && high > f.high, f.working > 0 && w.most > f.working, f.cost > 0 && cost > f.cost:
		t.Errorf("want at most %v, %v requests, %d, %d at once, $%v", f.last, f.mean, f.high, f.working, f.cost)
	case f.forced && forced < f.hosts, f.halted && tried != 1:
		t.Errorf("%d go without a turn, %d have tried it", forced, tried)
	}
}
