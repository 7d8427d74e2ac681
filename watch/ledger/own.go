package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// What somebody else wrote to a path is kept when it is first replaced. So it is on record which
// paths are our own: those that were written to, and those that held what was to be written.

// Where that is damaged, or of a version that did not know it, all paths of the config that comes
// into force then count as our own: there was a record, so most of them are.

// ownMark begins the lines of such paths.
const ownMark = '@'

// mostOwn is how many such paths are on record at least. Where there are more, those go that no
// service has.
const mostOwn = 10_000

// Own says of files that they hold what we would have written. The record says so with the next
// write.
func (l *Ledger) Own(paths []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = len(l.take(paths)) > 0 || l.stale
}

// Owns tells whether a path is one that we have written to, or whose file held what we would have
// written.
func (l *Ledger) Owns(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[path]
	return l.own[path] || f != nil && (f.change > 0 && !f.unsure || f.swap != nil)
}

// take makes paths our own, and gives those that were not.
func (l *Ledger) take(paths []string) (fresh []string) {
	for _, path := range paths {
		if !l.own[path] {
			l.own[path] = true
			fresh = append(fresh, path)
		}
	}
	return fresh
}

// leave forgets paths that are not among those that are read, where there are too many.
func (l *Ledger) leave(readers map[string][]string) {
	if len(l.own) > mostOwn {
		maps.DeleteFunc(l.own, func(path string, _ bool) bool { _, read := readers[path]; return !read })
	}
}

// encodeOwn gives the lines of our own paths.
func (l *Ledger) encodeOwn(b *bytes.Buffer) {
	for _, path := range slices.Sorted(maps.Keys(l.own)) {
		text := strconv.Quote(path)
		fmt.Fprintf(b, "%c%s %s\n", ownMark, sum([]byte(text)), text)
	}
}

// decodeOwn reads such a line.
func (l *Ledger) decodeOwn(line []byte) {
	whole, text, _ := bytes.Cut(bytes.TrimSuffix(line[1:], []byte("\n")), []byte(" "))
	if path, err := strconv.Unquote(string(text)); err == nil && string(whole) == sum(text) {
		l.own[path] = true
	}
}
