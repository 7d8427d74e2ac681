package fleet

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What a fleet promises (docs/fleet.md), as the world sees it.

// judgeUpdate looks at what an update has made of an item.
func (w *world) judgeUpdate(u Update, item Item) {
	if item.Text("halted") != "" {
		if _, known := w.stopped[u.Key.Sort]; !known {
			w.stopped[u.Key.Sort] = w.now
			w.note("%s is halted by %s", u.Key.Sort, item.Text("halted_by"))
		}
	} else {
		delete(w.stopped, u.Key.Sort)
	}
	if u.Key.Sort == stateSort {
		if item.Text("frozen") == "" {
			delete(w.stopped, stateSort)
		} else if _, known := w.stopped[stateSort]; !known {
			w.stopped[stateSort] = w.now
		}
	}
	if _, said := u.Set["ok_at"]; said && w.now > 0 {
		w.judgeOK(u.Key.Sort, item)
	}
	if _, ends := u.Set["kept"]; strings.HasPrefix(u.Key.Sort, slotSort) && !ends && u.Set.Number("until") == 0 {
		w.judgeRelease(item)
	}
	if strings.HasPrefix(u.Key.Sort, slotSort) {
		limit := ms(w.settings.lease()) + ms(margin)
		if item.Number("kept") > 0 {
			limit = ms(keptFor)
		}
		if item.Number("until") > w.low()+limit {
			w.breaks("%s is held until %d ms from now", u.Key.Sort, item.Number("until")-w.low())
		}
	}
}

// judgeSwap looks whether a service may swap its files at this very time.
func (w *world) judgeSwap(s *service) {
	h := s.h
	part := PartOf(w.settings.Fleet, w.settings.Group)
	name := changeName(s.name, s.change)
	w.note("%s %s swaps to %s", h.name, s.name, s.change)
	for _, what := range []string{name, stateSort} {
		since, stopped := w.stopped[what]
		if stopped && w.now > since+swapWithin+100*time.Millisecond && !w.unreachable(h, since) {
			w.breaks("%s swaps to %s, though %s is stopped since %v", h.name, s.change, what, since)
		}
	}
	t := h.member.turn
	if t == nil {
		w.breaks("%s swaps to %s without a turn", h.name, s.change)
		return
	}
	if t.forced != "" {
		h.forced["swaps "+t.forced]++
		return
	}
	if w.locks != nil {
		return
	}
	slot := w.item(Key{part, slotName(t.slot)})
	if slot.Text("lease") != t.lease || slot.Number("until") <= w.low() {
		w.breaks("%s swaps to %s without its slot: %v", h.name, s.change, slot)
	}
	item := w.item(Key{part, name})
	ok := item.Number("ok_at") > w.low()-ms(okFor)-ms(time.Minute)
	seat := item.Text("seat") == t.lease && item.Number("seat_until") > w.low()
	if w.settings.Canary && !ok && !seat {
		w.breaks("%s swaps to %s, which nobody was well with: %v", h.name, s.change, item)
	}
	working := 0
	for _, c := range w.parts[part] {
		if strings.HasPrefix(c.name, slotSort) && c.item.Number("until") > w.low() {
			working++
		}
	}
	if most := w.mostAllowed(); working > most {
		w.breaks("%d slots are held when %s swaps to %s, want %d at most", working, h.name, s.change, most)
	}
}

// mostAllowed gives how many slots there may be, as it was not long ago.
func (w *world) mostAllowed() int {
	c := w.table[Key{PartOf(w.settings.Fleet, w.settings.Group), stateSort}]
	if c == nil {
		return w.settings.Most.Of(0)
	}
	most := (&look{state: c.item}).most(w.settings.Most)
	return max(most, w.lowered)
}

// unreachable tells whether the table did not answer a host at some time since.
func (w *world) unreachable(h *host, since time.Duration) bool {
	if h.cut.to > since && h.cut.from <= w.now {
		return true
	}
	return slices.ContainsFunc(w.outages, func(s span) bool { return s.to > since-time.Minute && s.from <= w.now })
}

// judgeResumed looks whether who is to tell somebody, after a restart, goes on with its slot.
func (w *world) judgeResumed(s *service) {
	h := s.h
	if h.inherits == "" || h.member.turn == nil {
		return
	}
	part := PartOf(w.settings.Fleet, w.settings.Group)
	for key, c := range w.table {
		if key.Part == part && strings.HasPrefix(key.Sort, slotSort) && c.item.Text("lease") == h.inherits && c.item.Number("until") > w.low()+ms(20*time.Second) && h.member.turn.lease != h.inherits {
			w.breaks("%s has a slot by %s, and goes on with another", h.name, h.inherits)
		}
	}
	h.inherits = ""
}

// noteAnswer keeps a trace of what a host is told.
func (w *world) noteAnswer(h *host, u Update, a Answer) {
	if w.trace == nil {
		return
	}
	what := "looks"
	if u.Key.Sort != "" {
		what = u.Key.Sort
		for _, k := range slices.Sorted(maps.Keys(u.Set)) {
			what += " " + k
		}
	}
	switch {
	case a.Err != nil:
		what += ": " + a.Err.Error()
	case a.Refused:
		what += ": refused"
	}
	w.note("%s %s", h.name, what)
}

// judgeEnd looks at the world when nothing has gone wrong for long.
func (w *world) judgeEnd() {
	part := PartOf(w.settings.Fleet, w.settings.Group)
	kept := 0
	for key, c := range w.table {
		switch {
		case key.Part != part || !strings.HasPrefix(key.Sort, slotSort) || c.item.Number("until") <= w.low():
		case c.item.Number("kept") > 0:
			kept++
		default:
			w.breaks("%s is held by %s, who has nothing to do", key.Sort, c.item.Text("owner"))
		}
	}
	if _, frozen := w.stopped[stateSort]; frozen || kept >= w.mostAllowed() { // as many are out as may be
		return
	}
	for _, h := range w.hosts {
		for _, s := range h.sorted() {
			if h.dead || s.has == s.want || s.tried == s.want {
				continue
			}
			if _, halted := w.stopped[changeName(s.name, s.want)]; halted {
				continue
			}
			w.breaks("%s %s has %s, want %s; it is %d", h.name, s.name, s.has, s.want, s.phase)
		}
	}
}

// judgeTurn looks whether a host that has no turn any more has given its slot back.
func (w *world) judgeTurn(h *host) {
	t := h.member.turn
	if t.slot < 0 || h.memory.Lease != "" {
		return // it is to be, yet
	}
	slot := w.item(Key{PartOf(w.settings.Fleet, w.settings.Group), slotName(t.slot)})
	if slot.Text("lease") == t.lease && slot.Number("until") > w.low() {
		w.breaks("%s has not given back %s", h.name, slotName(t.slot))
	}
}

// called gives the host of a name.
func (w *world) called(name string) []*host {
	var number int
	if _, err := fmt.Sscanf(name, "h%d", &number); err != nil || number >= len(w.hosts) {
		return nil
	}
	return w.hosts[number : number+1]
}

// judgeOK looks whether the host that went first was well for long enough.
func (w *world) judgeOK(name string, item Item) {
	for _, h := range w.called(item.Text("by")) {
		s := h.services[strings.Split(name, "#")[1]]
		if s == nil || h.member.turn == nil || h.member.turn.lease != item.Text("seat") {
			continue
		}
		if w.now < s.getsAt+w.settings.Bake-time.Second {
			w.breaks("%s says that %s is well, since %v", h.name, name, w.now-s.getsAt)
		}
	}
}

// judgeRelease looks whether a host is done that gives its slot back.
func (w *world) judgeRelease(item Item) {
	for _, h := range w.called(item.Text("owner")) {
		if h.member.turn == nil || h.member.turn.lease != item.Text("lease") {
			continue
		}
		for _, s := range h.sorted() {
			if s.phase == Working || s.phase == Failing {
				w.breaks("%s gives its slot back, while %s is yet to be seen to be well", h.name, s.name)
			}
		}
	}
}
