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
	var letters letters
	if t.code {
		letters = legibleLetters(t.data)
	} else {
		letters.add(t.data, 0)
	}
	f.runs(t, f.public.without(f.hits(letters.folded)), letters.at, leastRun)
	if f.forms[rawForm] > 0 {
		f.runs(t, f.hits(t.data), everywhere(t.data), 0)
	}
	if t.code {
		f.decodedWords(t)
		return
	}
	f.wholeWords(t, letters)
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

// around is how far beside the hit its value goes on for certain.
func (h hit) around() int {
	if h.marks&sparse != 0 {
		return winnowed - 1
	}
	return 0
}

// adjoins tells whether a hit and the next one are of one value.
func (h hit) adjoins(next hit) bool {
	gap := window
	if h.marks&next.marks&sparse != 0 {
		gap = winnowed
	}
	return next.at-h.at <= gap
}

// runs hides windows that stand in a row. Those of a to z alone must make at least so many letters
// together. The windows are of the characters at these places of the reading.
func (f *finder) runs(t *reading, hits []hit, at []int32, least int) {
	for len(hits) > 0 {
		n, marks := 1, hits[0].marks
		for ; n < len(hits) && hits[n-1].adjoins(hits[n]); n++ {
			marks |= hits[n].marks
		}
		first, last := hits[0], hits[n-1]
		hits = hits[n:]
		if marks&mixed == 0 && last.at+window-first.at < least {
			continue
		}
		start := at[max(first.at-first.around(), 0)]
		end := at[min(last.at+window+last.around(), len(at))-1] + 1
		if t.code {
			f.cover(t, int(start), int(end))
		} else {
			f.coverEdges(t, int(start), int(end))
		}
	}
}

// edge are characters with which passwords begin and end, and of which few divide one value from
// another.
const edge = "!#$%^&*+?~|"

// coverEdges covers what is between two places, and such characters around it, which no window has.
func (f *finder) coverEdges(t *reading, start, end int) {
	for n := 0; n < window && start > 0 && strings.IndexByte(edge, t.data[start-1]) >= 0; n++ {
		start--
	}
	for n := 0; n < window && end < len(t.data) && strings.IndexByte(edge, t.data[end]) >= 0; n++ {
		end++
	}
	f.cover(t, start, end)
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
func legibleLetters(data []byte) (all letters) {
	for start := 0; start < len(data); start++ {
		end := start + legible(data[start:])
		if end-start >= window {
			all.add(data[start:end], start)
		}
		start = end
	}
	return all
}

// legible gives how much of data is text, from its beginning.
func legible(data []byte) (n int) {
	for n < len(data) {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 || r == 0x7f || r < ' ' && strings.IndexByte("\n\t\r\x00\x1b", byte(r)) < 0 {
			break
		}
		n += size
	}
	return n
}

// printable tells whether all of data is text that can be seen.
func printable(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) })
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
