package fleet

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A gate is how it stands with the change of one service: who may go, and when.
type gate struct {
	service, change string
	name            string // of its item
	item            Item
	is              opening
	at              time.Duration // when this host is to try, or to look again
	why             string        // it waits
}

// An opening is whether a gate lets a host through.
type opening int

const (
	closed opening = iota // another host goes first
	shut                  // somebody has halted or frozen it, or it failed here
	seat                  // this host may go first, if it is fast
	open                  // the change was seen to be well, or nobody needs to
)

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
		g.is, g.at, g.why = open, m.env.Now(), "waits for a turn, to tell its dependents"
	case why != "":
		g.is, g.why = shut, why
		w.start, w.force = m.clock.low(m.env.Now()), 0 // the longest wait begins anew
	case !m.Canary:
		g.is, g.at, g.why = open, w.since+m.place(g.name), waitsForTurn
	case m.ok(g.item):
		g.is, g.at, g.why = open, m.machineTime(g.item.Number("ok_at"))+m.place(g.name), waitsForTurn
	case m.free(g.item, "seat_until"):
		if g.at, g.why = m.env.Now()+m.lostPause(), "waits for a turn, to go first"; v.free(m) >= 0 {
			g.is = seat
		}
	default:
		g.why = "waits for " + cmp.Or(g.item.Text("by"), "another host") + ", which goes first"
		g.at = max(m.machineTime(g.item.Number("expect"))+margin+m.place(g.name), m.env.Now()+leastPause)
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
	case len(m.memory.Halts) == 0: // the table would say so, unless it was made anew
	case failed && mark.Change == change && item.Number("resumes") <= mark.Resumes:
		return failedHere
	}
	return ""
}

// Why a service waits.
const (
	failedHere   = "it was not well here"
	waitsForTurn = "waits for its turn"
)

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

// turnTime is for how long a turn is expected to take. Where none has taken any time yet it is a
// short one: the first that is over says better.
func (m *Member) turnTime() time.Duration { return cmp.Or(m.memory.Held, 10*time.Second) }

// place is how long this host leaves to others with a change, as all of them do, each another part
// of the spread: the same each time.
func (m *Member) place(name string) time.Duration {
	sum := sha256.Sum256([]byte(m.Host + "\x00" + name))
	share := float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53) // from 0 to below 1
	return time.Duration(share * float64(m.spread()))
}

// spread is for how long the hosts of the group are expected to need their turns, all of them. It
// is a little more than if no slot ever stood empty: who finds none free asks again.
func (m *Member) spread() time.Duration {
	rounds := float64(m.memory.Hosts) / float64(max(1, m.memory.Most))
	return time.Duration(1.05 * rounds * float64(m.turnTime()))
}
