package redact

import (
	"maps"
	"slices"
)

const (
	window   = 8        // letters and digits that a fingerprint is of
	dense    = 1 << 10  // bytes up to which a value has a fingerprint for every window
	winnowed = 16       // of so many windows in a row of a longer one the least has one
	letters  = 64 << 10 // bytes up to which every window that is of a to z alone has one: such are believed in a row only
	most     = 1 << 20  // bytes of a value that are looked at

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

// letters gives the letters and digits of a text, and where each stands.
func lettersOf(text []byte) (folded []byte, at []int32) {
	folded, at = make([]byte, 0, len(text)), make([]int32, 0, len(text))
	for i, b := range text {
		if b, ok := fold(b); ok {
			folded, at = append(folded, b), append(at, int32(i))
		}
	}
	return folded, at
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
	type candidate struct {
		at     int
		order  uint64
		window uint64
	}
	var least []candidate // of the last windows, in ascending order, each the least of those behind it
	var w uint64
	for i, b := range data {
		w = w<<8 | uint64(b)
		at := i - window + 1
		if at < 0 {
			continue
		}
		marks, ok := what(at)
		switch {
		case ok && (len(data) <= dense || marks&mixed == 0 && len(data) <= letters):
			c.prints[c.hash(w)] |= marks
		case ok:
			order := scrambled(w)
			for len(least) > 0 && least[len(least)-1].order >= order {
				least = least[:len(least)-1]
			}
			least = append(least, candidate{at, order, w})
		}
		if len(least) > 0 && least[0].at <= at-winnowed {
			least = least[1:]
		}
		if len(least) > 0 && (at >= winnowed-1 || i == len(data)-1) {
			c.prints[c.hash(least[0].window)] |= mixed | sparse
		}
	}
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
