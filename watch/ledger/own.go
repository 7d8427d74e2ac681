package ledger

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// What somebody else wrote to a path is backed up when it is first replaced. So it is on record
// which paths are our own: those that were written to, and those that held what was to be written.

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
	if len(l.sets) > 0 {
		paths = slices.DeleteFunc(slices.Clone(l.expand(paths)), isSet)
	}
	l.stale = len(l.take(paths)) > 0 || l.stale
}

// Owns tells whether a path is one that we have written to, or whose file held what we would have
// written.
func (l *Ledger) Owns(path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.files[path]
	return l.own.has(path) || f != nil && (f.change > 0 && !f.unsure || f.swap != nil)
}

// take makes paths our own, and gives those that were not.
func (l *Ledger) take(paths []string) (fresh []string) {
	for _, path := range paths {
		if l.own.add(path) {
			fresh = append(fresh, path)
		}
	}
	return fresh
}

// leave forgets paths that are not among those that are read, where there are too many.
func (l *Ledger) leave(readers map[string][]string) {
	if len(l.own) > mostOwn {
		l.own = slices.DeleteFunc(l.own, func(o ownPath) bool { _, read := readers[o.path]; return !read })
	}
}

// ownPaths are sorted. The record has all of them each time that it is written, so each has its
// line.
type ownPaths []ownPath

type ownPath struct {
	path string
	line []byte
}

// find gives where a path is, or would be.
func (o ownPaths) find(path string) (at int, found bool) {
	return slices.BinarySearchFunc(o, path, func(o ownPath, path string) int { return strings.Compare(o.path, path) })
}

func (o ownPaths) has(path string) bool {
	_, found := o.find(path)
	return found
}

// add adds a path, and tells whether it is new.
func (o *ownPaths) add(path string) bool {
	at, found := o.find(path)
	if !found {
		*o = slices.Insert(*o, at, ownPath{path, seal(ownMark, strconv.AppendQuote(nil, path))})
	}
	return !found
}

func (o *ownPaths) remove(path string) {
	if at, found := o.find(path); found {
		*o = slices.Delete(*o, at, at+1)
	}
}

// encode gives their lines.
func (o ownPaths) encode(b *bytes.Buffer) {
	for _, own := range o {
		b.Write(own.line)
	}
}

// decode reads the line of one.
func (o *ownPaths) decode(line []byte) {
	text, sound := unseal(line)
	if path, err := strconv.Unquote(string(text)); err == nil && sound {
		o.add(path)
	}
}
