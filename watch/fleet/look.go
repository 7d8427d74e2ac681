package fleet

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A look is what a query has found of a group.
type look struct {
	at      time.Duration   // by the clock of the machine, when it came
	from    int             // slots before this one were not asked for
	slots   []Item          // from that one on, nil being none
	changes map[string]Item // by name
	state   Item
}

// read sorts what a query has found.
func read(at time.Duration, from int, items []Stored) *look {
	l := &look{at: at, from: from, changes: make(map[string]Item), state: Item{}}
	for _, s := range items {
		switch {
		case s.Sort == stateSort:
			l.state = s.Item
		case strings.HasPrefix(s.Sort, changeSort):
			l.changes[s.Sort] = s.Item
		default:
			l.add(s)
		}
	}
	return l
}

// mostNumber is before which there are slots, whatever stands in the table.
const mostNumber = 1_000_000

// add adds an item where it is a slot's.
func (l *look) add(s Stored) {
	digits, is := strings.CutPrefix(s.Sort, slotSort)
	number, err := strconv.Atoi(digits)
	if !is || err != nil || number < l.from || number >= mostNumber {
		return
	}
	if gap := number - l.from - len(l.slots); gap >= 0 {
		l.slots = append(l.slots, make([]Item, gap+1)...)
	}
	l.slots[number-l.from] = s.Item
}

// slot gives what stands in the table of a slot; nil: nothing, or it was not asked for.
func (l *look) slot(number int) Item {
	if i := number - l.from; i >= 0 && i < len(l.slots) {
		return l.slots[i]
	}
	return nil
}

// most gives how many may work at once, as the operator has it, or the config.
func (l *look) most(a Amount) int {
	if n := l.state.Number("max_op"); n > 0 {
		return int(n)
	}
	return a.Of(int(l.state.Number("hosts")))
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

// lookBeyond asks how the group stands at this very time, without the slots that there may be: what
// stands against a swap is behind them.
func (m *Member) lookBeyond() *look {
	v := m.lookFrom(m.memory.Most, true)
	if v != nil && v.most(m.Most) < v.from { // there are fewer by now
		v = m.lookFrom(v.most(m.Most), true)
	}
	return v
}

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

// effective gives how many slots there are: who works in one that was taken away since is counted.
func (l *look) effective(m *Member) int {
	most := l.most(m.Most)
	n := most
	for number := max(most, l.from); number < l.from+len(l.slots); number++ {
		if !m.free(l.slot(number), "until") {
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
	most := l.effective(m)
	for number := l.from; number < most; number++ {
		if m.free(l.slot(number), "until") {
			list = append(list, number)
		}
	}
	if len(list) == 0 {
		return noSlot
	}
	return list[int(m.env.Chance()*float64(len(list)))]
}
