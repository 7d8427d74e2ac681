// Package tell decides which dependents of the machine are told, of which files, and when.
//
// A dependent is one thing on the machine, whichever services name it. It is told by one worker,
// so never twice at once; of the files of all services that are ready, so once for what changed
// together; and it has one backoff and one interval. What it is owed says the ledger.
//
// A Teller has no goroutine of its own, but one for each dependent that is being told. Its owner
// says what becomes of the services, and calls Begin when Next says so.
package tell

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// Patience is how long a dependent that is owed a notice waits for services that may soon owe it
// another, and for dependents that are told before it.
const Patience = 3 * time.Second

// A Service is what a Teller knows of a service.
type Service struct {
	Name        string
	Paths       []string
	Dependents  []notify.Action // told in this order
	MinInterval time.Duration   // between two notices to the same dependent; 0: none
	Windows     cron.Windows    // in which those who may be interrupted are told; none: at any time
}

// A Phase says whether dependents may be told of a service's files, and whether they wait for it.
type Phase int

const (
	Unsettled Phase = iota // the files may not match: nobody is told of them, or waits for them
	Settled                // nobody is at work on the files
	Working                // a job may soon change them; they are waited for
	Retrying               // a job may soon change them, and has failed before; nobody waits for it
	Swapping               // they are being changed: nobody is told of them
)

// Options are what a Teller works with.
type Options struct {
	Ledger *ledger.Ledger
	Chance *rand.Rand             // for the backoff
	Wall   func() time.Time       // the wall clock, which may be set
	Woken  func(dependent string) // is called around waits for the ledger; may be nil
	Silent bool                   // nobody is told; what is owed stays owed
	// Once: who refuses is not tried again for five minutes, unless Retry says so.
	Once   bool
	Intact func(paths []string) bool // tells whether files are as the ledger has them; nil: they are
}

// A Teller knows the dependents of the services of one plan at a time.
type Teller struct {
	Options
	services   map[string]*service
	dependents []*dependent // in the order in which they are told
	byName     map[string]*dependent
	byTarget   map[string][]*dependent
	busy       map[string]*dependent // those being told, by what they name
	waiting    []swapping
}

// A service is what is known of it at the moment.
type service struct {
	Service
	phase Phase
	seen  time.Time // when a job last had the files as they should be
}

// A swapping is a service that is about to change its files, as the plan had it that began the job.
type swapping struct {
	service string
	paths   []string
	since   time.Time
	granted func()
}

// New makes a Teller that knows of no service.
func New(o Options) *Teller {
	return &Teller{
		Options:  o,
		services: make(map[string]*service),
		byName:   make(map[string]*dependent),
		busy:     make(map[string]*dependent),
	}
}

// Adopt says what services there are from now on. Those that are new are Unsettled.
func (t *Teller) Adopt(list []Service, now time.Time) {
	services := make(map[string]*service, len(list))
	for _, s := range list {
		services[s.Name] = &service{Service: s}
		if was := t.services[s.Name]; was != nil {
			services[s.Name].phase, services[s.Name].seen = was.phase, was.seen
		}
	}
	t.services = services
	t.adopt(list, now)
}

// Set says that a service is in another phase. What is not known is ignored: it has left.
func (t *Teller) Set(name string, p Phase, now time.Time) {
	s := t.services[name]
	if s == nil {
		return
	}
	if p == Settled || s.phase == Unsettled {
		s.seen = now
	}
	if s.phase != p {
		s.phase = p
		t.consider(s, now)
	}
}

// Retry says that what failed before may work now: files of a service have new contents, or
// somebody asks. Dependents that refused to be told of them are told at once, as others are.
func (t *Teller) Retry(name string, now time.Time) {
	if s := t.services[name]; s != nil {
		for _, a := range s.Dependents {
			t.byName[a.Name()].next = time.Time{}
		}
		t.consider(s, now)
	}
}

// Swap says that a service, which may have left or have other files by now, is about to change
// those at these paths. It is Swapping from now on. Granted is called, perhaps at once, when nobody
// is being told of them any more, and nobody who reads them of others' or only since Patience.
func (t *Teller) Swap(name string, paths []string, granted func(), now time.Time) {
	t.Set(name, Swapping, now)
	t.waiting = append(t.waiting, swapping{name, paths, now, granted})
	t.grant(now)
}

// grant lets those swap whom nobody stands in the way of.
func (t *Teller) grant(now time.Time) {
	t.waiting = slices.DeleteFunc(t.waiting, func(w swapping) bool {
		if t.hinders(w, now) {
			return false
		}
		w.granted()
		return true
	})
}

// hinders tells whether a service must not swap yet: its dependents read while they are told.
func (t *Teller) hinders(w swapping, now time.Time) bool {
	for _, d := range t.busy {
		if d.reads(w.paths) || d.names(w.service) && now.Before(w.since.Add(Patience)) {
			return true
		}
	}
	return false
}

// Next gives when Begin may have something to do by itself; zero where it will not.
func (t *Teller) Next(now time.Time) time.Time {
	if t.Silent {
		return time.Time{}
	}
	var times []time.Time
	for _, d := range t.dependents {
		times = append(times, d.at)
	}
	for _, w := range t.waiting {
		if patient := w.since.Add(Patience); patient.After(now) {
			times = append(times, patient)
		}
	}
	times = slices.DeleteFunc(times, time.Time.IsZero)
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}

// Begin tells those whose time has come, each in a goroutine that calls done, with what came of it,
// in the end. It gives the services that name them.
func (t *Teller) Begin(ctx context.Context, now time.Time, done func(Notice)) []string {
	t.grant(now)
	if t.Silent {
		return nil
	}
	var services []string
	for _, d := range t.dependents {
		if d.at.IsZero() || d.at.After(now) {
			continue
		}
		telling, owed := t.ready(d, now)
		if len(owed) == 0 {
			continue
		}
		t.busy[d.Target()] = d
		d.begin(telling, now)
		for _, s := range d.services {
			services = append(services, s.Name)
		}
		doubtful := t.doubtful(telling, now)
		go func() { done(t.tell(ctx, d.Action, doubtful, telling, owed)) }()
	}
	return services
}

// A Notice is what came of telling one dependent.
type Notice struct {
	Dependent string
	Services  []string // whose files it was told of
	Paths     []string
	Err       error    // why it is still owed; nil where it acknowledged
	Again     bool     // the try before failed as this one did
	Record    error    // why that it acknowledged is not on record, so that it may be told again
	Held      bool     // not tried: told too recently, or on request; it is still owed
	Changed   []string // services whose files others changed: nobody was told
	Took      time.Duration
	Said      notify.Output // may hold secrets
}

// Hints gives what to do about Err, a line each.
func (n Notice) Hints() []string { return notify.Hints(n.Err) }

// doubtful gives those of the services whose files nobody has looked at for a while.
func (t *Teller) doubtful(names []string, now time.Time) (list []*service) {
	for _, name := range names {
		if s := t.services[name]; t.Intact != nil && now.Sub(s.seen).Abs() > Patience {
			list = append(list, s)
		}
	}
	return list
}

// tell tells one dependent and records its acknowledgement. Where that fails the dependent is told
// once more after a restart: "at least once" allows it.
func (t *Teller) tell(ctx context.Context, a notify.Action, doubtful []*service, services []string, owed map[string]uint64) Notice {
	n := Notice{Dependent: a.Name(), Services: services, Paths: slices.Sorted(maps.Keys(owed))}
	t.woken(n.Dependent) // several may be told from the same moment on
	for _, s := range doubtful {
		if !t.Intact(s.Paths) {
			n.Changed = append(n.Changed, s.Name)
		}
	}
	if len(n.Changed) > 0 {
		return n
	}
	begun := time.Now()
	n.Err = caught(func() (err error) {
		n.Said, err = a.Do(ctx, notify.Change{Services: services, Paths: n.Paths})
		return err
	})
	n.Took = time.Since(begun)
	if n.Err == nil {
		told := ledger.Event{At: t.now(), Kind: ledger.Told, Services: n.Services, Dependent: n.Dependent, Paths: n.Paths, Took: n.Took}
		n.Record = caught(func() error { return t.Ledger.Acknowledge(n.Dependent, owed, told) })
		t.woken(n.Dependent)
	}
	return n
}

// caught makes a panic an error.
func caught(f func() error) (err error) {
	if failed := fault.Caught(func() { err = f() }); failed != nil {
		return failed
	}
	return err
}

func (t *Teller) woken(dependent string) {
	if t.Woken != nil {
		t.Woken(dependent)
	}
}

// now is the wall clock's time.
func (t *Teller) now() time.Time { return t.Wall().Round(0) }

// End says that a dependent has been told, or not, as its goroutine had it.
func (t *Teller) End(n *Notice, now time.Time) {
	for target, d := range t.busy {
		if d.Name() != n.Dependent {
			continue
		}
		delete(t.busy, target)
		for _, service := range n.Changed {
			t.Set(service, Unsettled, now)
		}
		d.telling, d.reading = nil, nil
		if len(n.Changed) == 0 {
			n.Again = d.end(n.Err, now, t.Once)
		}
		if n.Err != nil && !n.Again {
			t.Ledger.Note(ledger.Event{
				At: now.UTC(), Kind: ledger.Refused, Services: n.Services, Dependent: n.Dependent, Paths: n.Paths, Failure: d.failure, Took: n.Took,
			})
		}
		for _, s := range d.services {
			t.consider(s, now)
		}
		for _, other := range t.byTarget[target] {
			other.consider(now)
		}
	}
	t.grant(now)
}

// Restart has all waiting begin anew, as where the clock was set.
func (t *Teller) Restart(now time.Time) {
	for _, d := range t.dependents {
		d.since = time.Time{}
		d.consider(now)
	}
	for i := range t.waiting {
		t.waiting[i].since = now
	}
}

// Slow gives those who are being told since before a time, each once.
func (t *Teller) Slow(before time.Time) (list []Notice) {
	for _, d := range t.busy {
		if d.begun.Before(before) && !d.slow {
			d.slow = true
			list = append(list, Notice{Dependent: d.Name(), Services: d.telling})
		}
	}
	return list
}

// Busy tells whether anybody is being told.
func (t *Teller) Busy() bool { return len(t.busy) > 0 }
