package fleet

import "time"

// takeSeat tries to be the first with a change, which no other host is then until the seat ends.
func (t *turn) takeSeat(g gate) bool {
	m := t.member
	now := m.env.Now()
	low := m.clock.low(now)
	until := low + ms(m.lease()) + ms(m.Bake)
	free := Any{absent("seat")}
	if seen := g.item.Text("seat"); seen != "" {
		free = Any{equal("seat", seen)}
	}
	a := m.update(Update{
		Key:    Key{m.part(), g.name},
		Set:    Item{"seat": t.lease, "by": m.Host, "seat_until": until, "expect": low + ms(m.turnTime()) + ms(m.Bake), "ttl": low/1000 + changeTTL},
		Remove: []string{"ok_at"},
		If: []Any{
			{absent("halted")}, {absent("ok_at"), less("ok_at", low-ms(okFor))}, free,
			{absent("seat_until"), less("seat_until", low-ms(margin))},
		},
	})
	if a.Err != nil || a.Refused && a.Old.Text("seat") != t.lease {
		return false
	}
	t.first = g.service
	t.add(g)
	m.count()
	return true
}

// leaveSeat lets another host be the first.
func (t *turn) leaveSeat() {
	if t.first == "" {
		return
	}
	m := t.member
	name := changeName(t.first, t.changeOf(t.first))
	t.first = ""
	m.update(Update{Key: Key{m.part(), name}, Set: Item{"seat_until": int64(0)}, If: []Any{{equal("seat", t.lease)}}})
}

func (t *turn) changeOf(service string) string {
	if change, open := t.changes[service]; open {
		return change
	}
	return t.over[service].Change
}

// bake gives until when the service that goes first is to stay well; 0: it need not, or has.
func (t *turn) bake() time.Duration {
	m := t.member
	w, ended := t.over[t.first]
	if t.first == "" || !ended {
		return 0
	}
	now := m.env.Now()
	if w.Phase != Well {
		t.leaveSeat()
		return 0
	}
	if t.wellAt == 0 {
		t.wellAt = now
	}
	is := m.wish(t.first)
	if is.Change == w.Change && (is.Phase == Failing || is.Phase == Ill || is.Phase == Back) { // it was well, and is so no more
		delete(t.over, t.first)
		t.changes[t.first] = w.Change
		return now
	}
	if until := t.wellAt + m.Bake; now < until && !w.Baked {
		return until
	}
	low := m.clock.low(now)
	a := m.update(Update{
		Key: Key{m.part(), changeName(t.first, w.Change)},
		Set: Item{"ok_at": low, "seat_until": int64(0)},
		If:  []Any{{equal("seat", t.lease)}, {absent("halted")}},
	})
	if a.Err != nil && now-t.sent < m.lease() {
		return now + retrySoon
	}
	t.first = ""
	return 0
}
