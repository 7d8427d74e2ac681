package watch

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// Options are what a Loop works with.
type Options struct {
	// Load compiles the config as it is on disk. It is called at every reload, never twice at once.
	// Beside an error the plan, which may be nil, says in Inputs what was read.
	Load   func() (*Plan, error)
	Pass   pass.Options // of the keepers of services
	Log    *slog.Logger
	Watch  func([]inputs.Input) // is told what to watch whenever that changes; may be nil
	Chance *rand.Rand           // for jitter
	// Wall is the wall clock, which may be set and goes on while the machine sleeps; nil: the
	// machine's.
	Wall func() time.Time
	// Idle is called after passes, when nothing is due for a while; may be nil.
	Idle func()
	// Report is told after each round, before a reload that was asked for, and at the end; may be
	// nil.
	Report func(Report)
	Beat   time.Duration // rounds are no farther apart, unless the loop hangs; 0: a minute
	Seen   Observer      // may be nil

	// Unusable is the config as it is on disk where the plan that the loop begins with is not made
	// of it, but of the one last in force; nil: it is.
	Unusable *Unusable

	Rehearsal bool // the dependents are told nothing, whatever they answer
}

// An Unusable is a config that cannot be put in force.
type Unusable struct {
	Err    error          // a fault.List, or another
	Inputs []inputs.Input // what it was read from
	Since  time.Time      // when what is used instead came into force
}

// An Observer is told what a loop does, by the loop's goroutine, which it must not hold up.
type Observer interface {
	Looked(pass.Outcome) // a look at a service has ended
	Told(tell.Notice)    // a dependent was told, or refused
	Elsewhere()          // a change was announced of a place where nothing is looked up
}

// A Loop looks at every service when it is due. One goroutine, that of Run, owns all of its state;
// everything else sends it values.
type Loop struct {
	Options
	events chan any
	gone   chan struct{} // closed when Run returns

	plan     *Plan
	follows  []*Service        // of the plan, of which something is done after notices
	states   map[string]*state // by service
	reloadAt time.Time         // when the config is to be read again; zero: not
	// read is what the plan was made from, as seen before the last load, good or bad.
	read    []inputs.Input
	tried   []inputs.Input // what a bad config was read from
	reloads int            // that failed in a row
	worked  bool           // since Idle was called
	// blocking: jobs are at work on files that their services had in an older plan.
	blocking  bool
	since     time.Time // when the plan came into force
	requests  []*request
	failed    string            // the text of the last load's fault; "" where it was good
	faulty    map[string]string // texts of the faults that were said, by name
	outages   outages
	teller    *tell.Teller
	unlogged  []tell.Notice // whose output is yet to be filtered
	record    record
	elsewhere elsewhere // changes that can mean nothing here
	mono      time.Time // when the loop last ran, by the monotonic clock
	wall      time.Time // and by the wall clock
}

// A state is how one service stands.
type state struct {
	keeper   *pass.Keeper
	chance   *rand.Rand
	service  *Service
	look     time.Time    // when to look at its files again
	why      pass.Trigger // of that
	last     pass.Trigger // of the last look
	looks    int          // that were begun
	proofs   int          // looks whether it is well with its change that were begun
	again    bool         // somebody asks that a change which was rolled back be tried again
	trying   bool         // the look under way, or the last, was to do so
	past     past
	paused   *pass.Pause // nil: it is not
	held     *pass.Hold  // by the last look; nil: it was not
	busy     bool        // a job is running
	matching bool        // its files match, as far as is known
	waits    bool        // another's job that an older plan began is at work on its files
	since    time.Time   // when the job, or the wait, began
	slow     bool        // it was said that this takes long
	gone     bool        // the plan no longer has it; it stays until its job is done
	failures int         // looks failed in a row
	asked    []sources.Ref
	snapshot *sources.Snapshot    // of the last look
	expected map[sources.Ref]word // announced, and not seen
	seen     map[sources.Ref]word // announced, and seen
	// pending was announced while a job runs, which may ask for more refs than are known.
	pending []sources.Change
	rereads int             // in a row, for what is expected
	wrong   map[string]bool // causes that were logged and last
	// warned: one of them was said as a warning, not as what another service meets, too.
	warned bool
	// tried: it was looked at, whatever came of it, or its dependents are being told.
	tried   bool
	failure string     // of the last look
	party   pass.Party // what its commands may print
	after   aftermath
}

// Events. Each means "look again", none carries work.
type (
	reload struct {
		answer chan<- reloaded
		who    string   // asks for it
		then   *request // for the looks that follow; nil: nobody waits for them
	} // the config, and everything
	refresh struct {
		services []string // or everything
		why      pass.Trigger
	}
	changed   struct{ paths []string }        // these inputs may have changed
	announced struct{ list []sources.Change } // these changed at their source
	ask       struct {
		answer chan<- Status
		about  Question
	}
	paused struct{} // somebody is, or no longer is
)

// What jobs and dependents say.
type (
	matched  struct{ keeper *pass.Keeper } // its files match, dependents may be told of them
	swapping struct {
		keeper  *pass.Keeper // it is about to change its files
		granted func()
	}
	done struct {
		keeper  *pass.Keeper
		outcome pass.Outcome
	}
	told    struct{ notice tell.Notice }
	flushed struct{ err error }
)

const (
	// mostSleep bounds how far ahead the timer is set: it stands still while a VM is suspended, and
	// wall clocks step.
	mostSleep = time.Minute
	// step is how far the wall clock may drift from the monotonic one between two rounds before it
	// counts as set.
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
	if o.Pass.Wall == nil {
		o.Pass.Wall = o.Wall
	}
	l := &Loop{
		Options: o,
		events:  make(chan any),
		gone:    make(chan struct{}),
		plan:    plan,
		states:  make(map[string]*state),
		outages: make(outages),
	}
	l.teller = tell.New(tell.Options{
		Ledger: o.Pass.State.Ledger, Chance: o.Chance, Wall: o.Wall, Woken: o.Pass.Woken, Intact: o.Pass.State.Intact,
	})
	return l
}

// errStopped is the answer of a loop that has stopped.
var errStopped = errors.New("the daemon is stopping")

// Reload reads the config again, looks at everything, and returns when the config was read. One
// that cannot be used leaves the old one in force; the error, a fault.List or another, says why. An
// Unfit error is that of a config that is in force, but for some services.
func (l *Loop) Reload() error {
	_, err := l.For("").Reload(context.Background())
	return err
}

// Refresh looks at these services again, or at all where there are none.
func (l *Loop) Refresh(services ...string) { l.For("").Refresh(services...) }

// Changed says that these inputs may have changed. They are looked at after the plan's settle time.
func (l *Loop) Changed(paths []string) { l.send(changed{paths}) }

func (l *Loop) send(event any) {
	select {
	case l.events <- event:
	case <-l.gone:
	}
}

// Run keeps the services until ctx ends; then it waits a moment for running jobs and returns. No
// lookup, render, check or notice makes it return.
func (l *Loop) Run(ctx context.Context) {
	defer close(l.gone)
	l.mono, l.wall = time.Now(), l.Wall().Round(0)
	if l.Unusable != nil {
		l.tried = l.Unusable.Inputs
	}
	l.adopt(l.plan, l.wall, "")
	for _, s := range l.states {
		s.why = pass.Trigger{Why: string(Start)}
	}
	if l.Unusable != nil {
		l.unusable(l.Unusable.Err, "the one last in force is used, of "+l.Unusable.Since.Format(time.RFC3339), l.wall)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
		case event := <-l.events:
			if question, only := event.(ask); only && ctx.Err() == nil { // it changes nothing
				question.answer <- l.status(l.Wall().Round(0), question.about)
				continue
			}
			l.handle(event, l.now())
			l.handleMore()
		case <-timer.C:
		}
		if ctx.Err() != nil { // whatever else there is: nothing is begun any more
			l.report(Stopping)
			l.drain()
			return
		}
		now := l.now()
		l.expire(now)
		l.begin(ctx, now)
		l.tell(ctx, now)
		l.prove(ctx, now)
		l.stands()
		l.flush(now)
		l.rest(now)
		l.logSlow(now)
		l.logElsewhere(now)
		l.report(Keeping)
		l.answerRequests(now)
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
			s.after.at, s.after.alarm.at = shifted(s.after.at, d), shifted(s.after.alarm.at, d)
		}
		l.teller.Restart(now)
		l.record.due = shifted(l.record.due, d)
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
		l.sayAgain() // to who asks
		came, err := l.reload(now, e.who)
		e.answer <- reloaded{came, err}
		for name, s := range l.states {
			l.asked(name, s, l.For(e.who).because(Reload), now)
		}
		if e.then != nil {
			l.requested(e.then, now)
		}
	case refresh:
		for name, s := range l.states {
			if len(e.services) == 0 || slices.Contains(e.services, name) {
				l.asked(name, s, e.why, now)
			}
		}
	case changed:
		l.inputsChanged(e.paths, now)
	case announced:
		l.announced(e.list, now)
	case ask:
		e.answer <- l.status(now, e.about)
	case *request:
		l.requested(e, now)
	case paused:
		l.pauses(now)
	case matched:
		if s := l.states[e.keeper.Service().Name]; s.current() {
			l.teller.Set(s.service.Name, s.phase(), now)
		}
	case swapping:
		svc := e.keeper.Service()
		l.teller.Swap(svc.Name, svc.Paths(), e.granted, now)
	case done:
		l.finish(e.outcome, now)
	case told:
		l.told(e.notice, now)
	case proved:
		l.proved(e.proof, now)
	case undrained:
		l.undrained(e.undrained, now)
	case alarmed:
		l.alarmed(e.alarm, now)
	case flushed:
		l.flushed(e.err, now)
	}
}

// sayAgain has what is wrong with the config be said once more.
func (l *Loop) sayAgain() {
	l.failed = ""
	for name := range l.faulty {
		l.faulty[name] = ""
	}
}

// handleMore takes note of the events that wait already: many jobs end at about the same time.
func (l *Loop) handleMore() {
	for {
		select {
		case event := <-l.events:
			l.handle(event, l.now())
		default:
			return
		}
	}
}
