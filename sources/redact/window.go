package redact

import (
	"encoding/binary"
	"maps"
	"slices"
)

const (
	window   = 8       // letters and digits that a fingerprint is of
	dense    = 1 << 10 // bytes up to which a value has a fingerprint for every window
	winnowed = 16      // of so many windows in a row of a longer one the least has one
	// Up to so many bytes every window that is of a to z alone has one. Such are believed in a row
	// only.
	allLetters = 64 << 10
	most       = 1 << 20 // bytes of a value that are looked at

	leastRun = 12 // letters of a to z in a row that are more than a word
)

// fold gives a letter or a digit as it is compared, and whether it is one. Bytes beyond ASCII are
// letters.
func fold(b byte) (byte, bool) {
	switch {
	case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b >= 0x80:
		return b, true
	case b >= 'A' && b <= 'Z':
		return b + 'a' - 'A', true
	}
	return b, false
}

func isLetter(b byte) bool {
	_, ok := fold(b)
	return ok
}

// lower gives text as it is compared, all characters included.
func lower(text string) []byte {
	b := []byte(text)
	for i := range b {
		b[i], _ = fold(b[i])
	}
	return b
}

// letters are the letters and digits of a text, as they are compared, and where each stands.
type letters struct {
	folded []byte
	at     []int32
}

// add adds those of a part of the text that begins at a place.
func (l *letters) add(part []byte, place int) {
	l.folded, l.at = slices.Grow(l.folded, len(part)), slices.Grow(l.at, len(part))
	for i, b := range part {
		if b, ok := fold(b); ok {
			l.folded, l.at = append(l.folded, b), append(l.at, int32(place+i))
		}
	}
}

func lettersOf(text []byte) (all letters) {
	all.add(text, 0)
	return all
}

// everywhere gives all places of data.
func everywhere(data []byte) []int32 {
	at := make([]int32, len(data))
	for i := range at {
		at[i] = int32(i)
	}
	return at
}

// A collector collects the fingerprints of one value.
type collector struct {
	*Redactor
	prints map[uint64]uint16 // with their marks
	forms  []form
	depth  int
	seen   map[string]bool
}

func newCollector(r *Redactor) *collector {
	return &collector{Redactor: r, prints: make(map[uint64]uint16), seen: make(map[string]bool)}
}

// bytes takes a value that is no text: every eight bytes of it.
func (c *collector) bytes(data []byte) {
	data = data[:min(len(data), most)]
	c.forms = append(c.forms, rawForm)
	c.windows(data, func(i int) (uint16, bool) { return mixed, varied(data[i : i+window]) })
}

// varied tells whether bytes are more than a pattern that occurs anywhere.
func varied(b []byte) bool {
	first, second := b[0], -1
	for _, x := range b[1:] {
		switch {
		case x == first || int(x) == second:
		case second >= 0:
			return true
		default:
			second = int(x)
		}
	}
	return false
}

// windows takes the windows of data. What says of each, by where it begins, what marks it gets, and
// whether it is taken.
func (c *collector) windows(data []byte, what func(i int) (uint16, bool)) {
	var rest winnowing
	for at := 0; at+window <= len(data); at++ {
		w := binary.BigEndian.Uint64(data[at:])
		marks, ok := what(at)
		switch {
		case !ok:
		case len(data) <= dense, marks&mixed == 0 && len(data) <= allLetters:
			c.prints[c.hash(w)] |= marks
		default:
			rest.add(candidate{at, scrambled(w), w})
		}
		if w, ok := rest.least(at, at+window == len(data)); ok {
			c.prints[c.hash(w)] |= mixed | sparse
		}
	}
}

// A candidate is a window that may have a fingerprint.
type candidate struct {
	at     int
	order  uint64
	window uint64
}

// A winnowing has candidates among the last windows, in ascending order, each the least of those
// behind it.
type winnowing []candidate

func (l *winnowing) add(c candidate) {
	before := *l
	for len(before) > 0 && before[len(before)-1].order >= c.order {
		before = before[:len(before)-1]
	}
	*l = append(before, c)
}

// least gives the least of the windows up to at, where these are enough, or all.
func (l *winnowing) least(at int, all bool) (window uint64, ok bool) {
	if len(*l) > 0 && (*l)[0].at <= at-winnowed {
		*l = (*l)[1:]
	}
	if len(*l) == 0 || at < winnowed-1 && !all {
		return 0, false
	}
	return (*l)[0].window, true
}

// scrambled orders windows by chance, and the same in every process: which parts of a secret are
// recognised differs from run to run for nobody.
func scrambled(x uint64) uint64 {
	x ^= x >> 32
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return x ^ x>>32
}

func sortedNames(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
