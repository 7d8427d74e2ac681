package watch

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
)

// Options are what a Loop works with.
type Options struct {
	// Load compiles the config as it is on disk. It is called at every reload, never twice at once. Beside an error the plan, which may
	// be nil, says in Inputs what was read.
	Load   func() (*Plan, error)
	State  *StateDir
	Log    *slog.Logger
	Watch  func([]inputs.Input) // is told what to watch whenever that changes; may be nil
	Chance *rand.Rand           // for jitter
	Wall   func() time.Time     // the wall clock, which may be set and goes on while the machine sleeps; nil: the machine's
	Check  Checker              // runs the checks of services; nil: render.CheckService
	Idle   func()               // is called after passes, when nothing is due for a while; may be nil
	Woken  func(service string) // is called around waits for the ledger, which several share; may be nil
	Report func(Report)         // is told after each round, before a reload that was asked for, and at the end; may be nil
	Beat   time.Duration        // rounds are no farther apart, unless the loop hangs; 0: a minute

	Rehearsal bool // the dependents are told nothing, whatever they answer
}

// A Loop looks at every service when it is due. One goroutine, that of Run, owns all of its state; everything else sends it
// values.
type Loop struct {
	Options
	events chan any
	gone   chan struct{} // closed when Run returns

	plan      *Plan
	states    map[string]*state // by service
	reloadAt  time.Time         // when the config is to be read again; zero: not
	read      []inputs.Input    // what the plan was made from, as seen before the last load, good or bad
	tried     []inputs.Input    // what a bad config was read from
	reloads   int               // that failed in a row
	worked    bool              // since Idle was called
	tangled   bool              // jobs are at work on files that their services had in an older plan
	failed    string            // the text of the last load's fault; "" where it was good
	parsers   parsers           // of the keepers
	outages   outages
	elsewhere elsewhere // announcements that can mean nothing here
	mono      time.Time // when the loop last ran, by the monotonic clock
	wall      time.Time // and by the wall clock
}

// A state is how one service stands.
type state struct {
	keeper   *keeper
	service  *Service
	look     time.Time // when to look at its files again
	tell     time.Time // when to tell owed dependents again; zero: nothing is owed
	busy     bool      // a job is running
	waits    bool      // another's job that an older plan began is at work on its files
	since    time.Time // when the job, or the wait, began
	late     bool      // it was said that this takes long
	gone     bool      // the plan no longer has it; it stays until its job is done
	failures int       // looks failed in a row
	asked    []sources.Ref
	snapshot *sources.Snapshot    // of the last look
	expected map[sources.Ref]word // announced, and not seen
	seen     map[sources.Ref]word // announced, and seen
	heard    []Announcement       // while a job runs, which may ask for more refs than are known
	rereads  int                  // in a row, for what is expected
	wrong    map[string]bool      // causes that were logged and last
	warned   bool                 // one of them as a warning, not as what another service meets, too
	refused  map[string]string    // text of the last failure that was logged, by dependent
	tried    bool                 // it was looked at, whatever came of it, or its dependents are being told
	trouble  string               // of the last look
	owed     map[string]string    // text of the last failure, which may be none, by dependent that is to be told
}

// Events. Each means "look again", none carries work.
type (
	reload    struct{ answer chan<- error }       // the config, and everything
	refresh   struct{}                            // everything
	changed   struct{ paths []string }            // these inputs may have changed
	announced struct{ list []Announcement }       // these changed at their source
	telling   struct{ service, dependent string } // the one is about to tell the other; its files are what they can be for now
	done      struct{ outcome Outcome }
)

const (
	// mostSleep bounds how far ahead the timer is set: it stands still while a VM is suspended, and wall clocks step.
	mostSleep = time.Minute
	// step is how far the wall clock may drift from the monotonic one between two rounds before it counts as set.
	step = 5 * time.Second
	// leastRest is for how long nothing is due when the loop counts as idle.
	leastRest = 10 * time.Second
	// grace is how long jobs may take to end at shutdown.
	grace = 800 * time.Millisecond
)

// NewLoop makes a loop that keeps the services of the plan, and of those that Load gives later.
func NewLoop(plan *Plan, o Options) *Loop {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	return &Loop{
		Options: o,
		events:  make(chan any),
		gone:    make(chan struct{}),
		plan:    plan,
		parsers: own,
		states:  make(map[string]*state),
		outages: make(outages),
	}
}

// errStopped is the answer of a loop that has stopped.
var errStopped = errors.New("the daemon is stopping")

// Reload reads the config again, looks at everything, and returns when the config was read. One that cannot be used leaves the old one
// in force; the error, a fault.List or another, says why.
func (l *Loop) Reload() error {
	answer := make(chan error, 1)
	l.send(reload{answer})
	select {
	case err := <-answer:
		return err
	case <-l.gone:
		return errStopped
	}
}

// Refresh looks at everything again.
func (l *Loop) Refresh() { l.send(refresh{}) }

// Changed says that these inputs may have changed. They are looked at after the plan's settle time.
func (l *Loop) Changed(paths []string) { l.send(changed{paths}) }

func (l *Loop) send(event any) {
	select {
	case l.events <- event:
	case <-l.gone:
	}
}

// Run keeps the services until ctx ends; then it waits a moment for running jobs and returns. No lookup, render, check or
// notice makes it return.
func (l *Loop) Run(ctx context.Context) {
	defer close(l.gone)
	l.mono, l.wall = time.Now(), l.Wall().Round(0)
	l.adopt(l.plan, l.wall)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case event := <-l.events:
			l.handle(event, l.now())
		case <-timer.C:
		}
		if ctx.Err() != nil { // whatever else there is: nothing is begun any more
			l.report(Stopping)
			l.drain()
			return
		}
		now := l.now()
		l.begin(ctx, now)
		l.rest(now)
		l.sayLate(now)
		l.sayElsewhere(now)
		l.report(Keeping)
		timer.Reset(l.pause(now))
	}
}

// now gives the wall clock's time, and reschedules everything where that clock was set.
func (l *Loop) now() time.Time {
	mono, now := time.Now(), l.Wall().Round(0)
	passed, shown := mono.Sub(l.mono), now.Sub(l.wall)
	l.mono, l.wall = mono, now
	if d := shown - passed; d < -step {
		// Set back: what was due in a minute would now be due in a minute and an hour.
		l.reloadAt = shifted(l.reloadAt, d)
		for _, s := range l.states {
			s.look = earliest(shifted(s.look, d), s.service.Next(now))
			if !s.tell.IsZero() {
				s.tell = earliest(s.tell, now)
			}
		}
	}
	return now
}

func shifted(t time.Time, d time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(d)
}

// earliest gives the earlier of two times, the zero time being none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// handle takes note of an event.
func (l *Loop) handle(event any, now time.Time) {
	switch e := event.(type) {
	case reload:
		l.report(Reloading)
		l.failed = "" // who asks is told again
		e.answer <- l.reload(now)
		l.lookAll(now)
	case refresh:
		l.lookAll(now)
	case changed:
		l.inputsChanged(e.paths, now)
	case announced:
		l.announced(e.list, now)
	case telling:
		if s := l.states[e.service]; s != nil {
			s.tried = true // its dependent may be waiting for us to say so, in a unit that is ordered after ours
			s.owe(e.dependent, cmp.Or(s.owed[e.dependent], s.refused[e.dependent]))
		}
	case done:
		l.finish(e.outcome, now)
	}
}

func (l *Loop) lookAll(at time.Time) {
	for _, s := range l.states {
		s.look = earliest(s.look, at)
	}
}
