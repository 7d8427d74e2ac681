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
	slot    int               // below 0: it goes without one
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
	m.count()
	return true
}

// changeTTL is for how many seconds the table keeps what is known of a change, and hostTTL of a
// host.
const (
	changeTTL = 30 * 24 * 3600
	hostTTL   = 3 * 24 * 3600
)

// count counts the hosts of the group, for those whose share of them may work at once.
func (m *Member) count() {
	a := m.query(Query{Part: HostsOf(m.Fleet, m.Group), From: hostSort, Count: true})
	if a.Err != nil || a.Count == m.memory.Hosts {
		return
	}
	if a := m.update(Update{Key: Key{m.part(), stateSort}, Set: Item{"hosts": int64(a.Count)}}); a.Err == nil {
		m.memory.Hosts = a.Count
	}
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
	if seen := v.slots[t.slot].Text("lease"); seen == "" {
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
		t.release(nil)
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
	v := m.lookFrom(0, true)
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

// failed notes what has failed in an earlier life of the process, which did not come to say it.
func (m *Member) failed() {
	all := m.all()
	for _, service := range slices.Sorted(maps.Keys(all)) {
		w := all[service]
		atWork := m.memory.Lease != "" && !m.memory.Kept
		if w.Phase == Failing || w.Phase == Back || w.Phase == Ill && atWork {
			if _, known := m.memory.Failed[service]; !known || m.memory.Failed[service].Change != w.Change {
				m.fail(service, w, 0)
			}
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
	m.memory.Failed = maps.Clone(m.memory.Failed)
	if m.memory.Failed == nil {
		m.memory.Failed = make(map[string]Mark)
	}
	m.memory.Failed[service] = Mark{w.Change, resumes}
	if m.env.Locker() != nil {
		m.save()
		return
	}
	m.memory.Halts = append(slices.Clone(m.memory.Halts), Halt{service, w.Change, resumes, w.Why})
	m.save()
	m.halt()
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
				m.memory.Failed[h.Service] = Mark{h.Change, h.Resumes}
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
		t := &turn{member: m, slot: m.memory.Slot, lease: m.memory.Lease}
		return t.release(nil) || m.isAway()
	}
	return true
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
		t.release(t.over)
	}
}

// release gives the slot back. It is over when the table has said so.
func (t *turn) release(over map[string]Wish) bool {
	m := t.member
	m.releasing = true
	set := Item{"until": int64(0), "over": int64(1)}
	if t.worked > 0 && !slices.ContainsFunc(slices.Collect(maps.Values(over)), func(w Wish) bool { return w.Phase != Well }) {
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

// report says which changes this host has.
func (m *Member) report() bool {
	if !m.clock.known() && m.look() == nil {
		return false
	}
	low := m.clock.low(m.env.Now())
	said := m.says()
	set := Item{"at": low, servicesAttribute: said}
	if low > 0 {
		set["ttl"] = low/1000 + hostTTL
	}
	a := m.update(Update{Key: Key{HostsOf(m.Fleet, m.Group), hostSort + m.Host}, Set: set})
	if a.Err != nil {
		return false
	}
	m.said = said
	m.beatAt = m.env.Now() + beatEach - time.Duration(m.env.Chance()*float64(beatEach/10))
	return true
}
