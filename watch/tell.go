package watch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/notify"
)

// An attempt is how telling one dependent goes at the moment. It is not durable: after a restart everything owed is tried at
// once.
type attempt struct {
	failures int       // in a row
	next     time.Time // not before; zero: now
}

func (k *keeper) attempt(dependent string) *attempt {
	a := k.attempts[dependent]
	if a == nil {
		a = new(attempt)
		k.attempts[dependent] = a
	}
	return a
}

// now is the wall clock's time.
func (k *keeper) now() time.Time { return k.wall().Round(0) }

// tell tells every dependent what it is owed, in order. One that fails stays owed and stops no
// other.
func (k *keeper) tell(ctx context.Context, o *Outcome) {
	if k.half {
		return
	}
	for _, d := range k.service.Dependents {
		owed := k.ledger.Owed(d.Name(), k.service.paths())
		if len(owed) == 0 {
			continue
		}
		n := NoticeOutcome{Dependent: d.Name(), Paths: slices.Sorted(maps.Keys(owed))}
		now := k.now()
		if n.Held = k.held(d.Name(), now); !n.Held {
			o.Err = errors.Join(o.Err, k.do(ctx, d, owed, &n))
		}
		o.Notices = append(o.Notices, n)
	}
}

// renderAndTell renders, and gives the snapshot that it rendered from. A lookup may hang, so what
// is owed is told meanwhile when its time comes: the files are still the old ones.
func (k *keeper) renderAndTell(ctx context.Context, snapshot *sources.Snapshot, o *Outcome) ([]*render.Rendering, *sources.Snapshot, error) {
	var renderings []*render.Rendering
	var asked []sources.Ref
	used := snapshot
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		if failed := fault.Caught(func() { renderings, asked, used, err = k.renderWhole(ctx, snapshot) }); failed != nil {
			renderings, asked, err = nil, k.asked, failed
		}
	}()
	timer := time.NewTimer(k.untilTell())
	defer timer.Stop()
	for {
		select {
		case <-done:
			k.asked = asked
			k.learn(snapshot, err == nil)
			return renderings, used, err
		case <-timer.C:
		}
		if due(k.nextTell(), k.now()) {
			var m Outcome
			k.tell(ctx, &m)
			o.Err = errors.Join(o.Err, m.Err)
			o.Notices = append(o.Notices, slices.DeleteFunc(m.Notices, func(n NoticeOutcome) bool { return n.Held })...)
		}
		timer.Reset(k.untilTell())
	}
}

// nextTell gives the time of the earliest notice that is owed and can be tried; zero where nothing is.
func (k *keeper) nextTell() time.Time {
	var next time.Time
	if k.silent || k.half {
		return next
	}
	for _, d := range k.service.Dependents {
		if len(k.ledger.Owed(d.Name(), k.service.paths())) == 0 {
			continue
		}
		if at := k.notBefore(d.Name(), k.now()); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return next
}

// untilTell gives how long no notice is due, at most as long as a timer may be trusted.
func (k *keeper) untilTell() time.Duration {
	next := k.nextTell()
	if next.IsZero() {
		return mostSleep
	}
	return min(max(next.Sub(k.now()), 0), mostSleep)
}

// held reports that a dependent must wait: it was told less than the interval ago, or failed a moment ago.
func (k *keeper) held(dependent string, now time.Time) bool {
	return k.silent || now.Before(k.notBefore(dependent, now))
}

// notBefore gives when a dependent may be told. A time that a stepped clock put ahead counts as now, once and for all.
func (k *keeper) notBefore(dependent string, now time.Time) time.Time {
	a := k.attempt(dependent)
	if limit := now.Add(backoffMost); a.next.After(limit) {
		a.next = limit
	}
	told := k.ledger.Told(dependent, now)
	if at := told.Add(k.service.MinInterval); !told.IsZero() && at.After(a.next) {
		return at
	}
	return a.next
}

// do tells one dependent and records its acknowledgement. Where that cannot be recorded, which is the error, the dependent is
// told once more after a restart: "at least once" allows it.
func (k *keeper) do(ctx context.Context, d notify.Action, owed map[string]uint64, n *NoticeOutcome) error {
	if k.telling != nil {
		k.telling(d.Name())
	}
	begun := time.Now()
	output, err := d.Do(ctx, notify.Change{Service: k.service.Name, Paths: n.Paths})
	n.Took = time.Since(begun)
	n.Err = err
	n.said = output
	a := k.attempt(d.Name())
	if err != nil {
		a.failures++
		a.next = k.now().Add(backoff(a.failures, k.chance))
		return nil
	}
	*a = attempt{}
	err = k.written(k.ledger.Acknowledge(d.Name(), owed, k.now()))
	k.unsaved = k.unsaved || err != nil
	return err
}
