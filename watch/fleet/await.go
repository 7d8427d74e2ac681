package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
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
)

// A gate is how it stands with the change of one service: who may go, and when.
type gate struct {
	service, change string
	name            string // of its item
	item            Item
	open            bool          // it was seen to be well, or nobody needs to
	at              time.Duration // when this host is to try
	seat            bool          // this host may be the first, if it is fast
	why             string        // it waits
	blocked         bool          // somebody has halted or frozen it
	halted          bool
}

// await does what is due while the host has no turn. It gives the turn that the host has got, nil
// being none, and when to go on.
func (m *Member) await() (*turn, time.Duration) {
	now := m.env.Now()
	m.adopt()
	if unknown := m.unknown(); unknown && m.releasing { // what is to become of its slot is not known yet
		m.holds()
		return nil, now + m.lease()/3
	} else if unknown {
		return nil, now + m.lease()
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
		ill = ill || w.Phase == Ill
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
			m.stands(service, Standing{Change: m.waits[service].change, Why: m.noAnswer(), At: m.env.Now()})
		}
		return nil, m.env.Now() + m.soon()
	}
	m.remember(v)
	m.seen, m.alone = v, 0
	return m.attempt(due, v)
}

// noAnswer says why nobody knows whose turn it is.
func (m *Member) noAnswer() string {
	if m.trouble == nil {
		return "the fleet's table does not say what time it is"
	}
	return "the fleet cannot be asked: " + m.trouble.Error()
}

// soon is when to ask a table again that has given no useful answer.
func (m *Member) soon() time.Duration {
	d := retrySoon + time.Duration(m.env.Chance()*float64(retrySoon))
	if m.alone > 0 {
		return max(time.Second, min(4*d, m.alone-m.env.Now()))
	}
	return d
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

func (p Phase) waits() bool { return p == Waiting || p == Owing || p == Back }

func (m *Member) firstLook(due []string) time.Duration {
	var at time.Duration
	for _, service := range due {
		at = max(at, m.waits[service].look)
	}
	return at
}

// look asks how the group stands; nil: the table does not say.
func (m *Member) look() *look {
	from := 0
	if most := m.memory.Most; most > mostSlots {
		from = int(m.env.Chance() * float64(most-mostSlots+1))
	}
	return m.lookFrom(from, false)
}

// mostSlots is how many slots a look at a large fleet gets at least.
const mostSlots = 32

func (m *Member) lookFrom(from int, consistent bool) *look {
	a := m.query(Query{Part: m.part(), From: slotName(from), Consistent: consistent})
	if a.Err != nil || !m.clock.known() {
		return nil
	}
	return read(m.env.Now(), from, a.Items)
}

// remember keeps what is to be known when the table is away.
func (m *Member) remember(v *look) {
	was := m.memory
	m.memory.Hosts, m.memory.Most = int(v.state.Number("hosts")), v.most(m.Most)
	if held := v.held(); held > 0 {
		m.memory.Held = held
	}
	m.memory.Frozen = v.state.Text("frozen") != ""
	halted := make(map[string]string)
	for service, w := range m.waits {
		if v.changes[changeName(service, w.change)].Text("halted") != "" {
			halted[service] = w.change
		}
	}
	if len(halted) == 0 {
		halted = nil
	}
	m.memory.Halted = halted
	if was.Frozen != m.memory.Frozen || !maps.Equal(was.Halted, halted) || was.Hosts != m.memory.Hosts || was.Most != m.memory.Most {
		m.save() // where it cannot be written, it is seen again
	}
}

// held gives how long turns took lately, in the middle; 0: none is known.
func (l *look) held() time.Duration {
	var list []int64
	for _, s := range l.slots {
		if n := s.Number("hold"); n > 0 {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return ofMS(list[len(list)/2])
}

// turnTime is for how long a turn is expected to take. Where none has taken any time yet it is a
// short one: the first that is over says better.
func (m *Member) turnTime() time.Duration { return cmp.Or(m.memory.Held, 10*time.Second) }

// share is this host's place among those that make a change, from 0 to below 1: the same each time.
func (m *Member) share(name string) float64 {
	sum := sha256.Sum256([]byte(m.Host + "\x00" + name))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// spread is for how long the hosts of the group are expected to need their turns, all of them.
func (m *Member) spread() time.Duration {
	rounds := float64(m.memory.Hosts) / float64(max(1, m.memory.Most))
	return time.Duration(1.05 * rounds * float64(m.turnTime()))
}

// attempt tries for a turn, where there is one to be had, by what was seen.
func (m *Member) attempt(due []string, v *look) (*turn, time.Duration) {
	now := m.env.Now()
	gates := m.gates(due, v)
	if t := m.overdue(gates, v); t != nil {
		return t, 0
	}
	var open, seats []gate
	next := now + m.MaxWait
	for _, g := range gates {
		m.stands(g.service, Standing{Change: g.change, Why: g.why, Halted: g.halted, At: g.at})
		switch {
		case g.blocked:
		case g.open:
			open = append(open, g)
		case g.seat:
			seats = append(seats, g)
		}
		if !g.blocked || g.at > now {
			next = min(next, max(g.at, now))
		}
	}
	if !slices.ContainsFunc(gates, func(g gate) bool { return !g.blocked }) {
		return nil, m.haltedFor()
	}
	m.blocked = 0
	trying := slices.ContainsFunc(open, func(g gate) bool { return g.at <= now })
	switch {
	case trying:
		return m.acquireFor(open, nil, v)
	case len(seats) > 0:
		return m.acquireFor(open, &seats[0], v)
	case next <= now:
		m.seen = nil
		return nil, now
	}
	return nil, m.wakeAt(next, gates, v)
}

// wakeAt gives when to look again at the latest. What was seen is old by then.
func (m *Member) wakeAt(next time.Duration, gates []gate, v *look) time.Duration {
	if !slices.ContainsFunc(gates, func(g gate) bool { return g.open && g.at == next }) {
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

// gates gives how it stands with each service that waits.
func (m *Member) gates(due []string, v *look) []gate {
	var list []gate
	for _, service := range due {
		list = append(list, m.gate(service, v))
	}
	return list
}

// gate gives how it stands with one service.
func (m *Member) gate(service string, v *look) gate {
	w := m.waits[service]
	g := gate{service: service, change: w.change, name: changeName(service, w.change)}
	g.item = v.changes[g.name]
	if w.start == 0 {
		w.start = m.clock.low(w.since)
	}
	switch why := m.stopped(service, g.change, g.item, v.state); {
	case m.wish(service).Phase == Owing: // it is written; who is told of it is only spread
		g.open, g.at, g.why = true, m.env.Now(), "waits for a turn, to tell its dependents"
	case why != "":
		g.blocked, g.why, g.halted = true, why, true
		w.start, w.force = m.clock.low(m.env.Now()), 0 // the longest wait begins anew
	case !m.Canary:
		g.open, g.at, g.why = true, w.since+time.Duration(m.share(g.name)*float64(m.spread())), "waits for its turn"
	case m.ok(g.item):
		g.open, g.why = true, "waits for its turn"
		g.at = m.machineTime(g.item.Number("ok_at")) + time.Duration(m.share(g.name)*float64(m.spread()))
	case m.free(g.item, "seat_until"):
		g.seat, g.why = v.free(m) >= 0, "waits for a turn, to go first"
		g.at = m.env.Now() + m.lostPause()
	default:
		g.why = "waits for " + cmp.Or(g.item.Text("by"), "another host") + ", which goes first"
		g.at = max(m.machineTime(g.item.Number("expect"))+margin+time.Duration(m.share(g.name)*float64(m.spread())), m.env.Now()+leastPause)
		if v.at < m.env.Now()-time.Second { // it is not what was seen just now
			g.at = m.env.Now()
		}
	}
	return g
}

// stopped says who or what keeps everybody from beginning a change; "": nothing.
func (m *Member) stopped(service, change string, item, state Item) string {
	mark, failed := m.memory.Failed[service]
	switch {
	case state.Text("frozen") != "":
		return "the fleet is frozen: " + state.Text("frozen")
	case item.Text("halted") != "":
		return "halted: it was not well on " + item.Text("halted_by") + ": " + item.Text("halted")
	case failed && mark.Change == change && item.Number("resumes") <= mark.Resumes:
		return failedHere
	}
	return ""
}

// failedHere is why a host does not begin a change.
const failedHere = "it was not well here"

// ok tells whether a change was seen to be well, not long ago.
func (m *Member) ok(item Item) bool {
	at := item.Number("ok_at")
	return at > 0 && at > m.clock.low(m.env.Now())-ms(okFor)
}

// free tells whether a lease is nobody's any more.
func (m *Member) free(item Item, until string) bool {
	return item.Number(until)+ms(margin) < m.clock.low(m.env.Now())
}

// machineTime gives the time of the machine at which it is a time of the table, about.
func (m *Member) machineTime(at int64) time.Duration {
	now := m.env.Now()
	return now - m.clock.ago(at, now)
}

// effective gives how many slots there are: who works in one that was taken away since is counted.
func (l *look) effective(m *Member) int {
	most := l.most(m.Most)
	n := most
	for number, s := range l.slots {
		if number >= most && !m.free(s, "until") {
			n--
		}
	}
	return n
}

// free gives a slot that nobody has, at random; below 0: there is none.
func (l *look) free(m *Member) int {
	if m.memory.Kept {
		return m.memory.Slot
	}
	var list []int
	for number := l.from; number < l.effective(m); number++ {
		if m.free(l.slots[number], "until") {
			list = append(list, number)
		}
	}
	if len(list) == 0 {
		return -1
	}
	return list[int(m.env.Chance()*float64(len(list)))]
}

// lostPause is for how long who got no turn waits before the next try: longer each time.
func (m *Member) lostPause() time.Duration {
	pause := float64(m.turnTime()) / 3 * math.Pow(1.3, float64(min(m.lost, 20))) * (0.5 + m.env.Chance())
	return min(max(leastPause, time.Duration(pause)), max(leastPause, m.MaxWait))
}

// acquireFor tries to get a turn for services whose gates are open, and for one that goes first.
func (m *Member) acquireFor(open []gate, first *gate, v *look) (*turn, time.Duration) {
	m.seen = nil // whatever comes of it
	slot := v.free(m)
	if slot < 0 {
		m.lost++
		return nil, m.env.Now() + m.lostPause()
	}
	t := m.newTurn(slot, m.env.Lease(), "")
	for _, g := range open {
		t.add(g)
	}
	if first != nil {
		if !t.takeSeat(*first) {
			m.lost++
			return nil, m.env.Now() + m.lostPause()
		}
		t.add(*first)
	}
	if !t.acquire(v) {
		t.leaveSeat()
		m.lost++
		return nil, m.env.Now() + m.lostPause()
	}
	if m.lost = 0; slot == 0 && !m.Canary { // nobody goes first, who would count
		m.count()
	}
	return t, 0
}
