package fleet

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// direct has a member ask the table at once.
type direct struct{ *host }

func (d direct) Update(u Update) Answer { return d.w.update(u) }

func (d direct) Query(q Query) Answer { return d.w.query(q) }

// A look before a swap counts who works in a slot that was taken away, though there were more when
// this host looked last.
func TestLookBeyond(t *testing.T) {
	for name, tt := range map[string]struct {
		known, most, held int // as it was remembered, and as it is
		effective         int
	}{
		"as it was":                           {known: 4, most: 4, held: 2, effective: 4},
		"fewer, and one works beyond":         {known: 4, most: 2, held: 2, effective: 1},
		"fewer, and one works behind":         {known: 4, most: 2, held: 5, effective: 1},
		"fewer, and nobody beyond":            {known: 4, most: 2, held: 1, effective: 2},
		"more":                                {known: 2, most: 4, held: 3, effective: 4},
		"nothing is remembered":               {known: 0, most: 2, held: 2, effective: 1},
		"one still works, as there were more": {known: 2, most: 2, held: 3, effective: 1},
	} {
		w := newWorld(1, small(3, 4))
		w.now = time.Hour
		m := NewMember(w.settings, direct{&host{w: w, name: "h00000"}})
		m.memory.Most = tt.known
		until := Item{"lease": "another", "until": w.low() + ms(time.Minute)}
		w.update(Update{Key: Key{m.part(), stateSort}, Set: Item{"max_op": int64(tt.most)}})
		w.update(Update{Key: Key{m.part(), slotName(tt.held)}, Set: until})
		if v := m.lookBeyond(); v == nil || v.effective(m) != tt.effective {
			t.Errorf("%s: %+v, want %d slots", name, v, tt.effective)
		}
	}
}

// readOnly is a table that this host may not write to.
type readOnly struct{ direct }

func (r readOnly) Update(Update) Answer {
	return Answer{Err: errors.New("access denied"), Date: r.Query(Query{}).Date}
}

// A host that may not write to the table says so where it waits, and not that it waits for its turn.
func TestWaitsForAnotherPolicy(t *testing.T) {
	for _, canary := range []bool{true, false} {
		w := newWorld(1, small(3, 1))
		w.now = time.Hour
		s := w.settings
		s.Canary = canary
		m := NewMember(s, readOnly{direct{&host{w: w, name: "h00000"}}})
		m.Say("web", Wish{Phase: Waiting, Change: "v2"})
		for range 5 { // its first look comes at random
			turn, next := m.await()
			if turn != nil {
				t.Fatalf("it has a turn: %+v", turn)
			}
			w.now = next
		}
		if st := m.Standing("web", "v2"); !strings.HasSuffix(st.Why, "cannot be asked: access denied") {
			t.Errorf("canary %v: it %q", canary, st.Why)
		}
	}
}
