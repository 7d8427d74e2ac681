package watch

import (
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/tell"
)

// A record says when the ledger writes what may wait: that swaps are done, and what could not be
// written before.
type record struct {
	due      time.Time // zero: nothing waits
	writing  bool
	failures int    // in a row
	failure  string // why the last was not written; "" where it was
}

// flush writes the ledger where that is due and nothing is at work: what works writes it, too.
func (l *Loop) flush(now time.Time) {
	if l.record.writing || !due(l.record.due, now) || l.busy() {
		return
	}
	l.record.writing, l.record.due = true, time.Time{}
	go func() {
		var err error
		if failed := fault.Caught(func() {
			if l.Pass.Woken != nil { // a job may begin in the same moment
				l.Pass.Woken("flush")
			}
			err = l.Pass.State.Ledger.Flush()
		}); failed != nil {
			err = failed
		}
		l.send(flushed{err})
	}()
}

// changed has the ledger written when everything that works has ended.
func (r *record) changed(now time.Time) { r.due = earliest(r.due, now) }

// flushed notes what came of writing the ledger. Where it failed it is tried again.
func (l *Loop) flushed(err error, now time.Time) {
	l.record.writing = false
	if err == nil {
		if l.record.failure != "" {
			l.Log.Info("on record again", kindRecorded.id())
		}
		l.record.failures, l.record.failure = 0, ""
		return
	}
	l.record.failures++
	l.record.due = earliest(l.record.due, now.Add(tell.Backoff(l.record.failures, l.Chance)))
}
