package redact

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
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

// hits gives the windows of data that have fingerprints. The sieve is asked about many at once: each answer comes from memory, and waits for
// none of the others then.
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

// runs hides windows that stand in a row. Those of a to z alone must make at least so many letters together. The windows are of the
// characters at these places of the reading; nil: of all.
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

// edge are characters with which passwords begin and end, and of which few divide one value from another.
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

// wholeWords hides short secrets: as they are written, and with anything between their characters.
func (f *finder) wholeWords(t *reading, folded []byte, at []int32) {
	lengths := f.lengths(3, maxWord)
	if lengths == nil {
		return
	}
	text := lower(string(t.data))
	// A number ends where its digits do, whatever follows.
	ends := func(i int) bool {
		return divided(text, i) || isDigit(text[i-1]) != isDigit(text[i])
	}
	// word gives where words that begin at i end: several may stand without anything between them.
	var word func(i int) int
	word = func(i int) int {
		for _, n := range lengths {
			j := i + n
			if j > len(text) || !f.is(f.words, text[i:j]) || f.public.word(text[i:j]) {
				continue
			}
			if ends(j) && (isNumber(text[i:j]) || divided(text, j)) {
				return j
			}
			if k := word(j); k > 0 {
				return k
			}
		}
		return 0
	}
	for i := range text {
		if ends(i) {
			if j := word(i); j > 0 && (isNumber(text[i:j]) || divided(text, i)) {
				f.cover(t, i, j)
			}
		}
	}
	f.bareWords(t, folded, at, text)
}

// lengths gives the lengths of short secrets that there are.
func (f *finder) lengths(least, most int) (list []int) {
	for n := least; n <= most; n++ {
		if f.forms[n] > 0 {
			list = append(list, n)
		}
	}
	return list
}

const (
	leastDecodedWord = 6  // bytes that do not come about by chance in what is decoded
	mostDecodedWord  = 24 // longer ones have windows, as a rule
)

// decodedWords hides short secrets wherever they stand in what is decoded.
func (f *finder) decodedWords(t *reading) {
	lengths := f.lengths(leastDecodedWord, mostDecodedWord)
	if lengths == nil {
		return
	}
	text := lower(string(t.data))
	for i := range text {
		for _, n := range lengths {
			if j := i + n; j <= len(text) && f.is(f.words, text[i:j]) && !f.public.word(text[i:j]) {
				f.cover(t, i, j)
			}
		}
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func isNumber(text []byte) bool {
	return len(text) > 5 && bytes.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// divided tells whether a word may begin or end at i.
func divided(text []byte, i int) bool {
	return i == 0 || i == len(text) || !isLetter(text[i-1]) || !isLetter(text[i])
}

// bareWords hides short secrets by their letters and digits.
func (f *finder) bareWords(t *reading, folded []byte, at []int32, text []byte) {
	for n := range maxBare + 1 {
		if f.forms[bareForm|form(n)] == 0 {
			continue
		}
		for i := 0; i+n <= len(folded); i++ {
			start, end := int(at[i]), int(at[i+n-1])+1
			if start > 0 && isLetter(text[start-1]) || end < len(text) && isLetter(text[end]) {
				continue
			}
			if f.is(f.bare, folded[i:i+n]) && !f.public.bare(folded[i:i+n]) {
				start, end = edges(t.data, start, end)
				f.cover(t, start, end)
			}
		}
	}
}

// is reports that a text has a fingerprint.
func (f *finder) is(seed maphash.Seed, text []byte) bool {
	_, ok := f.prints.marks(maphash.Bytes(seed, text))
	return ok
}

const (
	leastCode = 4    // characters that may encode a short secret
	mostCode  = 4096 // and those of a header that holds one
)

// encodedWords looks for short secrets in what stands in base64 or hexadecimal and is plain text.
func (f *finder) encodedWords(t *reading) {
	for i := 0; i < len(t.data); {
		start := i
		for i < len(t.data) && (base64Digits[0][t.data[i]] < 64 || base64Digits[1][t.data[i]] < 64) {
			i++
		}
		if n := i - start; n >= leastCode && n <= mostCode {
			f.encodedWord(t, start, i)
		}
		i++
	}
}

func (f *finder) encodedWord(t *reading, start, end int) {
	word := &reading{data: t.data[start:end], from: t.from[start:end], to: t.to[start:end]}
	give := func(r *reading) {
		if r == nil || len(r.data) < 3 || !legible(r.data) {
			return
		}
		r.code = false
		folded, at := lettersOf(r.data)
		f.wholeWords(r, folded, at)
	}
	all := make([]int32, end-start)
	isOf, hexadecimal := [2]bool{true, true}, len(all)%2 == 0
	for i := range all {
		all[i] = int32(i)
		hexadecimal = hexadecimal && isHex(word.data[i])
		for alphabet := range isOf {
			isOf[alphabet] = isOf[alphabet] && base64Digits[alphabet][word.data[i]] < 64
		}
	}
	for alphabet, ok := range isOf {
		if ok {
			give(base64At(word, all, &base64Digits[alphabet]))
		}
	}
	if hexadecimal {
		first := true
		hexes(word, func(r *reading) {
			if first {
				give(r)
			}
			first = false
		})
	}
}

// legibleLetters gives the letters and digits of those parts of data that are text: what is decoded and is none is mostly noise.
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

// A public is text that holds no secret.
type public struct {
	text   []byte // in lower case
	folded []byte
	shown  map[uint64]bool // windows that were looked for, and whether they stand in it
}

// maxPublic bounds how much public text is looked at.
const maxPublic = 1 << 20

func newPublic(texts []string) *public {
	p := &public{shown: make(map[uint64]bool)}
	for _, t := range texts {
		t = t[:min(len(t), maxPublic-len(p.text))]
		p.text = append(append(p.text, lower(t)...), '\n')
		if len(p.text) >= maxPublic {
			break
		}
	}
	p.folded, _ = lettersOf(p.text)
	return p
}

// without leaves out the hits that stand in it.
func (p *public) without(hits []hit) []hit {
	if len(p.folded) < window || len(hits) == 0 {
		return hits
	}
	fresh := false
	for _, h := range hits {
		if _, known := p.shown[h.window]; !known {
			p.shown[h.window], fresh = false, true
		}
	}
	if fresh {
		for i := 0; i+window <= len(p.folded); i++ {
			w := binary.BigEndian.Uint64(p.folded[i:])
			if _, asked := p.shown[w]; asked {
				p.shown[w] = true
			}
		}
	}
	kept := hits[:0]
	for _, h := range hits {
		if !p.shown[h.window] {
			kept = append(kept, h)
		}
	}
	return kept
}

// word reports that a text stands in it by itself.
func (p *public) word(text []byte) bool {
	for rest := p.text; ; {
		at := bytes.Index(rest, text)
		if at < 0 {
			return false
		}
		end := at + len(text)
		if divided(rest, at) && divided(rest, end) {
			return true
		}
		rest = rest[end:]
	}
}

// bare reports that letters and digits stand in it, whatever is between them.
func (p *public) bare(folded []byte) bool { return bytes.Contains(p.folded, folded) }
