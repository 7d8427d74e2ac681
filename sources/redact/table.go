package redact

import "math/bits"

// A table holds fingerprints. Each belongs to an owner, by whose number it is forgotten; one that
// has several stands there several times. Ten bytes are one slot, of which at most three in four
// are taken.
type table struct {
	prints []uint64 // by linear probing
	owners []uint16 // with the marks; 0: the slot is empty
	count  int
	// sieve has bits, most of them unset, that tell without a look at the table what is not in it.
	sieve []uint64
}

const (
	markBits  = 2
	maxOwners = 1<<(16-markBits) - 1
)

// sieveShare is how many bits of the sieve there are for each slot.
const sieveShare = 16

// add adds a fingerprint of an owner, which is not 0.
func (t *table) add(p uint64, owner, marks uint16) {
	if 4*(t.count+1) > 3*len(t.prints) {
		t.grow()
	}
	i := t.slot(p)
	for t.owners[i] != 0 {
		i = t.next(i)
	}
	t.prints[i], t.owners[i] = p, owner<<markBits|marks
	t.mark(p)
	t.count++
}

// marks gives the marks of a fingerprint, those that it has for any owner, and whether it is in the
// table.
func (t *table) marks(p uint64) (marks uint16, ok bool) {
	if !t.maybe(p) {
		return 0, false
	}
	for i := t.slot(p); t.owners[i] != 0; i = t.next(i) {
		if t.prints[i] == p {
			marks, ok = marks|t.owners[i]&(1<<markBits-1), true
		}
	}
	return marks, ok
}

// maybe is false of most of what is not in the table, and of nothing that is.
func (t *table) maybe(p uint64) bool { return len(t.sieve) > 0 && t.sieve[t.word(p)]>>(p&63)&1 != 0 }

// forget takes away the fingerprints of some owners.
func (t *table) forget(gone func(owner uint16) bool) {
	for i := 0; i < len(t.owners); {
		if t.owners[i] == 0 || !gone(t.owners[i]>>markBits) {
			i++
			continue
		}
		t.empty(i) // by which another may come to stand there
	}
	clear(t.sieve)
	for i, owner := range t.owners {
		if owner != 0 {
			t.mark(t.prints[i])
		}
	}
}

// empty empties a slot. What stands behind it and was displaced moves up.
func (t *table) empty(i int) {
	t.count--
	for j := t.next(i); t.owners[j] != 0; j = t.next(j) {
		// What belongs between the hole and where it stands stays.
		if home := t.slot(t.prints[j]); (j-home)&(len(t.prints)-1) < (j-i)&(len(t.prints)-1) {
			continue
		}
		t.prints[i], t.owners[i] = t.prints[j], t.owners[j]
		i = j
	}
	t.owners[i] = 0
}

func (t *table) grow() {
	was := *t
	size := max(2*len(t.prints), 1<<8)
	*t = table{prints: make([]uint64, size), owners: make([]uint16, size), sieve: make([]uint64, size*sieveShare/64)}
	for i, owner := range was.owners {
		if owner != 0 {
			t.add(was.prints[i], owner>>markBits, owner&(1<<markBits-1))
		}
	}
}

// slot gives where a fingerprint belongs.
func (t *table) slot(p uint64) int { return int(p >> (64 - bits.Len(uint(len(t.prints)-1)))) }

func (t *table) next(i int) int { return (i + 1) & (len(t.prints) - 1) }

func (t *table) mark(p uint64) { t.sieve[t.word(p)] |= 1 << (p & 63) }

func (t *table) word(p uint64) uint64 { return p >> 6 & uint64(len(t.sieve)-1) }
