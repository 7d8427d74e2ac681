package fleet

import (
	"time"
)

// acquire tries to get the slot, and remembers that it may have it before anything is done.
func (t *turn) acquire(v *look) bool {
	m := t.member
	now := m.env.Now()
	low := m.clock.low(now)
	t.sent, t.until = now, low+ms(m.lease())
	u := Update{
		Key: Key{m.part(), slotName(t.slot)},
		Set: Item{"lease": t.lease, "owner": m.Host, "until": t.until, "over": int64(0), "kept": int64(0), "at": low},
		If:  []Any{{absent("until"), less("until", low-ms(margin))}},
	}
	if seen := v.slot(t.slot).Text("lease"); seen == "" {
		u.If = append(u.If, Any{absent("lease")})
	} else {
		u.If = append(u.If, Any{equal("lease", seen)})
	}
	if m.memory.Kept {
		u.If = []Any{{equal("lease", m.memory.Lease)}}
	}
	a := m.update(u)
	if a.Err != nil || a.Refused && a.Old.Text("lease") != t.lease {
		if a.Refused && m.memory.Kept { // somebody has released it, or it has ended
			m.memory.Kept, m.memory.Lease = false, ""
		}
		return false
	}
	was := m.memory
	m.memory.Lease, m.memory.Slot, m.memory.Kept = t.lease, t.slot, false
	if !m.save() {
		m.memory = was
		t.release()
		return false
	}
	return true
}

// renew has the lease, and the seat, last longer. It tells whether the table has said so. A request
// that comes late renews nothing that is given back.
func (t *turn) renew() bool {
	if t.slot < 0 || t.lost {
		return t.slot < 0
	}
	m := t.member
	now := m.env.Now()
	low := m.clock.low(now)
	until := low + ms(m.lease())
	a := m.update(Update{
		Key: Key{m.part(), slotName(t.slot)},
		Set: Item{"until": until},
		If:  []Any{{equal("lease", t.lease)}, {equal("over", int64(0))}, {less("until", until)}},
	})
	switch mine := a.Old.Text("lease") == t.lease && a.Old.Number("until") > 0; {
	case a.Refused && !mine:
		t.lost = true
		return false
	case a.Err != nil:
		return false
	}
	t.sent, t.until = now, until
	if t.first != "" {
		m.update(Update{
			Key: Key{m.part(), changeName(t.first, t.changeOf(t.first))},
			Set: Item{"seat_until": until + ms(m.Bake)},
			If:  []Any{{equal("seat", t.lease)}, {less("seat_until", until+ms(m.Bake))}},
		})
	}
	return true
}

// release gives the slot back. It is over when the table has said so.
func (t *turn) release() bool {
	m := t.member
	m.releasing = true
	well := true
	for _, w := range t.over {
		well = well && w.Phase == Well
	}
	set := Item{"until": int64(0), "over": int64(1)}
	if t.worked > 0 && well {
		set["hold"], set["at"] = ms(t.worked), m.clock.low(m.env.Now())
	}
	if a := m.update(Update{Key: Key{m.part(), slotName(t.slot)}, Set: set, If: []Any{{equal("lease", t.lease)}}}); a.Err != nil {
		return false
	}
	m.memory.Lease, m.memory.Kept, m.releasing = "", false, false
	m.save()
	return true
}

// keptFor is for how long a host that is not well counts as one that does not work.
const keptFor = 24 * time.Hour

// keep has the slot count while the host is not well.
func (t *turn) keep() {
	m := t.member
	a := m.update(Update{
		Key: Key{m.part(), slotName(t.slot)},
		Set: Item{"until": m.clock.low(m.env.Now()) + ms(keptFor), "kept": int64(1)},
		If:  []Any{{equal("lease", t.lease)}},
	})
	m.memory.Kept = !a.Refused // where it is not known, it ends with its lease
	m.save()
}
