package fleet

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// failed notes what has failed in an earlier life of the process, which did not come to say it.
func (m *Member) failed() {
	all := m.all()
	for _, service := range slices.Sorted(maps.Keys(all)) {
		w := all[service]
		atWork := m.memory.Lease != "" && !m.memory.Kept
		if w.Phase == Failing || w.Phase == Back || w.Phase == Ill && atWork {
			m.fail(service, w, 0)
		}
	}
}

// fail has nobody else begin a change that has failed here, after it was resumed so many times.
// That it did is remembered first.
func (m *Member) fail(service string, w Wish, resumes int64) {
	mark, known := m.memory.Failed[service]
	if w.Ill || known && mark.Change == w.Change && mark.Resumes >= resumes {
		return
	}
	m.marks(service, Mark{w.Change, resumes})
	if m.env.Locker() != nil {
		m.save()
		return
	}
	m.memory.Halts = append(slices.Clone(m.memory.Halts), Halt{service, w.Change, resumes, cmp.Or(w.Why, "it was not well")})
	m.save()
	m.halt()
}

// marks remembers that a change has failed here. What was remembered may be on its way to the disk,
// and is not changed.
func (m *Member) marks(service string, mark Mark) {
	failed := maps.Clone(m.memory.Failed)
	if failed == nil {
		failed = make(map[string]Mark)
	}
	failed[service] = mark
	m.memory.Failed = failed
}

// halt writes the halts that are owed. It tells whether none is left.
func (m *Member) halt() bool {
	var left []Halt
	for _, h := range m.memory.Halts {
		now := m.clock.low(m.env.Now())
		resumes := Any{equal("resumes", h.Resumes)}
		if h.Resumes == 0 {
			resumes = Any{absent("resumes")}
		}
		a := m.update(Update{
			Key: Key{m.part(), changeName(h.Service, h.Change)},
			Set: Item{"halted": h.Why, "halted_by": m.Host, "halted_at": now, "seat_until": int64(0), "ttl": now/1000 + changeTTL},
			If:  []Any{{absent("halted")}, resumes},
		})
		switch {
		case a.Err != nil:
			left = append(left, h)
		case a.Refused && a.Old.Text("halted") == "": // somebody has resumed it since this host looked
			if h.Resumes = a.Old.Number("resumes"); m.memory.Failed[h.Service].Change == h.Change {
				m.marks(h.Service, Mark{h.Change, h.Resumes})
			}
			left = append(left, h)
		}
	}
	if len(m.memory.Halts) > 0 {
		m.memory.Halts = left
		m.save()
	}
	return len(left) == 0
}

// recall has operators see that a halted change is wanted, though another of the service was begun
// since: they take that which was begun last, and those that hosts have, for all that matter.
func (m *Member) recall(g gate, v *look) {
	var last int64
	for name, item := range v.changes {
		if strings.HasPrefix(name, changeName(g.service, "")) && name != g.name {
			last = max(last, item.Number("ttl"))
		}
	}
	if g.item.Text("halted") == "" || last <= g.item.Number("ttl") {
		return
	}
	m.update(Update{
		Key: Key{m.part(), g.name}, Set: Item{"ttl": last + 1},
		If: []Any{{equal("halted_at", g.item.Number("halted_at"))}, {less("ttl", last+1)}},
	})
}
