package redact

import (
	"bytes"
	"iter"
	"strings"
	"unicode/utf8"
)

// A reading is one way to read an output: what it says then, byte by byte, and where in the output
// that stands.
type reading struct {
	data     []byte
	from, to []int32

	code bool // it was decoded from what may be something else: mere letters and digits, of which most are noise
}

// add appends a byte that stands at [from, to) of the output.
func (r *reading) add(b byte, from, to int32) {
	r.data, r.from, r.to = append(r.data, b), append(r.from, from), append(r.to, to)
}

// addFrom appends byte i of another reading.
func (r *reading) addFrom(t *reading, i int) { r.add(t.data[i], t.from[i], t.to[i]) }

// take appends what [start, end) of another reading is.
func (r *reading) take(t *reading, start, end int) {
	r.data, r.from, r.to = append(r.data, t.data[start:end]...), append(r.from, t.from[start:end]...), append(r.to, t.to[start:end]...)
}

func newReading(size int) *reading {
	return &reading{data: make([]byte, 0, size), from: make([]int32, 0, size), to: make([]int32, 0, size)}
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
func readings(output []byte) iter.Seq[*reading] {
	return func(yield func(*reading) bool) {
		good := true
		give := func(t *reading) {
			if t != nil && good {
				good = yield(t)
			}
		}
		asItIs := plain(output)
		give(asItIs)
		shown := withoutControls(asItIs)
		if len(shown.data) < len(asItIs.data) {
			give(shown)
		}
		give(reversed(shown))
		bare, beside := undumped(shown)
		give(bare)
		give(beside)
		for _, t := range []*reading{shown, bare} {
			if t == nil {
				continue
			}
			unescaped(t, give)
			base64s(t, give)
			hexes(t, give)
			give(octals(t))
			give(machineWords(t))
			give(decimals(t))
		}
	}
}

// layers is how often what is escaped may be escaped again, as JSON in JSON is.
const layers = 2

// unescaped gives what is read where each kind of escapes is decoded by itself, and all of them.
func unescaped(t *reading, give func(*reading)) {
	last := t
	for layer := range layers {
		was := last
		for _, decode := range []func(*reading) *reading{backslash, percent, entities, quotedPrintable} {
			if layer == 0 {
				give(decode(t))
			}
			if decoded := decode(last); decoded != nil {
				last = decoded
			}
		}
		if last == was {
			return
		}
		last = withoutControls(last)
		give(last)
		base64s(last, give)
	}
}

// withoutControls leaves out what directs a terminal (ECMA-48), and what backspaces take back.
func withoutControls(t *reading) *reading {
	r := newReading(len(t.data))
	for i := 0; i < len(t.data); {
		if n := control(t.data[i:]); n > 0 {
			i += n
			continue
		}
		if t.data[i] == '\b' {
			_, size := utf8.DecodeLastRune(r.data)
			last := len(r.data) - size
			r.data, r.from, r.to = r.data[:last], r.from[:last], r.to[:last]
			i++
			continue
		}
		r.addFrom(t, i)
		i++
	}
	return r
}

// invisible are characters that take no room: spaces of no width, joiners, marks of direction, a
// byte order mark, a soft hyphen.
var invisible = [][]byte{
	[]byte("\u200b"), []byte("\u200c"), []byte("\u200d"), []byte("\u200e"), []byte("\u200f"), []byte("\u2060"), []byte("\ufeff"), []byte("\u00ad"),
}

// control gives the length of what text begins with that is not seen, a sequence for terminals or a
// character of no width; 0 where it begins with none.
func control(text []byte) int {
	if text[0] >= utf8.RuneSelf {
		for _, c := range invisible {
			if bytes.HasPrefix(text, c) {
				return len(c)
			}
		}
	}
	n := 0
	switch {
	case text[0] == 0x1b:
		n = 1
	case bytes.HasPrefix(text, []byte("^[[")): // as cat -v shows it
		n = 2
	case bytes.HasPrefix(text, []byte("\xc2\x9b")): // CSI in one character
		return parameters(text, 2)
	default:
		return 0
	}
	if len(text) == n {
		return n
	}
	switch text[n] {
	case '[':
		return parameters(text, n+1)
	case ']', 'P', 'X', '^', '_': // up to BEL or ESC \, at most this far: a lone one must not hide what follows
		for i := n + 1; i < min(len(text), 256); i++ {
			if text[i] == 7 {
				return i + 1
			}
			if text[i] == 0x1b {
				return min(i+2, len(text))
			}
		}
		return n + 1
	}
	for n < len(text) && text[n] >= 0x20 && text[n] < 0x30 {
		n++
	}
	return min(n+1, len(text))
}

// parameters gives where a control sequence ends whose parameters begin at i.
func parameters(text []byte, i int) int {
	for i < len(text) && text[i] >= 0x20 && text[i] < 0x40 {
		i++
	}
	if i < len(text) && text[i] >= 0x40 && text[i] < 0x7f {
		i++
	}
	return i
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

// dumpLine gives where the content of a line begins, 0 where it has no number, and where it ends.
// Before the number there may stand the mark of a line that differs.
func dumpLine(line []byte) (from, to int) {
	to = len(line)
	i := 0
	for i < to && strings.IndexByte(" \t<>+-", line[i]) >= 0 {
		i++
	}
	digits := i
	for i < to && isHex(line[i]) {
		i++
	}
	if i == digits || i-digits > 16 || i == to || strings.IndexByte(": \t\r\n|)", line[i]) < 0 {
		return 0, to
	}
	// Two spaces divide the characters from the bytes; hexdump -C has bars around them, and two spaces
	// in the middle of the bytes, too.
	apart := "  "
	if bytes.HasSuffix(bytes.TrimSpace(line), []byte("|")) {
		apart = "  |"
	}
	for j := i; j < to; j++ {
		if bytes.HasPrefix(line[j:], []byte(apart)) && hexGroups(line[i:j]) && !hexGroups(line[j:]) {
			return i, j
		}
	}
	return i, to
}

// hexGroups reports that there are at least two pairs of hexadecimal digits, and nothing else.
func hexGroups(text []byte) bool {
	n := 0
	for _, word := range bytes.Fields(bytes.TrimLeft(text, ":")) {
		if len(word)%2 != 0 {
			return false
		}
		for _, b := range word {
			if !isHex(b) {
				return false
			}
		}
		n += len(word)
	}
	return n >= 4
}

func isHex(b byte) bool { return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F' }
