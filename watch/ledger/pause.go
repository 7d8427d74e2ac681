package ledger

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Pause is that nobody works on a service, as somebody asked.
type Pause struct {
	Service string    `json:"service"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // zero: until it is resumed
	Why     string    `json:"why"`            // in the words of who asked
	Who     string    `json:"who,omitempty"`
	// Paths are the files of the service, as far as it is known: a service may get another name.
	Paths []string `json:"paths,omitempty"`
}

// String says by whom the service is paused, until when, and why.
func (p Pause) String() string {
	text := "paused"
	if p.Who != "" {
		text += " by " + p.Who
	}
	if !p.Until.IsZero() {
		text += " until " + p.Until.Local().Format(time.DateTime)
	}
	return text + ": " + p.Why
}

// Ended tells whether the time of the pause is over.
func (p Pause) Ended(now time.Time) bool { return !p.Until.IsZero() && !now.Before(p.Until) }

// pauseMark begins the lines of pauses: where one is damaged nothing but it is lost.
const pauseMark = '='

// encode gives the line of the record.
func (p Pause) encode() []byte {
	data, err := json.Marshal(p)
	if err != nil { // there is nothing in it that JSON has no form for
		panic(err)
	}
	return seal(pauseMark, data)
}

// decodePause notes the pause of a line; of one that is damaged none.
func (l *Ledger) decodePause(line []byte) {
	data, sound := unseal(line)
	var p Pause
	if sound && json.Unmarshal(data, &p) == nil {
		l.pauses[p.Service] = p
	}
}

// Follow says which files which service has from now on. A pause of a service that is not among
// them goes to those that have its files: its name has changed. Where there are none it stays as it
// is, as the service may come back. So do rollouts, and those of services that are gone for good,
// as they are all that there are, are forgotten. It tells whether the next record differs.
func (l *Ledger) Follow(services map[string][]string, all bool) (differs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.stale = l.stale || differs }()
	l.services = services
	differs = l.followRollouts(services, all)
	for _, p := range l.sortedPauses() {
		if paths, known := services[p.Service]; known {
			differs = differs || !slices.Equal(paths, p.Paths)
			p.Paths = paths
			l.pauses[p.Service] = p
			continue
		}
		for name, paths := range services {
			if slices.ContainsFunc(paths, func(path string) bool { return slices.Contains(p.Paths, path) }) {
				delete(l.pauses, p.Service)
				heir := p
				heir.Service, heir.Paths = name, paths
				l.pauses[name], differs = heir, true
			}
		}
	}
	return differs
}

// Pause puts on durable record that services are paused, each with its event. A pause that there is
// is replaced. Where it fails all stay as they were.
func (l *Ledger) Pause(list []Pause) error {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Service
	}
	return l.alter(names, func() (events []*entry) {
		for _, p := range list {
			p.Paths = l.services[p.Service]
			l.pauses[p.Service] = p
			events = append(events, l.events.add(Event{
				At: p.Since, Kind: Paused, Services: []string{p.Service}, Trigger: Trigger{Who: p.Who}, Note: p.Why, Until: p.Until,
			}))
		}
		return events
	})
}

// Resume puts on durable record that services are no longer paused, each with its event, and gives
// those that were. Where it fails they still are.
func (l *Ledger) Resume(names []string, who string, at time.Time) (resumed []string, _ error) {
	err := l.alter(names, func() (events []*entry) {
		resumed, events = l.end(names, who, at)
		return events
	})
	if err != nil {
		return nil, err
	}
	return resumed, nil
}

// Expire ends the pauses whose time is over, and gives their services. The record says so with the
// next write.
func (l *Ledger) Expire(now time.Time) (over []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.sortedPauses() {
		if p.Ended(now) {
			over = append(over, p.Service)
		}
	}
	l.end(over, "", now)
	return over
}

// end ends pauses. The caller holds the lock.
func (l *Ledger) end(names []string, who string, at time.Time) (ended []string, events []*entry) {
	for _, name := range names {
		if p, paused := l.pauses[name]; paused {
			delete(l.pauses, name)
			l.stale, ended = true, append(ended, name)
			events = append(events, l.events.add(Event{At: at, Kind: Resumed, Services: []string{name}, Trigger: Trigger{Who: who}, Note: p.Why}))
		}
	}
	return ended, events
}

// alter makes a change of pauses durable, or takes it back with its events.
func (l *Ledger) alter(names []string, change func() []*entry) error {
	l.mu.Lock()
	before := maps.Clone(l.pauses)
	r := l.change()
	b := l.batch(r)
	events := change()
	b.undo = append(b.undo, func() {
		for _, e := range slices.Backward(events) {
			l.events.remove(e)
		}
		for _, name := range names {
			delete(l.pauses, name)
			if p, was := before[name]; was {
				l.pauses[name] = p
			}
		}
	})
	l.mu.Unlock()
	return l.commit(r)
}

// Paused gives the pause of a service.
func (l *Ledger) Paused(service string) (Pause, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, paused := l.pauses[service]
	return p, paused
}

// Pauses gives those on record, by service.
func (l *Ledger) Pauses() []Pause {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sortedPauses()
}

func (l *Ledger) sortedPauses() []Pause {
	return slices.SortedFunc(maps.Values(l.pauses), func(a, b Pause) int { return strings.Compare(a.Service, b.Service) })
}
