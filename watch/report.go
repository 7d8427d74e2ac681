package watch

import (
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A Report says how a loop stands. It holds no value.
type Report struct {
	Doing Doing
	// Tried: every service has been looked at, whatever came of it, or is so late that nobody need
	// wait for it.
	Tried bool
	// Unusable is what is wrong with the config as it is on disk, while an older one is in force;
	// else "".
	Unusable string
	Faulty   []Faulty // what the config in force has beside its services, or otherwise
	Services []Standing
}

// A Doing is what a loop is about to do.
type Doing string

const (
	Keeping   Doing = ""          // its services true
	Reloading Doing = "reloading" // the config, as somebody asked; all else is as it was
	Stopping  Doing = "stopping"  // itself; it is the last report
)

// A State is how a service stands, in a word.
type State string

const (
	Waiting State = "waiting" // it has not been looked at yet
	Current State = "current" // its files and its dependents are
	Owes    State = "owes"    // its files are current, and a dependent has yet to be told
	Paused  State = "paused"  // nobody works on it, as somebody asked
	Held    State = "held"    // its files are to be written at another time
	Failing State = "failing" // its files are not up to date, or not known to be

	Proving    State = "proving"     // its dependents have been told, and have yet to be seen to be well
	RolledBack State = "rolled-back" // its change was not well; the old files are in place
	// Unhealthy: its change is not well, and stays; or it is not well with the old files, either;
	// or what is to be done after its change is not done.
	Unhealthy State = "unhealthy"
)

// States are all that there are, the best first.
var States = []State{Current, Waiting, Proving, Paused, Held, Owes, RolledBack, Unhealthy, Failing}

// State gives how the service stands in a word.
func (s Standing) State() State {
	switch {
	case s.Paused != nil:
		return Paused
	case s.Failure != "":
		return Failing
	case s.Rollout != nil && (s.Rollout.Stage == pass.Unwell || s.Rollout.Still != "" || s.Rollout.Undone != ""):
		return Unhealthy
	case s.Rollout != nil && s.Rollout.Stage == pass.Rejected:
		return RolledBack
	case len(s.Owed) > 0:
		return Owes
	case s.Held != nil:
		return Held
	case s.Rollout != nil:
		return Proving
	case !s.Tried:
		return Waiting
	}
	return Current
}

// A Standing is how one service of the plan stands.
type Standing struct {
	Service string
	Tried   bool
	// Failure is why its files are not up to date, or not known to be; "" where nothing is wrong.
	Failure string
	Owed    []tell.Owed
	Paused  *pass.Pause // nil: it is not
	Held    *pass.Hold  // nil: nothing waits for its time
	// Rollout is that a change has yet to be seen to be well, or was not; nil: neither.
	Rollout *pass.Rollout
}

// report tells how the loop stands.
func (l *Loop) report(doing Doing) {
	if l.Report != nil {
		l.Report(l.standings(doing, l.plan.Services))
	}
}

// standings gives how services stand.
func (l *Loop) standings(doing Doing, services []*Service) Report {
	r := Report{Doing: doing, Tried: true, Unusable: l.failed, Faulty: l.plan.Faulty, Services: make([]Standing, 0, len(services))}
	for _, svc := range services {
		st := l.standing(svc)
		r.Tried = r.Tried && st.Tried
		r.Services = append(r.Services, st)
	}
	return r
}

// standing gives how a service stands.
func (l *Loop) standing(svc *Service) Standing {
	s := l.states[svc.Name]
	st := Standing{
		Service: svc.Name, Tried: s.tried || s.slow || s.paused != nil, Failure: s.failure, Paused: s.paused, Held: s.held,
		Owed: l.teller.Owed(svc.Name), Rollout: l.rollout(svc),
	}
	if s.slow {
		st.Failure = stillAtWork
	}
	return st
}

// firstFailure gives the first of what stands in the way of the service's files.
func firstFailure(o pass.Outcome) string {
	list := o.FileErrors()
	if len(list) == 0 {
		return ""
	}
	if _, ok := list[0].Fault.Err.(*sources.Error); ok {
		return list[0].Fault.What // which names the ref: where it is looked up is for the log
	}
	return list[0].Error()
}
