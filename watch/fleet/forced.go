package fleet

import "time"

// goAlone has the host go without a turn where the table has said nothing for long: at a random
// time, so that not all hosts do at once. nil: it does not, or not yet.
func (m *Member) goAlone(due []string) *turn {
	if !m.isAway() {
		m.alone = 0
		return nil
	}
	now := m.env.Now()
	if m.alone == 0 {
		m.alone = now + m.within()
	}
	if now < m.alone {
		return nil
	}
	t := m.newTurn(noSlot, "", KindAway)
	for _, service := range due {
		change := m.waits[service].change
		stopped := m.Hold || m.memory.Frozen || m.memory.Halted[service] == change || m.memory.Failed[service].Change == change
		if !stopped || m.wish(service).Phase == Owing {
			t.changes[service] = change
		}
	}
	if len(t.changes) == 0 {
		return nil
	}
	return t
}

// within gives a time at random, within that in which all hosts go by themselves.
func (m *Member) within() time.Duration {
	within := m.MaxWait
	if m.memory.Hosts > 0 {
		within = min(within, m.spread())
	}
	return time.Duration(m.env.Chance() * float64(within))
}

// takenWithin is how soon after a lease is over somebody has the slot, or goes first, where anybody
// waits for it.
const takenWithin = 30 * time.Second

// overdue has services go without a turn that have waited for too long, while nobody made any
// progress; nil: none has.
func (m *Member) overdue(gates []gate, v *look) *turn {
	if m.Hold {
		return nil
	}
	now := m.env.Now()
	var youngest int64
	for _, s := range v.slots {
		youngest = max(youngest, s.Number("at"))
	}
	t := m.newTurn(noSlot, "", KindLate)
	for _, g := range gates {
		if g.is == shut {
			continue
		}
		w := m.waits[g.service]
		most := max(m.MaxWait, m.lease()+takenWithin) // what a dead host has is free by then, and taken
		if g.is != open {
			most += m.Bake
		}
		if m.clock.ago(max(w.start, youngest, g.item.Number("ok_at")), now) <= most {
			w.force = 0
			continue
		}
		if w.force == 0 {
			w.force = now + m.within()
		}
		if now >= w.force {
			t.add(g)
		}
	}
	if len(t.changes) == 0 {
		return nil
	}
	return t
}

// resumed goes on with the turn that an earlier life of the process had, where services are yet to
// tell somebody of what they have written in it; nil: there is none.
func (m *Member) resumed(due []string) *turn {
	if !m.releasing || m.memory.Lease == "" {
		return nil
	}
	t := m.newTurn(m.memory.Slot, m.memory.Lease, "")
	for _, service := range due {
		if w := m.wish(service); w.Phase == Owing {
			t.changes[service] = w.Change
		}
	}
	if len(t.changes) == 0 {
		return nil
	}
	if m.env.Locker() != nil { // who holds it already gets it again
		held, _, err := m.env.Locker().Acquire()
		if m.releasing = !held || err != nil; m.releasing {
			return nil
		}
		t.slot = noSlot
		return t
	}
	if !m.clock.known() {
		m.look()
	}
	if !m.clock.known() || !t.renew() {
		return nil
	}
	m.releasing = false
	return t
}
