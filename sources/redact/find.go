package redact

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A finder marks what of one output is to be hidden.
type finder struct {
	*Redactor
	public *public
	hide   []bool // byte by byte
}

// A hit is a window of a reading that has a fingerprint.
type hit struct {
	at     int
	window uint64
	marks  uint16
}

// read marks what a reading of the output gives away.
func (f *finder) read(t *reading) {
	f.privateKeys(t)
	if f.prints.count == 0 {
		return
	}
	folded, at := lettersOf(t.data)
	if t.code {
		folded, at = legibleLetters(t.data, folded[:0], at[:0])
	}
	f.runs(t, f.public.without(f.hits(folded)), at, leastRun)
	if f.forms[rawForm] > 0 {
		f.runs(t, f.hits(t.data), nil, 0)
	}
	if t.code {
		f.decodedWords(t)
		return
	}
	f.wholeWords(t, folded, at)
	f.encodedWords(t)
}

// hits gives the windows of data that have fingerprints. The sieve is asked about many at once:
// each answer comes from memory, and waits for none of the others then.
func (f *finder) hits(data []byte) []hit {
	var list []hit
	var prints [128]uint64
	for start := 0; start+window <= len(data); start += len(prints) {
		count := min(len(prints), len(data)-window+1-start)
		for i := range count {
			prints[i] = f.hash(binary.BigEndian.Uint64(data[start+i:]))
		}
		for i, p := range prints[:count] {
			if !f.prints.maybe(p) {
				continue
			}
			if marks, ok := f.prints.marks(p); ok {
				list = append(list, hit{start + i, binary.BigEndian.Uint64(data[start+i:]), marks})
			}
		}
	}
	return list
}

// runs hides windows that stand in a row. Those of a to z alone must make at least so many letters
// together. The windows are of the characters at these places of the reading; nil: of all.
func (f *finder) runs(t *reading, hits []hit, at []int32, least int) {
	place := func(i int) int {
		if at == nil {
			return i
		}
		return int(at[i])
	}
	count := len(t.data)
	if at != nil {
		count = len(at)
	}
	for len(hits) > 0 {
		n, marks := 1, hits[0].marks
		for ; n < len(hits); n++ {
			gap := window
			if hits[n].marks&hits[n-1].marks&sparse != 0 {
				gap = winnowed
			}
			if hits[n].at-hits[n-1].at > gap {
				break
			}
			marks |= hits[n].marks
		}
		from, to := hits[0].at, hits[n-1].at+window
		first, last := hits[0], hits[n-1]
		hits = hits[n:]
		if marks&mixed == 0 && to-from < least {
			continue
		}
		if first.marks&sparse != 0 {
			from = max(from-winnowed+1, 0)
		}
		if last.marks&sparse != 0 {
			to = min(to+winnowed-1, count)
		}
		start, end := place(from), place(to-1)+1
		if !t.code {
			start, end = edges(t.data, start, end)
		}
		f.cover(t, start, end)
	}
}

// edge are characters with which passwords begin and end, and of which few divide one value from
// another.
const edge = "!#$%^&*+?~|"

// edges takes in such characters, which no window has.
func edges(data []byte, start, end int) (int, int) {
	for n := 0; n < window && start > 0 && strings.IndexByte(edge, data[start-1]) >= 0; n++ {
		start--
	}
	for n := 0; n < window && end < len(data) && strings.IndexByte(edge, data[end]) >= 0; n++ {
		end++
	}
	return start, end
}

// cover hides what [start, end) of a reading is in the output.
func (f *finder) cover(t *reading, start, end int) {
	if start >= end {
		return
	}
	// A reading may run backwards, or swap what stands side by side.
	from, to := t.from[start], t.to[start]
	for i := start + 1; i < end; i++ {
		from, to = min(from, t.from[i]), max(to, t.to[i])
	}
	for i := from; i < to; i++ {
		f.hide[i] = true
	}
}

// legibleLetters gives the letters and digits of those parts of data that are text: what is decoded
// and is none is mostly noise.
func legibleLetters(data []byte, folded []byte, at []int32) ([]byte, []int32) {
	flush := func(start, end int) {
		if end-start < window {
			return
		}
		for i, b := range data[start:end] {
			if b, ok := fold(b); ok {
				folded, at = append(folded, b), append(at, int32(start+i))
			}
		}
	}
	start := 0
	for i := 0; i < len(data); {
		b, size := data[i], 1
		good := b >= ' ' && b < 0x7f || b == '\n' || b == '\t' || b == '\r' || b == 0 || b == 0x1b
		if b >= 0x80 {
			_, size = utf8.DecodeRune(data[i:])
			good = size > 1
		}
		if !good {
			flush(start, i)
			start = i + 1
		}
		i += size
	}
	flush(start, len(data))
	return folded, at
}

// legible tells whether data is text.
func legible(data []byte) bool {
	return utf8.Valid(data) && bytes.IndexFunc(data, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) < 0
}

// result gives the output without what is hidden.
func (f *finder) result(output []byte) string {
	var b strings.Builder
	for i := 0; i < len(output); {
		if !f.hide[i] {
			b.WriteByte(output[i])
			i++
			continue
		}
		for i < len(output) && (f.hide[i] || !utf8.RuneStart(output[i])) {
			i++
		}
		b.WriteString(hidden)
	}
	return b.String()
}
