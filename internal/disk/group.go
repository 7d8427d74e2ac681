package disk

import (
	"errors"
	"sync"
)

// A Group lets one run of a slow step, as an fsync, do for all who ask for it before it begins.
type Group struct {
	jobs *Jobs
	mu   sync.Mutex
	next *Run          // has not begun
	turn chan struct{} // is full while a run is under way
}

// A Run is one run of the step.
type Run struct {
	done   chan struct{} // closed when it has ended
	joined int           // who wait for it
	err    error
}

// NewGroup gives a group whose step nobody runs, for the jobs that work on a machine; nil: nobody
// waits for others to join.
func NewGroup(jobs *Jobs) *Group { return &Group{jobs: jobs, turn: make(chan struct{}, 1)} }

// Join gives the run that begins next. What the caller has done before is done when it begins.
func (g *Group) Join() *Run {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &Run{done: make(chan struct{}), err: errPanicked}
	}
	return g.next
}

// errPanicked is what those get who wait for a run that panicked.
var errPanicked = errors.New("a mistake in rendered itself: somebody else's write did not come to an end")

// Wait waits until a run has ended, and gives its error, to all who have joined it. One of them
// runs the step, once the run before has ended.
func (g *Group) Wait(r *Run, step func() error) error {
	g.joined(r)
	select {
	case <-r.done:
	case g.turn <- struct{}{}:
		g.lead(r, step)
	}
	return r.err
}

// joined counts who waits for a run.
func (g *Group) joined(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r == g.next {
		r.joined++
		g.jobs.join(1)
	}
}

// Between runs something else while no run is under way.
func (g *Group) Between(f func() error) error {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	return f()
}

func (g *Group) lead(r *Run, step func() error) {
	defer func() { <-g.turn }()
	select {
	case <-r.done: // both were possible
		return
	default:
	}
	g.begin(r)
	defer close(r.done)
	r.err = step()
}

// begin ends the time in which a run can be joined.
func (g *Group) begin(r *Run) {
	g.jobs.gather()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = nil
	g.jobs.join(-r.joined)
}
