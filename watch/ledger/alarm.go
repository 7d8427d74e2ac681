package ledger

import "slices"

// Of some services somebody is to hear of each failure: that one is owed is on record with the
// failure, until it was said.

// Alarms says of which services failures are to be said from now on. What is yet to be said of a
// service that is not known stays, unless all are.
func (l *Ledger) Alarms(services []string, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.alarms = services
	for name, r := range l.rollouts {
		if _, known := l.services[name]; r.Trouble != nil && (known || all) && !slices.Contains(services, name) {
			r.Trouble = nil
			l.setRollout(r)
			l.stale = true
		}
	}
}

// alarm notes that a failure is to be said, where it is one, and gives what takes that back. The
// caller holds the lock.
func (l *Ledger) alarm(e Event) (undo func()) {
	var undos []func()
	for _, service := range e.Services {
		if !slices.Contains(l.alarms, service) || !e.isTrouble() {
			continue
		}
		r := l.rollouts[service]
		if r.Service == "" {
			r.Service, r.Paths = service, l.services[service]
		}
		r.Trouble = &e
		undos = append(undos, l.setRollout(r))
	}
	return func() {
		for _, undo := range slices.Backward(undos) {
			undo()
		}
	}
}

// isTrouble tells whether somebody is to hear of an event. That a service was not well is followed
// by another try, unless its change stays.
func (e Event) isTrouble() bool {
	return e.Kind == Failed || e.Kind == Refused || e.Kind == RolledBack || e.Kind == Unhealthy && e.Stays
}

// Alarmed puts on durable record that a failure of a service was said.
func (l *Ledger) Alarmed(service string, e Event) error {
	l.mu.Lock()
	r := l.rollouts[service]
	if r.Trouble == nil || !r.Trouble.At.Equal(e.At) || r.Trouble.Kind != e.Kind {
		l.mu.Unlock()
		return nil // there is another by now
	}
	r.Trouble = nil
	w := l.change()
	b := l.batch(w)
	b.undo = append(b.undo, l.setRollout(r))
	l.mu.Unlock()
	return l.commit(w)
}
