package redact

import (
	"bytes"

	"github.com/rendered/rendered/internal/lazyregexp"
)

// A private key is withheld whether or not it is known: a program may write it in another form than
// the one in which AWS has it.

var keyMark = lazyregexp.New(`-{4,5} ?(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?:[A-Z ]{0,12}-{4,5})?`)

// privateKeys hides blocks of PEM, and what there is of those that are cut off.
func (f *finder) privateKeys(t *reading) {
	if !bytes.Contains(t.data, []byte("PRIVATE KEY")) {
		return
	}
	marks := keyMark.FindAllSubmatchIndex(t.data, -1)
	ends := func(i int) bool { return t.data[marks[i][2]] == 'E' }
	done := 0 // up to here everything is looked at
	for i, m := range marks {
		start := m[0]
		switch last := i == len(marks)-1; {
		case ends(i):
			start, done = bodyBefore(t.data, done, m[0]), m[1]
		case last:
			done = bodyAfter(t.data, m[1])
		case ends(i + 1):
			done = marks[i+1][1]
		default:
			done = bodyAfter(t.data[:marks[i+1][0]], m[1])
		}
		f.cover(t, start, done)
	}
}

// bodyAfter gives where the lines end that may be the body of a block, of which the first begins at
// start or follows it.
func bodyAfter(data []byte, start int) int {
	for at := start; ; {
		end := at + bytes.IndexByte(data[at:], '\n')
		last := end < at
		if last {
			end = len(data)
		}
		if at > start && !bodyLine(data[at:end]) {
			return at
		}
		if last {
			return end
		}
		at = end + 1
	}
}

// bodyBefore gives where they begin, at least from start.
func bodyBefore(data []byte, start, end int) int {
	at := end
	for at > start {
		from := bytes.LastIndexByte(data[start:at-1], '\n') + 1 + start
		if !bodyLine(data[from:at]) {
			return at
		}
		at = from
	}
	return at
}

var (
	keyLine   = lazyregexp.New(`^[A-Za-z0-9+/_-]+={0,2}$`)
	keyHeader = lazyregexp.New(`^[A-Z][A-Za-z-]+: `)
)

// bodyLine tells whether a line may be one of a key, whatever it is set off with.
func bodyLine(line []byte) bool {
	line = bytes.Trim(line, " \t\r\n\"',;\\<>|+-")
	return len(line) == 0 || keyLine.Match(line) || keyHeader.Match(line)
}
