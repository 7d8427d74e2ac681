package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// swapWithin is how soon after it was last seen that nothing stands against it a swap begins.
const swapWithin = 5 * time.Second

// commits is how often a service that is too slow tries.
const commits = 3

// A turn is that services of this host may make their changes.
type turn struct {
	member  *Member
	lease   string
	slot    int               // noSlot: it goes without one
	forced  string            // KindAway or KindLate; "": it is given
	first   string            // the service whose change nobody has made before; "": none is
	changes map[string]string // that have not come to an end, by service
	over    map[string]Wish   // what came of those that have
	again   map[string]bool   // these are back from the change, and have yet to begin it once more
	resumes map[string]int64  // how often somebody had resumed a change
	tries   map[string]int    // to commit
	began   time.Duration
	sent    time.Duration // when the lease was last asked for
	until   int64         // when it ends, by the table
	lost    bool          // somebody else has it
	wellAt  time.Duration // since when the service that goes first is well; 0: it is not
	worked  time.Duration // for how long, without that it was to stay well; 0: nothing was swapped
}

func (m *Member) newTurn(slot int, lease, forced string) *turn {
	return &turn{
		member: m, slot: slot, lease: lease, forced: forced, began: m.env.Now(), changes: make(map[string]string), over: make(map[string]Wish),
		again: make(map[string]bool), resumes: make(map[string]int64), tries: make(map[string]int),
	}
}

// add has a service take part.
func (t *turn) add(g gate) {
	t.changes[g.service] = g.change
	t.resumes[g.service] = g.item.Number("resumes")
}

// take goes through a turn; false: the member is to end.
func (m *Member) take(t *turn) bool {
	for service := range t.changes {
		t.again[service] = m.wish(service).Phase == Back
	}
	m.turn = t
	m.env.Turn(cmp.Or(t.forced, KindGranted))
	m.grant(t.changes, t.first)
	for {
		next, over := t.step()
		if over {
			break
		}
		if !m.env.Sleep(next) {
			return false
		}
	}
	t.end()
	m.env.Turn("")
	m.turn = nil
	return true
}

// step does what is due in a turn, and gives when to go on.
func (t *turn) step() (next time.Duration, over bool) {
	m := t.member
	every := m.lease() / 3
	if t.slot >= 0 && !t.lost && m.env.Now()-t.sent >= every {
		t.renew()
	}
	next = m.env.Now() + every
	if t.slot >= 0 && !t.lost {
		next = max(t.sent+every, m.env.Now()+time.Second)
	}
	for _, service := range slices.Sorted(maps.Keys(t.changes)) {
		if at := t.advance(service); at > 0 {
			next = min(next, at)
		}
	}
	if baked := t.bake(); baked > 0 {
		return min(next, baked), false
	}
	return next, len(t.changes) == 0
}

// advance looks how far a service has come, and gives when to look again; 0: when something has
// changed.
func (t *turn) advance(service string) time.Duration {
	m := t.member
	w, now := m.wish(service), m.env.Now()
	t.again[service] = t.again[service] && w.Phase == Back
	switch {
	case w.Change != t.changes[service] || w.Phase == Idle:
		t.giveUp(service)
	case w.Phase == Waiting || w.Phase == Owing || t.again[service]:
		if limit := t.began + m.lease(); t.lost || now >= limit {
			t.giveUp(service)
		} else {
			return limit
		}
	case w.Phase == Ready:
		return t.commit(service)
	case w.Phase == Failing:
		m.fail(service, w, t.resumes[service])
	case w.Phase == Back || w.Phase == Ill:
		m.fail(service, w, t.resumes[service])
		t.ends(service, w)
	case w.Phase == Well:
		t.ends(service, w)
	}
	return 0
}

// ends notes that a service has come to the end of its change.
func (t *turn) ends(service string, w Wish) {
	delete(t.changes, service)
	t.over[service] = w
	t.worked = t.member.env.Now() - t.began
	t.member.revoke(service)
}

// giveUp has a service wait for another turn, of which nothing was swapped.
func (t *turn) giveUp(service string) {
	if service == t.first {
		t.leaveSeat()
	}
	delete(t.changes, service)
	t.member.revoke(service)
}

// commit lets a service swap its files, where nothing stands against it at this very time. What it
// did before may have taken long.
func (t *turn) commit(service string) time.Duration {
	m := t.member
	now := m.env.Now()
	if before := m.MaySwap(service, t.changes[service]); before > now {
		return before
	}
	if t.tries[service]++; t.tries[service] > commits || t.lost {
		t.giveUp(service)
		return 0
	}
	if m.env.Locker() != nil { // it knows nothing that could stand against it
		m.leave(service, Leave{t.changes[service], now + swapWithin})
		return now + swapWithin
	}
	sent := now
	if !t.renew() {
		return t.later(service)
	}
	v := m.lookBeyond()
	if v == nil {
		return t.later(service)
	}
	change := t.changes[service]
	item := v.changes[changeName(service, change)]
	now = m.env.Now()
	switch {
	case m.stopped(service, change, item, v.state) != "" || m.wish(service).Change != change || t.slot >= 0 && t.slot >= v.effective(m):
		t.giveUp(service)
		return 0
	case m.Canary && t.forced == "" && !m.ok(item) && (service != t.first || item.Text("seat") != t.lease || item.Number("seat_until") <= m.clock.high(now)):
		t.giveUp(service)
		return 0
	case t.slot >= 0 && m.clock.high(now) >= t.until || now-sent >= swapWithin:
		return t.later(service)
	}
	m.leave(service, Leave{change, sent + swapWithin})
	return sent + swapWithin
}

// later has a service try to commit again.
func (t *turn) later(service string) time.Duration {
	m := t.member
	if t.forced == KindAway && m.isAway() {
		m.leave(service, Leave{t.changes[service], m.env.Now() + swapWithin})
		return m.env.Now() + swapWithin
	}
	return m.env.Now() + time.Second
}

// end gives back what the host has got for its turn.
func (t *turn) end() {
	m := t.member
	t.leaveSeat()
	ill := false
	for _, w := range t.over {
		ill = ill || w.Phase == Ill
	}
	switch lock := m.env.Locker() != nil; {
	case lock && ill:
		m.memory.Kept = true // it is its own until it is well
		m.save()
		return
	case lock:
		m.releaseLock()
		return
	}
	if len(t.over) > 0 {
		m.report()
	}
	switch {
	case t.slot < 0:
	case ill:
		t.keep()
	default:
		t.release()
	}
}
