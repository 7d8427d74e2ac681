package redact

import (
	"bytes"
	"regexp"
)

// A private key is withheld whether or not it is known: a program may write it in another form than
// the one in which AWS has it.

var (
	keyBegins = regexp.MustCompile(`-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?:[A-Z ]{0,12}-{4,5})?`)
	keyEnds   = regexp.MustCompile(`-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?:[A-Z ]{0,12}-{4,5})?`)
)

// privateKeys hides blocks of PEM, and what there is of those that are cut off.
func (f *finder) privateKeys(t *reading) {
	if !bytes.Contains(t.data, []byte("PRIVATE KEY")) {
		return
	}
	begins, ends := keyBegins.FindAllIndex(t.data, -1), keyEnds.FindAllIndex(t.data, -1)
	done := 0 // up to here everything is looked at
	for i, begin := range begins {
		next := len(t.data)
		if i+1 < len(begins) {
			next = begins[i+1][0]
		}
		for len(ends) > 0 && ends[0][1] <= begin[0] {
			f.cover(t, bodyBefore(t.data, done, ends[0][0]), ends[0][1])
			done, ends = ends[0][1], ends[1:]
		}
		done = bodyAfter(t.data[:next], begin[1])
		if len(ends) > 0 && ends[0][1] <= next {
			done, ends = ends[0][1], ends[1:]
		}
		f.cover(t, begin[0], done)
	}
	for _, end := range ends {
		f.cover(t, bodyBefore(t.data, done, end[0]), end[1])
		done = end[1]
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
		if at < end && !bodyLine(data[from:at]) || at == end && data[at-1] != '\n' && !bodyLine(data[from:at]) {
			return at
		}
		if at == end && data[at-1] == '\n' && !bodyLine(data[from:at]) {
			return at
		}
		at = from
	}
	return at
}

var (
	keyLine   = regexp.MustCompile(`^[A-Za-z0-9+/_-]+={0,2}$`)
	keyHeader = regexp.MustCompile(`^[A-Z][A-Za-z-]+: `)
)

// bodyLine tells whether a line may be one of a key, whatever it is set off with.
func bodyLine(line []byte) bool {
	line = bytes.Trim(line, " \t\r\n\"',;\\<>|+-")
	return len(line) == 0 || keyLine.Match(line) || keyHeader.Match(line)
}
