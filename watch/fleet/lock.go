package fleet

import "time"

// A Locker gives turns and nothing else: a server of the FleetLock protocol.
type Locker interface {
	// Acquire asks for the turn of this host. Why is what is said where it is not held; an error
	// says that nobody knows whether it is.
	Acquire() (held bool, why string, err error)
	// Release gives it back, or fails and is to be tried again.
	Release() error
}

// lockLease stands for a slot in what is remembered: the server knows the host by its id.
const lockLease = "lock"

const (
	lockRetry = 10 * time.Second // between two tries for a lock, and as much again by chance
	noSlot    = -1
)

// acquireLock tries for a turn at a server that gives turns and nothing else. What is to be given
// back is on record before it is asked for.
func (m *Member) acquireLock(due []string) (*turn, time.Duration) {
	t := m.newTurn(noSlot, lockLease, "")
	for _, service := range due {
		change := m.waits[service].change
		if m.memory.Failed[service].Change == change { // nobody can resume it there
			m.stands(service, Standing{Why: failedHere, change: change})
			continue
		}
		t.add(gate{service: service, change: change})
	}
	if len(t.changes) == 0 {
		return nil, m.env.Now() + beatEach
	}
	held, why := m.lock()
	if held {
		return t, 0
	}
	for service, change := range t.changes {
		m.stands(service, Standing{Why: why, change: change})
	}
	if forced := m.lateByLock(t); forced != nil {
		return forced, 0
	}
	return nil, m.env.Now() + lockRetry + time.Duration(m.env.Chance()*float64(lockRetry))
}

// lock asks for the lock, and says why this host has not got it.
func (m *Member) lock() (held bool, why string) {
	if m.memory.Lease != lockLease {
		m.memory.Lease, m.memory.Kept = lockLease, false
		if !m.save() {
			m.memory.Lease = ""
			return false, "waits for its turn, which cannot be put on record"
		}
	}
	held, why, err := m.env.Locker().Acquire()
	m.answered(Answer{Err: err, Silent: err != nil}, m.env.Now())
	if err != nil {
		return false, m.noAnswer()
	}
	return held, "waits for its turn: " + why
}

// lateByLock has the services of a turn go without one that wait for too long, and for up to as
// long again by chance: who holds the lock may be dead, or the server away. nil: none has.
func (m *Member) lateByLock(t *turn) *turn {
	if m.Hold {
		return nil
	}
	now := m.env.Now()
	for service := range t.changes {
		w := m.waits[service]
		if w.force == 0 {
			w.force = w.since + m.MaxWait + time.Duration(m.env.Chance()*float64(m.MaxWait))
		}
		if now >= w.force {
			t.forced = KindLate
			return t
		}
	}
	return nil
}

// releaseLock gives the lock back. It is over when the server has said so.
func (m *Member) releaseLock() bool {
	m.releasing = true
	err := m.env.Locker().Release()
	m.answered(Answer{Err: err, Silent: err != nil}, m.env.Now())
	if err != nil {
		return false
	}
	m.memory.Lease, m.memory.Kept, m.releasing = "", false, false
	m.save()
	return true
}
