package redact

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A reading is one way to read an output: what it says then, byte by byte, and where in the output
// that stands.
type reading struct {
	data     []byte
	from, to []int32

	// code: it was decoded from what may be something else, mere letters and digits, of which most
	// are noise.
	code bool
}

// add appends a byte that stands at [from, to) of the output.
func (r *reading) add(b byte, from, to int32) {
	r.data, r.from, r.to = append(r.data, b), append(r.from, from), append(r.to, to)
}

// addFrom appends byte i of another reading.
func (r *reading) addFrom(t *reading, i int) { r.add(t.data[i], t.from[i], t.to[i]) }

// cut leaves no more than the first bytes.
func (r *reading) cut(size int) { r.data, r.from, r.to = r.data[:size], r.from[:size], r.to[:size] }

// take appends what [start, end) of another reading is.
func (r *reading) take(t *reading, start, end int) {
	r.data, r.from, r.to = append(r.data, t.data[start:end]...), append(r.from, t.from[start:end]...), append(r.to, t.to[start:end]...)
}

func newReading(size int) *reading {
	return &reading{data: make([]byte, 0, size), from: make([]int32, 0, size), to: make([]int32, 0, size)}
}

// newCode makes one of what is decoded.
func newCode(size int) *reading {
	r := newReading(size)
	r.code = true
	return r
}

// plain is the output as it is.
func plain(output []byte) *reading {
	r := newReading(len(output))
	for i, b := range output {
		r.add(b, int32(i), int32(i+1))
	}
	return r
}

// readings gives every way to read an output.
func readings(output []byte, give func(*reading)) {
	asItIs := plain(output)
	give(asItIs)
	shown := withoutControls(asItIs)
	if len(shown.data) < len(asItIs.data) {
		give(shown)
	}
	give(reversed(shown))
	for _, decode := range []func(*reading) *reading{withoutMarks, lowered} {
		if decoded := decode(shown); decoded != shown {
			give(decoded)
		}
	}
	texts := []*reading{shown}
	if bare, beside := undumped(shown); bare != nil {
		give(bare)
		give(beside)
		texts = append(texts, bare)
	}
	for _, t := range texts {
		unescaped(t, give)
		base64s(t, give)
		hexes(t, give)
		give(octals(t))
		give(machineWords(t))
		for _, size := range []int{2, 4, 8} {
			give(machineDecimals(t, size))
		}
		give(decimals(t))
	}
}

// layers is how often what is escaped may be escaped again, as JSON in JSON is.
const layers = 2

var unescapers = []func(*reading) *reading{backslash, percent, entities, quotedPrintable, templates}

// unescaped gives what is read where each kind of escapes is decoded by itself, and all of them.
func unescaped(t *reading, give func(*reading)) {
	for _, decode := range unescapers {
		if decoded := decode(t); decoded != t {
			give(decoded)
		}
	}
	for range layers {
		was := t
		for _, decode := range unescapers {
			t = decode(t)
		}
		if t == was {
			return
		}
		t = withoutControls(t)
		give(t)
		base64s(t, give)
	}
}

// unseenBegins are the bytes that what is not seen begins with.
const unseenBegins = "\b\x1b^\xc2\xe2\xef"

// unseen are a backspace, sequences for terminals (ECMA-48), also as cat -v shows them, and
// characters that take no room: spaces of no width, joiners, marks of direction, a byte order mark,
// a soft hyphen. A string of control goes up to BEL or ESC \, at most so far: a lone one must not
// hide what follows.
var unseen = lazyregexp.New(`(?s)\x08|(?:\x1b\[|\^\[\[|\x{9b})[\x20-\x3f]*[\x40-\x7e]?` +
	`|\x1b[\]PX^_](?:[^\x07\x1b]{0,253}(?:\x07|\x1b.?))?|\x1b[\x20-\x2f]*.?` +
	`|[\x{200b}-\x{200f}\x{2060}\x{feff}\x{ad}]`)

// withoutControls leaves out what is not seen, and what backspaces take back.
func withoutControls(t *reading) *reading {
	if !slices.ContainsFunc(t.data, func(b byte) bool { return strings.IndexByte(unseenBegins, b) >= 0 }) {
		return t
	}
	r := newReading(len(t.data))
	seen := 0 // up to here
	for _, m := range unseen.FindAllIndex(t.data, -1) {
		r.take(t, seen, m[0])
		seen = m[1]
		if t.data[m[0]] == '\b' {
			_, size := utf8.DecodeLastRune(r.data)
			r.cut(len(r.data) - size)
		}
	}
	r.take(t, seen, len(t.data))
	return r
}

// runes makes a reading of another by what each gives for the characters beyond ASCII, that itself
// where it changes none.
func runes(t *reading, each func(rune) string) *reading {
	if !slices.ContainsFunc(t.data, func(b byte) bool { return b >= utf8.RuneSelf }) {
		return t
	}
	r := newReading(len(t.data))
	for i := 0; i < len(t.data); {
		c, size := utf8.DecodeRune(t.data[i:])
		if c < utf8.RuneSelf || c == utf8.RuneError {
			r.take(t, i, i+size)
			i += size
			continue
		}
		for _, b := range []byte(each(c)) {
			r.add(b, t.from[i], t.to[i+size-1])
		}
		i += size
	}
	if bytes.Equal(r.data, t.data) {
		return t
	}
	return r
}

// withoutMarks leaves out what stands on, below or around other characters, or formats them.
func withoutMarks(t *reading) *reading {
	return runes(t, func(c rune) string {
		if unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf) {
			return ""
		}
		return string(c)
	})
}

// lowered reads capitals beyond ASCII as small letters. Those of ASCII are compared as such.
func lowered(t *reading) *reading {
	return runes(t, func(c rune) string { return string(unicode.ToLower(c)) })
}

// reversed reads from the end to the beginning, character by character.
func reversed(t *reading) *reading {
	r := newReading(len(t.data))
	for end := len(t.data); end > 0; {
		_, size := utf8.DecodeLastRune(t.data[:end])
		for i := end - size; i < end; i++ {
			r.addFrom(t, i)
		}
		end -= size
	}
	return r
}

// undumped leaves out of each line the number or the address that it begins with, and of a
// hexadecimal dump the characters at its end, which it gives by themselves. Both are nil where no
// line begins with any.
func undumped(t *reading) (content, beside *reading) {
	for start := 0; start < len(t.data); {
		end := start + bytes.IndexByte(t.data[start:], '\n') + 1
		if end == start {
			end = len(t.data)
		}
		from, to := dumpLine(t.data[start:end])
		if from > 0 && content == nil {
			content, beside = newReading(len(t.data)), newReading(0)
			content.take(t, 0, start)
		}
		if content != nil {
			content.take(t, start+from, start+to)
			beside.take(t, start+to, end)
		}
		start = end
	}
	return content, beside
}

// dumpNumber is what a line of a dump begins with. Before the number there may stand the mark of a
// line that differs.
var dumpNumber = lazyregexp.New(`^[ \t<>+-]*[0-9A-Fa-f]{1,16}[: \t\r\n|)]`)

// dumpLine gives where the content of a line begins, 0 where it has no number, and where it ends.
func dumpLine(line []byte) (from, to int) {
	to = len(line)
	if from = len(dumpNumber.Find(line)) - 1; from < 0 {
		return 0, to
	}
	// Two spaces divide the characters from the bytes; hexdump -C has bars around them, and two
	// spaces in the middle of the bytes, too.
	apart := "  "
	if bytes.HasSuffix(bytes.TrimSpace(line), []byte("|")) {
		apart = "  |"
	}
	for j := from; j < to; j++ {
		if bytes.HasPrefix(line[j:], []byte(apart)) && hexGroups(line[from:j]) && !hexGroups(line[j:]) {
			return from, j
		}
	}
	return from, to
}

// hexGroups reports that there are at least two pairs of hexadecimal digits, and nothing else.
func hexGroups(text []byte) bool {
	n := 0
	for _, word := range bytes.Fields(bytes.TrimLeft(text, ":")) {
		if len(word)%2 != 0 || bytes.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf || !isHex(byte(r)) }) {
			return false
		}
		n += len(word)
	}
	return n >= 4
}

func isHex(b byte) bool { return digit(b) < 16 }
