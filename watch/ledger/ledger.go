// Package ledger is the durable record of who must still be told of which file.
//
// Its key is the path of a file. Each new content of a file is a change, and changes have numbers
// that only grow. Of each dependent that reads the file it is on record which change it has
// acknowledged. It is owed a notice where that one is older than the last: a file that changes and
// changes back stays owed. What services there are, and how they are called, the ledger does not
// know.
package ledger

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
)

// A Ledger is the record of one state directory. Its methods may be called by several goroutines.
type Ledger struct {
	dir disk.Dir

	mu           sync.Mutex
	last         uint64               // the newest change of any file
	files        map[string]*file     // by path
	told         map[string]time.Time // by dependent: when it last acknowledged
	own          ownPaths
	ownLost      bool // of which others are our own, too, is not known
	events       events
	pauses       map[string]Pause   // by service
	rollouts     map[string]Rollout // by service
	rolloutsLost bool               // lines of them were damaged
	alarms       []string           // services of which each failure is to be said
	suspected    map[string]bool    // services that were looked at for it
	// services are those that there are, with their files, as Follow had it.
	services map[string][]string
	sets     map[string]*set      // by path
	readers  map[string][]string  // as Adopt had it, where there are sets
	setsLost bool                 // lines of them were damaged
	lost     bool                 // a line was damaged so that not even its path is known
	stale    bool                 // what is on disk differs from this
	failed   bool                 // the last write did
	read     bool                 // there was a record, and nothing was written since
	closed   bool                 // nothing can be written any more
	unsure   []swap.Rename        // may be on record, as the last write failed
	begun    map[*disk.Run]*batch // by the write that makes it durable

	writes *disk.Group
}

// Adopt says who reads the files from now on: the dependents by path, of all services there are, or
// of those that are known. It is called before any of them is looked at, and again when that
// changes. A dependent that is new to a file starts where the slowest of its readers stands, those
// included that have left while they were owed a notice: it is owed what they were, and they are
// owed it no more. Nothing is written; the next start finds the same.
func (l *Ledger) Adopt(readers map[string][]string, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	readers = l.withMembers(readers, all)
	for path, names := range readers {
		f := l.files[path]
		if f == nil {
			f = new(file)
			l.files[path] = f
			if l.lost {
				f.damage(l.count())
			}
		}
		if (l.lost || l.ownLost) && !isSet(path) {
			l.own.add(path)
		}
		f.adopt(names)
	}
	for path, f := range l.files {
		if _, known := readers[path]; !known {
			f.adopt(nil)
			l.forget(path)
		}
	}
	if all && len(readers) > 0 { // else those whose lines were lost may be yet to come
		l.ownLost = false
		l.stale = l.stale || l.lost
		l.lost = false
	}
	if all {
		l.leave(readers)
	}
	maps.DeleteFunc(l.told, func(dependent string, at time.Time) bool {
		return time.Since(at) > toldKept && !l.reads(dependent)
	})
}

// reads tells whether a dependent reads any file.
func (l *Ledger) reads(dependent string) bool {
	for _, f := range l.files {
		if _, reads := f.told[dependent]; reads {
			return true
		}
	}
	return false
}

// count gives the number of a new change.
func (l *Ledger) count() uint64 {
	l.last++
	return l.last
}

// forget drops a path that nobody reads and of which there is nothing to say.
func (l *Ledger) forget(path string) {
	if f := l.files[path]; f != nil && len(f.told) == 0 && f.settled() {
		delete(l.files, path)
	}
}

// Begin puts on durable record what is about to be swapped, and which of these files get new
// content: their readers are owed a notice; the event; and the rollout, where there is one. Where
// it fails nothing is on record, and nothing must be renamed; where the error is an Uncertain one
// it may be, and the temporaries have to stay. It is ErrJudged where the rollout has gone on since
// it was looked at.
func (l *Ledger) Begin(swaps []swap.Rename, changed []string, event Event, rollout *Succession) error {
	l.mu.Lock()
	if rollout != nil && !l.follows(rollout) {
		l.mu.Unlock()
		return ErrJudged
	}
	before := make(map[string]file, len(swaps))
	var paths []string
	var undo []func()
	for _, s := range swaps {
		paths = append(paths, s.Path)
		f := l.files[s.Path]
		if f == nil { // of a service that is no more, whose last job is at work
			f = new(file)
			l.files[s.Path] = f
		}
		before[s.Path] = *f
		undo = append(undo, l.begins(s.Path, s.Remove))
		f.swap = &s
		if slices.Contains(changed, s.Path) {
			f.change = l.count()
		}
	}
	r := l.change()
	b := l.batch(r)
	b.swaps = append(b.swaps, swaps...)
	undo = append(undo, l.succeed(rollout), l.alarm(event))
	noted, taken := l.events.add(event), l.take(paths)
	b.undo = append(b.undo, func() {
		l.events.remove(noted)
		for _, path := range taken {
			l.own.remove(path)
		}
		for _, undo := range slices.Backward(undo) {
			undo()
		}
		for path, was := range before {
			if f := l.files[path]; f != nil {
				f.change, f.swap = was.change, was.swap
				l.forget(path)
			}
		}
	})
	l.mu.Unlock()
	return l.commit(r)
}

// Renew puts on durable record that these files are about to be put in their places although
// somebody may have been told that they are: a disk has lost what it had said to be durable.
// Whoever reads one of them that somebody was told of is owed a notice again.
func (l *Ledger) Renew(paths []string) error {
	l.mu.Lock()
	var r *disk.Run
	for _, path := range paths {
		if f := l.files[path]; f != nil && f.acknowledged() {
			f.change = l.count()
			r = l.change()
		}
	}
	l.mu.Unlock()
	if r == nil {
		return nil
	}
	return l.commit(r)
}

// Unfinished gives what is on record of the last swaps of these files, in their order. They may be
// done.
func (l *Ledger) Unfinished(paths []string) (list []swap.Rename) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, path := range l.expand(paths) {
		if f := l.files[path]; f != nil && f.swap != nil {
			list = append(list, *f.swap)
		}
	}
	return list
}

// Finished says that the last swaps of these files are done, durably. They are forgotten once
// nobody is owed a notice of the file: until then they say what it should hold when somebody is
// told. The record says so with the next write.
func (l *Ledger) Finished(paths []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, path := range l.expand(paths) {
		if f := l.files[path]; f != nil && f.swap != nil && !f.owes() {
			f.swap, l.stale = nil, true
			l.forget(path)
			l.finished(path)
		}
	}
}

// Temps gives the paths of the temporaries that are, or may be, on record: they are not to be swept
// away.
func (l *Ledger) Temps() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	temps := make(map[string]bool)
	for _, f := range l.files {
		if f.swap != nil {
			temps[f.swap.Temp] = true
		}
	}
	for _, s := range l.unsure {
		temps[s.Temp] = true
	}
	return temps
}

// Unsure tells whether one of these files must be compared before anybody is told of it: its line
// was damaged.
func (l *Ledger) Unsure(paths []string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.expand(paths), func(path string) bool { f := l.files[path]; return f != nil && f.unsure })
}

// Compared says that these files are as they should be, durably. The record says so with the next
// write.
func (l *Ledger) Compared(paths []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, path := range l.expand(paths) {
		if f := l.files[path]; f != nil && f.unsure {
			f.unsure, l.stale = false, true
		}
	}
}

// Owed gives those of the files that a dependent must be told of, with the change of each.
func (l *Ledger) Owed(dependent string, paths []string) map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var owed map[string]uint64 // most often there is nothing
	for _, path := range l.expand(paths) {
		f := l.files[path]
		if f == nil {
			continue
		}
		if at, reads := f.told[dependent]; reads && at < f.change {
			if owed == nil {
				owed = make(map[string]uint64)
			}
			owed[path] = f.change
		}
	}
	return owed
}

// Acknowledge puts on durable record that a dependent was told, at the time of the event, of what
// it was owed; and the event.
// Where that fails it counts as told until the process ends.
func (l *Ledger) Acknowledge(dependent string, owed map[string]uint64, told Event) error {
	l.mu.Lock()
	for path, change := range owed {
		if f := l.files[path]; f != nil {
			if told, reads := f.told[dependent]; reads {
				f.told[dependent] = max(told, change)
			} else if change >= f.change { // it has left meanwhile
				delete(f.left, dependent)
			}
			if !f.owes() {
				f.swap = nil
				l.finished(path)
			}
		}
	}
	l.told[dependent] = told.At.UTC().Round(0)
	l.events.add(told)
	r := l.change()
	l.mu.Unlock()
	return l.commit(r)
}

// Told gives when a dependent was last told; zero where that is not on record. A time that a
// stepped clock put ahead counts as now, once and for all.
func (l *Ledger) Told(dependent string, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.told[dependent]
	if at.After(now) {
		at = now
		l.told[dependent] = at
	}
	return at
}
