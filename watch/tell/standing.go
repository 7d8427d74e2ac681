package tell

import (
	"maps"
	"slices"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

// A Told is a dependent of a service, and when it last acknowledged a notice; zero: that is not on
// record.
type Told struct {
	Dependent string
	At        time.Time
	// NotBefore is when it may be told again: its min_interval ends, or it is tried once more, or a
	// window opens.
	NotBefore time.Time
	Held      bool // NotBefore is when a window opens
}

// Told gives the dependents of a service, in their order.
func (t *Teller) Told(name string, now time.Time) (list []Told) {
	if s := t.services[name]; s != nil {
		for _, a := range s.Dependents {
			d := t.byName[a.Name()]
			at := t.notBefore(d, now)
			list = append(list, Told{a.Name(), t.Ledger.Told(a.Name(), now), at, t.held(d, at, now)})
		}
	}
	return list
}

// IsReading tells whether a dependent is being told of a service's files.
func (t *Teller) IsReading(name string) bool {
	for _, d := range t.busy {
		if slices.Contains(d.telling, name) {
			return true
		}
	}
	return false
}

// IsSwapping tells whether a service is changing its files, or about to.
func (t *Teller) IsSwapping(name string) bool {
	s := t.services[name]
	return s != nil && s.phase == Swapping
}

// Telling tells whether a dependent of a service is being told, or soon will be of its files.
func (t *Teller) Telling(name string, now time.Time) bool {
	s := t.services[name]
	return s != nil && slices.ContainsFunc(s.Dependents, func(a notify.Action) bool {
		d := t.byName[a.Name()]
		return d.telling != nil || !now.Before(t.notBefore(d, now)) && len(t.Ledger.Owed(a.Name(), s.Paths)) > 0
	})
}

// An Owed is a dependent that has yet to be told.
type Owed struct {
	Dependent string
	Failure   string // why it refused; "" where it is only not its time
	Failures  int    // how often in a row
}

// Owed gives the dependents that have yet to be told of a service's files, in their order.
func (t *Teller) Owed(name string) (list []Owed) {
	s := t.services[name]
	if s == nil {
		return nil
	}
	for _, a := range s.Dependents {
		if len(t.Ledger.Owed(a.Name(), s.Paths)) > 0 {
			list = append(list, Owed{a.Name(), t.byName[a.Name()].failure, t.byName[a.Name()].failures})
		}
	}
	return list
}

// Held gives a notice for each dependent that is owed one and is not being told.
func (t *Teller) Held() (list []Notice) {
	for _, d := range t.dependents {
		n := Notice{Dependent: d.Name(), Held: true}
		for _, s := range d.services {
			if owed := t.Ledger.Owed(d.Name(), s.Paths); len(owed) > 0 {
				n.Services = append(n.Services, s.Name)
				n.Paths = append(n.Paths, slices.Sorted(maps.Keys(owed))...)
			}
		}
		if len(n.Paths) > 0 && d.telling == nil {
			list = append(list, n)
		}
	}
	return list
}
