package watch

import (
	"cmp"

	"github.com/rendered/rendered/sources"
)

// A Report says how a loop stands. It holds no value.
type Report struct {
	Doing    Doing
	Tried    bool   // every service has been looked at, whatever came of it, or is so late that nobody need wait for it
	Unusable string // what is wrong with the config as it is on disk, while an older one is in force; else ""
	Services []Standing
}

// A Doing is what a loop is about to do.
type Doing string

const (
	Keeping   Doing = ""          // its services true
	Reloading Doing = "reloading" // the config, because somebody asked for that; all else is as it was
	Stopping  Doing = "stopping"  // itself; it is the last report
)

// A Standing is how one service of the plan stands.
type Standing struct {
	Service string
	Tried   bool
	Trouble string // why its files are not up to date, or not known to be; "" where nothing is wrong
	Owed    []Owed
}

// An Owed is a dependent that has yet to be told.
type Owed struct {
	Dependent string
	Trouble   string // why it refused; "" where it is only not its time
}

// report tells how the loop stands.
func (l *Loop) report(doing Doing) {
	if l.Report == nil {
		return
	}
	r := Report{Doing: doing, Tried: true, Unusable: l.failed}
	for _, svc := range l.plan.Services {
		st := l.states[svc.Name].standing()
		r.Tried = r.Tried && st.Tried
		r.Services = append(r.Services, st)
	}
	l.Report(r)
}

func (s *state) standing() Standing {
	st := Standing{Service: s.service.Name, Tried: s.tried || s.late, Trouble: s.trouble}
	if s.late {
		st.Trouble = stillAtWork
	}
	for _, d := range s.service.Dependents {
		if trouble, owed := s.owed[d.Name()]; owed {
			st.Owed = append(st.Owed, Owed{d.Name(), trouble})
		}
	}
	return st
}

// stand notes how the service stands after a job.
func (s *state) stand(o Outcome) {
	if o.Looked || o.Err != nil {
		s.trouble = o.trouble()
	}
	s.tried = s.tried || o.Looked
	for _, n := range o.Notices {
		switch {
		case n.Err != nil:
			s.owe(n.Dependent, n.Err.Error())
		case n.Held:
			s.owe(n.Dependent, cmp.Or(s.owed[n.Dependent], s.refused[n.Dependent]))
		default:
			delete(s.owed, n.Dependent)
		}
	}
}

func (s *state) owe(dependent, trouble string) {
	if s.owed == nil {
		s.owed = make(map[string]string)
	}
	s.owed[dependent] = trouble
}

// trouble gives the first of what stands in the way of the service's files.
func (o Outcome) trouble() string {
	list := o.FileErrors()
	if len(list) == 0 {
		return ""
	}
	if _, ok := list[0].Fault.Err.(*sources.Error); ok {
		return list[0].Fault.What // which names the ref: where it is looked up is for the log
	}
	return list[0].Error()
}
