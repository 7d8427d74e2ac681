package tell

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// A dependent is one action on the machine.
type dependent struct {
	notify.Action
	services []*service // that name it
	rank     int        // among all, the first being told first
	chance   *rand.Rand
	interval time.Duration  // the longest of those of its services
	windows  []cron.Windows // those of its services, of which each is to be open; none for who is not interrupted

	at       time.Time // when to see whether to tell it; zero: when something happens
	since    time.Time // from when on it could have been told, and waits for services
	failures int       // in a row; not durable: after a restart all that is owed is tried at once
	next     time.Time // not before, after a failure
	failure  string    // of the last try; "" where that succeeded
	telling  []string  // services of whose files it is being told; nil: it is not being told
	reading  []string  // the paths of these files: a new plan may give them to other services
	begun    time.Time // when that began
	slow     bool      // it was said that it takes long
}

// begin notes that it is being told of files of these services.
func (d *dependent) begin(services []string, now time.Time) {
	d.telling, d.reading, d.begun, d.slow = services, nil, now, false
	for _, s := range d.services {
		if slices.Contains(services, s.Name) {
			d.reading = append(d.reading, s.Paths...)
		}
	}
	d.at, d.since = time.Time{}, time.Time{}
}

// end notes what came of telling it, and tells whether the try before failed as this one did.
func (d *dependent) end(err error, now time.Time, once bool) (again bool) {
	if err == nil {
		d.failures, d.next, d.failure = 0, time.Time{}, ""
		return false
	}
	again = d.failure == notify.Message(err)
	d.failures++
	d.next = now.Add(Backoff(d.failures, d.chance))
	if once {
		d.next = now.Add(backoffMost)
	}
	d.failure = notify.Message(err)
	return again
}

// consider has the next Begin see whether to tell it.
func (d *dependent) consider(now time.Time) {
	if d.at.IsZero() || now.Before(d.at) {
		d.at = now
	}
}

// consider has the next Begin see whether to tell the dependents of a service.
func (t *Teller) consider(s *service, now time.Time) {
	for _, a := range s.Dependents {
		if d := t.byName[a.Name()]; d != nil {
			d.consider(now)
		}
	}
}

// names tells whether a service names the dependent.
func (d *dependent) names(name string) bool {
	return slices.ContainsFunc(d.services, func(s *service) bool { return s.Name == name })
}

// reads tells whether the dependent is being told of one of these files.
func (d *dependent) reads(paths []string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return slices.Contains(d.reading, path) })
}

// ready gives the services of whose files the dependent is to be told now, and what it is owed of
// them. Where it is not to be told it notes when to see again.
func (t *Teller) ready(d *dependent, now time.Time) (services []string, owed map[string]uint64) {
	d.at = time.Time{}
	if t.busy[d.Target()] != nil {
		return nil, nil
	}
	if at := t.notBefore(d, now); now.Before(at) {
		if d.since = (time.Time{}); t.owes(d) {
			d.at = at
		}
		return nil, nil
	}
	impatient := !d.since.IsZero() && !now.Before(d.since.Add(Patience))
	owes, waits := false, false
	owed = make(map[string]uint64)
	for _, s := range d.services {
		if s.phase == Unsettled {
			continue
		}
		part := t.Ledger.Owed(d.Name(), s.Paths)
		owes = owes || len(part) > 0
		if s.phase == Swapping || s.phase == Working && !impatient || t.behind(d, s, part, now) {
			waits = true
		} else if len(part) > 0 {
			services = append(services, s.Name)
			maps.Copy(owed, part)
		}
	}
	if d.owes(owes, now); owes && waits && !impatient {
		d.at = d.since.Add(Patience)
		return nil, nil
	}
	return services, owed
}

// owes notes whether the dependent is owed what it could be told.
func (d *dependent) owes(owes bool, now time.Time) {
	if !owes {
		d.since = time.Time{}
	} else if d.since.IsZero() {
		d.since = now
	}
}

// owes tells whether a dependent is owed anything.
func (t *Teller) owes(d *dependent) bool {
	return slices.ContainsFunc(d.services, func(s *service) bool {
		return len(t.Ledger.Owed(d.Name(), s.Paths)) > 0
	})
}

// behind tells whether, where a dependent is owed something of a service, one that the service
// names before it has yet to be tried.
func (t *Teller) behind(d *dependent, s *service, owed map[string]uint64, now time.Time) bool {
	if len(owed) == 0 {
		return false
	}
	for _, a := range s.Dependents {
		e := t.byName[a.Name()]
		switch {
		case e == d:
			return false
		case e.rank > d.rank: // another service has it the other way round
		case e.reads(s.Paths):
			return true
		case !now.Before(t.notBefore(e, now)) && len(t.Ledger.Owed(e.Name(), s.Paths)) > 0:
			return true
		}
	}
	return false
}

// notBefore gives when a dependent may be told, which is in its windows.
func (t *Teller) notBefore(d *dependent, now time.Time) time.Time {
	at := t.rested(d, now)
	if len(d.windows) == 0 || t.mends(d) {
		return at
	}
	return cron.Common(latest(at, now), d.windows...)
}

// held tells whether a window is why a dependent may not be told before a time.
func (t *Teller) held(d *dependent, at, now time.Time) bool {
	return len(d.windows) > 0 && at.After(latest(t.rested(d, now), now))
}

// mends tells whether the dependent is owed a notice of what puts right a change that was not well:
// that waits for no window and no interval.
func (t *Teller) mends(d *dependent) bool {
	return slices.ContainsFunc(d.services, func(s *service) bool {
		r, _ := t.Ledger.Rollout(s.Name)
		return (r.Stage == ledger.Retold || r.Stage == ledger.Reverted) && len(t.Ledger.Owed(d.Name(), s.Paths)) > 0
	})
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rested gives when a dependent may be told as far as its interval and its failures have a say. A
// time that a stepped clock put ahead counts as now, once and for all.
func (t *Teller) rested(d *dependent, now time.Time) time.Time {
	if limit := now.Add(backoffMost); d.next.After(limit) {
		d.next = limit
	}
	told := t.Ledger.Told(d.Name(), now)
	if at := told.Add(d.interval); d.interval > 0 && !told.IsZero() && at.After(d.next) && !t.mends(d) {
		return at
	}
	return d.next
}

// adopt makes the dependents of the services. They stand as those of the last plan that had the
// same names.
func (t *Teller) adopt(list []Service, now time.Time) {
	last := t.byName
	t.byName, t.byTarget = make(map[string]*dependent), make(map[string][]*dependent)
	var dependents []*dependent
	for _, s := range list {
		for _, a := range s.Dependents {
			d := t.byName[a.Name()]
			if d == nil {
				d = &dependent{Action: a, at: now}
				if was := last[a.Name()]; was == nil {
					d.chance = rand.New(rand.NewPCG(t.Chance.Uint64(), t.Chance.Uint64()))
				} else {
					*d = *was
					d.Action, d.services, d.interval, d.windows, d.at = a, nil, 0, nil, now
					if t.busy[a.Target()] == was {
						t.busy[a.Target()] = d
					}
				}
				t.byName[a.Name()] = d
				t.byTarget[a.Target()] = append(t.byTarget[a.Target()], d)
				dependents = append(dependents, d)
			}
			d.services = append(d.services, t.services[s.Name])
			d.interval = max(d.interval, s.MinInterval)
			if len(s.Windows) > 0 && notify.Interrupts(a) {
				d.windows = append(d.windows, s.Windows)
			}
		}
	}
	t.rank(dependents)
}

// rank puts the dependents in an order that has each after those that services name before it, and
// is else that of the services. Where these disagree the first by name goes first.
func (t *Teller) rank(dependents []*dependent) {
	after := make(map[*dependent][]*dependent)
	before := make(map[*dependent]int) // how many have yet to be ranked
	for _, s := range t.services {
		for i := 1; i < len(s.Dependents); i++ {
			d, e := t.byName[s.Dependents[i-1].Name()], t.byName[s.Dependents[i].Name()]
			after[d] = append(after[d], e)
			before[e]++
		}
	}
	t.dependents = make([]*dependent, 0, len(dependents))
	next := func(d *dependent) bool {
		d.rank = len(t.dependents)
		t.dependents = append(t.dependents, d)
		for _, e := range after[d] {
			before[e]--
		}
		return true
	}
	for left := slices.Clone(dependents); len(left) > 0; {
		n := len(left)
		left = slices.DeleteFunc(left, func(d *dependent) bool { return before[d] == 0 && next(d) })
		if len(left) == n {
			first := slices.MinFunc(left, func(a, b *dependent) int { return cmp.Compare(a.Name(), b.Name()) })
			left = slices.DeleteFunc(left, func(d *dependent) bool { return d == first && next(d) })
		}
	}
}
