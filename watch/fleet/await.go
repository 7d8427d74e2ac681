package fleet

import (
	"maps"
	"math"
	"slices"
	"time"
)

const (
	firstLook  = 2 * time.Second  // hosts that see a change at once look one after the other
	leastPause = 5 * time.Second  // between two tries for a turn
	leastHalt  = 30 * time.Second // between two looks whether somebody has resumed a change
	mostHalt   = 5 * time.Minute
	okFor      = 24 * time.Hour // for how long a change is known to be well that one host is well with
	retrySoon  = 5 * time.Second
	oweAgain   = 30 * time.Second // between two tries to write what is owed to a table that is away
)

// await does what is due while the host has no turn. It gives the turn that the host has got, nil
// being none, and when to go on.
func (m *Member) await() (*turn, time.Duration) {
	now := m.env.Now()
	m.adopt()
	if m.unknown() {
		if m.releasing { // what is to become of its slot is not known, either
			m.holds()
		}
		return nil, now + m.lease()/3
	}
	m.failed()
	due := m.due(now)
	if t := m.resumed(due); t != nil {
		return t, 0
	}
	m.frees(due)
	if !m.settled() {
		return nil, now + retrySoon
	}
	if m.beats(due, now) && !m.report() {
		m.beatAt, m.said = now+mostHalt, m.says() // not again at once
	}
	if len(due) == 0 {
		if m.releasing || len(m.memory.Halts) > 0 { // as the table is away
			return nil, min(m.beatAt, m.env.Now()+oweAgain)
		}
		return nil, m.beatAt
	}
	if first := m.firstLook(due); first > now {
		return nil, first
	}
	if m.env.Locker() != nil {
		return m.acquireLock(due)
	}
	if m.seen == nil {
		return m.lookAt(due)
	}
	return m.attempt(due, m.seen)
}

// unknown tells whether nobody has looked at some service yet in this life of the process.
func (m *Member) unknown() bool {
	for _, w := range m.all() {
		if w.Phase == Unknown {
			return true
		}
	}
	return false
}

// holds has the slot of an earlier life of the process last longer.
func (m *Member) holds() {
	if m.env.Locker() != nil {
		return // it is held until it is given back
	}
	if !m.clock.known() {
		m.look()
	}
	if m.clock.known() {
		m.newTurn(m.memory.Slot, m.memory.Lease, "").renew()
	}
}

// frees gives back what is the host's own while it is not well, and a lock that nobody needs, where
// that is over.
func (m *Member) frees(due []string) {
	ill := false
	for _, w := range m.all() {
		ill = ill || w.Phase == Ill || w.Phase == Waiting && w.Ill
	}
	if m.memory.Kept && !ill {
		m.beatAt = m.env.Now() // whoever looks sees it as not well
	}
	if m.memory.Kept && !ill || m.memory.Lease == lockLease && !m.memory.Kept && len(due) == 0 {
		m.memory.Kept, m.releasing = false, true
	}
}

// beats tells whether the host is to say what it has: once a day, and when that is another.
func (m *Member) beats(due []string, now time.Duration) bool {
	if m.env.Locker() != nil {
		m.beatAt = now + beatEach
		return false
	}
	return now >= m.beatAt || len(due) == 0 && m.says() != m.said
}

// lookAt looks how the group stands, and does what follows from that.
func (m *Member) lookAt(due []string) (*turn, time.Duration) {
	v := m.look()
	if v == nil {
		if t := m.goAlone(due); t != nil {
			return t, 0
		}
		for _, service := range due {
			m.stands(service, Standing{Why: m.noAnswer(), change: m.waits[service].change})
		}
		return nil, m.env.Now() + m.soon()
	}
	m.remember(v)
	m.seen, m.alone = v, 0
	return m.attempt(due, v)
}

// due gives the services that wait, by name, and forgets who does not any more.
func (m *Member) due(now time.Duration) []string {
	all := m.all()
	for service, w := range m.waits {
		if wish := all[service]; wish.Change != w.change || !wish.Phase.waits() {
			delete(m.waits, service)
			m.seen = nil
		}
	}
	for _, service := range slices.Sorted(maps.Keys(all)) {
		wish := all[service]
		if !wish.Phase.waits() || m.waits[service] != nil {
			continue
		}
		if len(m.waits) == 0 {
			m.silent, m.refusing = -1, -1 // what was unanswered before says nothing about now
		}
		m.waits[service] = &wait{change: wish.Change, since: now, look: now + time.Duration(m.env.Chance()*float64(firstLook))}
		m.seen, m.blocked, m.lost = nil, 0, 0
	}
	return slices.Sorted(maps.Keys(m.waits))
}

func (m *Member) firstLook(due []string) time.Duration {
	var at time.Duration
	for _, service := range due {
		at = max(at, m.waits[service].look)
	}
	return at
}

// attempt tries for a turn, where there is one to be had, by what was seen.
func (m *Member) attempt(due []string, v *look) (*turn, time.Duration) {
	now := m.env.Now()
	gates := m.gates(due, v)
	if t := m.overdue(gates, v); t != nil {
		return t, 0
	}
	var through, seats []gate
	next, allShut := now+m.MaxWait, true
	for _, g := range gates {
		m.stands(g.service, Standing{Why: g.why, Halted: g.is == shut, Frozen: v.state.Text("frozen") != "", change: g.change})
		switch g.is {
		case shut:
			m.recall(g, v)
			continue
		case open:
			through = append(through, g)
		case seat:
			seats = append(seats, g)
		}
		next, allShut = min(next, max(g.at, now)), false
	}
	if allShut {
		return nil, m.haltedFor()
	}
	m.blocked = 0
	switch {
	case slices.ContainsFunc(through, func(g gate) bool { return g.at <= now }):
		return m.acquireFor(through, nil, v)
	case len(seats) > 0:
		return m.acquireFor(through, &seats[0], v)
	case next <= now:
		m.seen = nil
		return nil, now
	}
	return nil, m.wakeAt(next, gates)
}

// wakeAt gives when to look again at the latest. What was seen is old by then.
func (m *Member) wakeAt(next time.Duration, gates []gate) time.Duration {
	if !slices.ContainsFunc(gates, func(g gate) bool { return g.is == open && g.at == next }) {
		m.seen = nil
	}
	for _, g := range gates {
		if w := m.waits[g.service]; w.force > 0 {
			next = min(next, w.force)
		}
	}
	return next
}

// haltedFor gives when to look again whether a change that somebody has halted is resumed: less and
// less often.
func (m *Member) haltedFor() time.Duration {
	m.blocked = min(mostHalt, max(leastHalt, 2*m.blocked))
	m.seen = nil
	return m.env.Now() + m.blocked
}

// lostPause is for how long who got no turn waits before the next try: longer each time.
func (m *Member) lostPause() time.Duration {
	pause := float64(m.turnTime()) / 3 * math.Pow(1.3, float64(min(m.lost, 20))) * (0.5 + m.env.Chance())
	return min(max(leastPause, time.Duration(pause)), max(leastPause, m.MaxWait))
}

// acquireFor tries to get a turn for services whose gates are open, and for one that goes first;
// nil: none does.
func (m *Member) acquireFor(through []gate, first *gate, v *look) (*turn, time.Duration) {
	m.seen = nil // whatever comes of it
	t := m.newTurn(v.free(m), m.env.Lease(), "")
	for _, g := range through {
		t.add(g)
	}
	if t.slot < 0 || first != nil && !t.takeSeat(*first) || !t.acquire(v) {
		if m.trouble != nil { // it was asked in vain, and not refused
			for _, service := range slices.Sorted(maps.Keys(m.waits)) {
				m.stands(service, Standing{Why: m.noAnswer(), change: m.waits[service].change})
			}
		}
		t.leaveSeat()
		m.lost++
		return nil, m.env.Now() + m.lostPause()
	}
	if m.lost = 0; t.slot == 0 && !m.Canary { // nobody goes first, who would count
		m.count()
	}
	return t, 0
}

// settled writes what is owed to the table, before anything else is asked of it. Where it does not
// answer, nothing else would be answered either.
func (m *Member) settled() bool {
	if !m.halt() && !m.isAway() {
		return false
	}
	if m.releasing && m.env.Locker() != nil {
		return m.releaseLock() || m.isAway()
	}
	if m.releasing {
		return m.newTurn(m.memory.Slot, m.memory.Lease, "").release() || m.isAway()
	}
	return true
}
