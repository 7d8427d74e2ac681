package ledger

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/render/swap"
)

// Confirm makes the record durable where that is not certain: the last write failed, or it was read
// when the ledger was opened and not written since, as a failed write may have left it in the page
// cache only.
func (l *Ledger) Confirm() error { return l.flush(func() bool { return l.read || l.failed }) }

// Write makes durable what is known now.
func (l *Ledger) Write() error { return l.flush(func() bool { return true }) }

// Flush makes durable what waits for the next write.
func (l *Ledger) Flush() error { return l.flush(func() bool { return l.stale }) }

func (l *Ledger) flush(needed func() bool) error {
	l.mu.Lock()
	if !needed() {
		l.mu.Unlock()
		return nil
	}
	r := l.change()
	l.mu.Unlock()
	return l.commit(r)
}

// A batch is what one write makes durable that must not stay on record where the write fails.
type batch struct {
	swaps   []swap.Rename // that begin
	undo    []func()      // takes them back
	exposed bool          // an earlier write had them, too
}

// change notes that what is on record changes, and gives the write that makes the change durable.
// The caller holds the lock.
func (l *Ledger) change() *disk.Run {
	l.stale = true
	return l.writes.Join()
}

// batch gives what a write that is yet to begin makes durable. The caller holds the lock.
func (l *Ledger) batch(r *disk.Run) *batch {
	b := l.begun[r]
	if b == nil {
		b = new(batch)
		l.begun[r] = b
	}
	return b
}

// commit waits until a write has ended.
func (l *Ledger) commit(r *disk.Run) error {
	if err := l.writes.Wait(r, func() error { return l.write(r) }); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// write writes the record. Where that fails it takes back what this write was to make durable and
// must not, before anything else is written.
func (l *Ledger) write(r *disk.Run) error {
	l.mu.Lock()
	b := l.begun[r]
	delete(l.begun, r)
	if b == nil {
		b = new(batch)
	}
	if l.closed {
		l.mu.Unlock()
		if b.exposed {
			return Uncertain{errClosed}
		}
		return errClosed
	}
	data := l.expose(nil)
	l.stale = false
	l.mu.Unlock()
	err := l.replace(data)
	if err == nil {
		l.wrote(nil)
		return nil
	}
	_, unsure := errors.AsType[disk.Unsure](err)
	unsure = unsure || b.exposed
	l.mu.Lock()
	for _, undo := range slices.Backward(b.undo) {
		undo()
	}
	if unsure {
		l.unsure = append(l.unsure, b.swaps...)
	}
	data = l.expose(nil)
	l.mu.Unlock()
	l.wrote(err)
	if unsure && len(b.swaps) > 0 {
		again := l.replace(data)
		if l.wrote(again); again != nil {
			return Uncertain{err}
		}
	}
	return err
}

// replace puts a record on disk. Where there is no room for it the older half of the history is
// given up, again and again: what is owed is not lost for the sake of what was. Where even that
// does not help nothing is given up.
func (l *Ledger) replace(data []byte) error {
	err := disk.Replace(l.dir, Name, data)
	var last *entry // that is given up
	for isNoRoom(err) {
		l.mu.Lock()
		if last = l.events.half(last); last != nil {
			data = l.expose(last)
		}
		l.mu.Unlock()
		if last == nil {
			return err
		}
		err = disk.Replace(l.dir, Name, data)
	}
	if err == nil && last != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.events.giveUp(last)
	}
	return err
}

// isNoRoom tells whether nothing was written, for want of space.
func isNoRoom(err error) bool {
	_, unsure := errors.AsType[disk.Unsure](err)
	return !unsure && (errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT))
}

// expose gives the record as it is to be on disk, without the events up to one, and notes that it
// has what later writes are to make durable. The caller holds the lock.
func (l *Ledger) expose(without *entry) []byte {
	for _, later := range l.begun {
		later.exposed = true
	}
	return l.encode(without)
}

// wrote notes what came of a write.
func (l *Ledger) wrote(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed = err != nil; l.failed {
		l.stale = true
		return
	}
	l.read, l.unsure = false, nil
}

// errClosed is what those get who come after Close.
var errClosed = errors.New("it is closed")

// Close lets go of the directory, once no write is under way. Nothing can be written afterwards.
func (l *Ledger) Close() error {
	return l.writes.Between(func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.closed = true
		return l.dir.Close()
	})
}

// An Uncertain error is that a failed Begin may be on record all the same.
type Uncertain struct{ error }

// Unwrap gives what went wrong.
func (u Uncertain) Unwrap() error { return u.error }
