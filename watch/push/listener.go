// Package push reads change notices: events of EventBridge that come through an SQS queue. A notice
// is a hint; see sources.Change.
package push

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
)

// A Listener reads a queue of change notices, one message batch after another. Losing the queue is
// a warning and no more: the schedule is there as well.
type Listener struct {
	log    *slog.Logger
	count  func(Ignored)
	queues chan *aws.Queue // one slot: the newest that Run has not taken yet
}

// A Handler takes what changed, from one goroutine. It should not wait long.
type Handler func([]sources.Change)

// missed tells that there may have been notices of anything: the queue was lost for a time, or is
// another one.
func (h Handler) missed() { h([]sources.Change{{}}) }

// An Ignored is why nothing follows from a message.
type Ignored string

const (
	NoNotice Ignored = "no_notice" // it is something else
	Nothing  Ignored = "nothing"   // of what it is about nothing can be looked up
)

// New makes a listener; Run makes it work. Count is told of each message, and why it is ignored;
// "": it is not.
func New(log *slog.Logger, count func(Ignored)) *Listener {
	return &Listener{log: log, count: count, queues: make(chan *aws.Queue, 1)}
}

// Set replaces the queue that is read; nil reads none, and the one that is being read already goes
// on. It does not wait for Run. Only one goroutine may call it.
func (l *Listener) Set(q *aws.Queue) {
	select {
	case <-l.queues: // never taken; the new one stands for both
	default:
	}
	l.queues <- q
}

// Run reads the queue until ctx ends.
func (l *Listener) Run(ctx context.Context, handler Handler) {
	var reads *aws.Queue
	// asked: there was an earlier queue, or none. At the start everything is looked at anyway.
	asked := false
	stop := func() {}
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case q := <-l.queues:
			if q == reads {
				continue
			}
			stop()
			if asked && q != nil && !q.Is(reads) {
				handler.missed()
			}
			asked, reads, stop = true, q, l.begin(ctx, q, handler)
		}
	}
}

// begin reads a queue until it is stopped.
func (l *Listener) begin(ctx context.Context, q *aws.Queue, handler Handler) (stop func()) {
	if q == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	r := &reading{Queue: q, handler: handler, log: l.log.With("queue", q.String()), count: l.count}
	running.Go(func() { r.run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// A reading is the reading of one queue.
type reading struct {
	*aws.Queue
	handler Handler
	log     *slog.Logger
	count   func(Ignored)

	receiving, deleting failing
	rejected            map[string]bool // why messages were no notices, as far as it was said
	kept                map[string]bool // messages that were read and could not be deleted, by ID
	gone                bool            // the queue did not exist
	lost                time.Time       // since when nothing could be received; zero: it can
}

const (
	mostRejected = 10
	mostKept     = 10_000
	// longLost is for how long a queue may be lost without a doubt that all its notices are still
	// in it. SQS keeps them for an hour by a queue's configuration, or for days.
	longLost = time.Hour
)

// leastPoll is the time of a poll that finds nothing: should the other side not wait for messages,
// we do.
const leastPoll = time.Second

func (r *reading) run(ctx context.Context) {
	for ctx.Err() == nil {
		begun, poll := time.Now(), aws.PollFor
		if r.receiving.failures > 0 {
			poll = 0 // to know soon that it is back
		}
		list, err := r.Receive(ctx, poll)
		if ctx.Err() != nil {
			return
		}
		wait := r.receiving.after(err, r.log, "change notices cannot be received, the schedule goes on")
		r.missing(err, begun)
		switch {
		case len(list) > 0:
			wait = r.take(ctx, list)
		case err == nil:
			wait = leastPoll - time.Since(begun)
		}
		pause(ctx, wait)
	}
}

// missing notes whether notices may be missing, and tells the handler when the queue is back.
func (r *reading) missing(err error, now time.Time) {
	switch {
	case err != nil:
		r.gone = r.gone || reasonOf(err) == sources.Missing
		if r.lost.IsZero() {
			r.lost = now
		}
	case r.gone || !r.lost.IsZero() && now.Sub(r.lost) > longLost:
		r.handler.missed()
		fallthrough
	default:
		r.gone, r.lost = false, time.Time{}
	}
}

// take hands on what the messages say, and deletes them: what was understood, and what never will
// be. It gives how long to wait.
func (r *reading) take(ctx context.Context, list []aws.Message) time.Duration {
	var changes []sources.Change
	fresh := false
	for _, m := range list {
		if r.kept[m.ID] {
			continue
		}
		fresh = true
		changes = append(changes, r.read(m)...)
	}
	if len(changes) > 0 {
		r.handler(changes)
	}
	err := r.Delete(ctx, list)
	if ctx.Err() != nil {
		return 0
	}
	r.keep(list, err != nil)
	r.deleting.after(err, r.log, "change notices cannot be deleted, they will come again")
	if fresh {
		return 0
	}
	// A new one may wait behind those that stay; they are hidden for a while once they were
	// received.
	return leastPoll
}

// keep remembers messages that could not be deleted, so that they are not read again.
func (r *reading) keep(list []aws.Message, failed bool) {
	if len(r.kept) > mostKept || r.kept == nil {
		r.kept = make(map[string]bool)
	}
	for _, m := range list {
		if failed {
			r.kept[m.ID] = true
		} else {
			delete(r.kept, m.ID)
		}
	}
}

// read gives what a message says.
func (r *reading) read(m aws.Message) []sources.Change {
	changes, err := Parse(m.Body)
	ignored := Ignored("")
	switch {
	case err != nil:
		ignored = NoNotice
		r.reject(m, err)
	case len(changes) == 0:
		ignored = Nothing
		r.log.Debug("a notice of nothing that can be looked up", "message", m.ID)
	}
	r.count(ignored)
	for i, c := range changes {
		changes[i].Origin, changes[i].Message = r.Origin, m.ID
		r.log.Debug("notice", "of", c.Kind, "name", c.Name, "version", c.Version, "message", m.ID)
	}
	return changes
}

// reject warns of a message that is no notice, once for each reason: whoever sends one sends more.
func (r *reading) reject(m aws.Message, err error) {
	level := slog.LevelDebug
	if !r.rejected[err.Error()] && len(r.rejected) < mostRejected {
		level = slog.LevelWarn
		if r.rejected == nil {
			r.rejected = make(map[string]bool)
		}
		r.rejected[err.Error()] = true
	}
	r.log.Log(context.Background(), level, "a message that is no change notice was deleted, as others like it will be", "message", m.ID, "err", err)
}

func reasonOf(err error) sources.Reason {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.Reason
	}
	return ""
}

// A failing is what goes wrong with one operation. It is said once, until something else is wrong.
type failing struct {
	said     string
	failures int // in a row
}

// after says what is wrong, or that it no longer is, and gives how long to wait.
func (t *failing) after(err error, log *slog.Logger, what string) time.Duration {
	if err == nil {
		if t.said != "" {
			log.Info("change notices come again")
		}
		*t = failing{}
		return 0
	}
	if t.failures++; t.said != err.Error() {
		t.said = err.Error()
		args := []any{"err", err}
		if e, ok := errors.AsType[*sources.Error](err); ok && len(e.Hints) > 0 {
			args = append(args, "hint", strings.Join(e.Hints, "\n"))
		}
		log.Warn(what, args...)
	}
	return backoff(t.failures)
}

const mostWait = time.Minute

// backoff doubles from a second to a minute. Half of it is left to chance, so that a fleet which
// lost its queues together does not come back together.
func backoff(failures int) time.Duration {
	d := min(time.Second<<min(failures-1, 6), mostWait)
	return d/2 + rand.N(d/2+1)
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
