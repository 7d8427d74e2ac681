package ledger

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// An Event is an entry of the history: what happened to services, when and why. It holds no value.
type Event struct {
	At       time.Time `json:"at"`
	Kind     Kind      `json:"kind"`
	Services []string  `json:"services"`
	Trigger
	Refs []Renewal `json:"refs,omitempty"` // lookups that have other versions than before
	// Paths are the files that got new contents, or of which somebody was told.
	Paths   []string `json:"files,omitempty"`
	Removed []string `json:"removed,omitempty"` // those of Paths that were removed
	// Restored are those of Paths that are what they were, and that somebody else had changed.
	Restored []string `json:"restored,omitempty"`
	// Backups says where what somebody else had written to a file is backed up, by its path.
	Backups   map[string]string `json:"backups,omitempty"`
	Dependent string            `json:"dependent,omitempty"`
	Failure   string            `json:"failure,omitempty"`
	Note      string            `json:"note,omitempty"`  // why they asked for a pause, in their words
	Until     time.Time         `json:"until,omitzero"`  // when a pause ends by itself
	Took      time.Duration     `json:"took,omitempty"`  // nanoseconds
	Stays     bool              `json:"stays,omitempty"` // what is not well stays
}

// A Trigger is what a look, or something else, was for.
type Trigger struct {
	Why     string `json:"why,omitempty"`     // a Reason of watch
	Message string `json:"message,omitempty"` // the id of the queue's message that said so
	Who     string `json:"who,omitempty"`     // who asked for it
}

// A Kind says what happened.
type Kind string

const (
	Changed Kind = "changed" // files got new contents
	Told    Kind = "told"    // a dependent acknowledged a notice
	Refused Kind = "refused" // a dependent did not; said once until something else happens
	Failed  Kind = "failed"  // files could not be brought up to date; said once
	Well    Kind = "well"    // they are again
	Paused  Kind = "paused"  // nobody works on a service, as somebody asked
	Resumed Kind = "resumed" // a pause is over; Who is "" where its time was
	// Healthy: a service was seen to be well with its change, or with the old files again.
	Healthy    Kind = "healthy"
	Unhealthy  Kind = "unhealthy"   // it was not; said once
	RolledBack Kind = "rolled-back" // the files are those of before the change; Failure says why
	Held       Kind = "held"        // nothing is written yet; Failure says why, Until until when
	// Forgotten: what is older was given up, as there was no room for it.
	Forgotten Kind = "forgotten"
)

// A Renewal is a lookup that has another version than when files were last written from it.
type Renewal struct {
	Ref  string `json:"ref"`
	From string `json:"from,omitempty"` // "": it is the first that is known
	To   string `json:"to"`
}

const (
	mostEvents     = 1000
	mostEventBytes = 1 << 20
)

// eventMark begins the lines of events: where one is damaged nothing but it is lost.
const eventMark = '#'

// events are the history, oldest first.
type events struct {
	list  []*entry
	bytes int
	pasts map[string]*Past // by service
}

// An entry is an event, and its line of the record.
type entry struct {
	Event
	line []byte
}

func newEntry(event Event) *entry {
	data, err := json.Marshal(event)
	if err != nil { // there is nothing in it that JSON has no form for
		panic(err)
	}
	return &entry{event, seal(eventMark, data)}
}

// add adds an event; one of no kind is none. The oldest go where there are too many.
func (e *events) add(event Event) *entry {
	if event.Kind == "" {
		return nil
	}
	added := newEntry(event)
	e.list, e.bytes = append(e.list, added), e.bytes+len(added.line)
	for len(e.list) > mostEvents || e.bytes > mostEventBytes {
		e.bytes -= len(e.list[0].line)
		e.list[0], e.list = nil, e.list[1:]
	}
	e.take(&added.Event)
	return added
}

// set sets the list.
func (e *events) set(list []*entry) {
	e.list, e.bytes = list, 0
	for _, entry := range list {
		e.bytes += len(entry.line)
	}
}

// take notes an event for each of its services.
func (e *events) take(event *Event) {
	for _, service := range event.Services {
		e.past(service).take(event)
	}
}

// past gives what is known of a service.
func (e *events) past(service string) *Past {
	if e.pasts == nil {
		e.pasts = make(map[string]*Past)
	}
	if e.pasts[service] == nil {
		e.pasts[service] = &Past{Files: make(map[string]time.Time), Lookups: make(map[string]Written)}
	}
	return e.pasts[service]
}

// remove takes an event back; nil is none.
func (e *events) remove(added *entry) {
	i := slices.Index(e.list, added)
	if added == nil || i < 0 {
		return
	}
	e.set(slices.Delete(e.list, i, i+1))
	e.pasts = nil
	for _, event := range e.list {
		e.take(&event.Event)
	}
	for _, service := range added.Services {
		for _, r := range added.Refs {
			if was := e.past(service).Lookups; was[r.Ref].Version != r.From { // its event is too old
				was[r.Ref] = Written{Version: r.From}
			}
		}
	}
}

// after gives the events after one, and before them one that says that older ones were given up;
// nil: all.
func (e *events) after(last *entry) []*entry {
	if last == nil {
		return e.list
	}
	said := newEntry(Event{At: last.At, Kind: Forgotten, Failure: "there was no room for it in the state directory"})
	return append([]*entry{said}, e.list[slices.Index(e.list, last)+1:]...)
}

// half gives the last event that goes where the older half of those after one does; nil: there are
// none.
func (e *events) half(last *entry) *entry {
	rest := e.list[slices.Index(e.list, last)+1:]
	if len(rest) > 0 && rest[0].Kind == Forgotten {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil
	}
	return rest[(len(rest)-1)/2]
}

// giveUp gives up the events up to one.
func (e *events) giveUp(last *entry) { e.set(e.after(last)) }

// decode adds the event of a line; of one that is damaged none.
func (e *events) decode(line []byte) {
	data, sound := unseal(line)
	var event Event
	if sound && json.Unmarshal(data, &event) == nil {
		e.add(event)
	}
}

// History gives the events on record, or about to be, oldest first.
func (l *Ledger) History() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Event, len(l.events.list))
	for i, e := range l.events.list {
		list[i] = e.Event
	}
	return list
}

// A Past is what the history says of one service.
type Past struct {
	Files   map[string]time.Time // by path: when it got new contents
	Lookups map[string]Written   // by ref
	Well    time.Time            // when its files were up to date, as far as that is told
	Failing time.Time            // since when they are not; zero: they are, as far as that is told
	Failure string               // why not, by the last event
}

// A Written is the version of a lookup that files were last written from.
type Written struct {
	Version string
	Since   time.Time // when they were first
}

// Past gives what the history says of a service. What was before its oldest event is not known.
func (l *Ledger) Past(service string) Past {
	l.mu.Lock()
	defer l.mu.Unlock()
	past := *l.events.past(service)
	past.Files, past.Lookups = maps.Clone(past.Files), maps.Clone(past.Lookups)
	return past
}

// take takes note of the service's next event.
func (p *Past) take(e *Event) {
	switch e.Kind {
	case Changed, RolledBack:
		for _, path := range e.Paths {
			p.Files[path] = e.At
		}
		for _, r := range e.Refs {
			p.Lookups[r.Ref] = Written{r.To, e.At}
		}
		if e.Kind == Changed {
			p.Well, p.Failing, p.Failure = e.At, time.Time{}, ""
		}
	case Well:
		p.Well, p.Failing, p.Failure = e.At, time.Time{}, ""
	case Failed:
		if p.Failing.IsZero() {
			p.Failing = e.At
		}
		p.Failure = e.Failure
	}
}

// Note adds an event. It is durable with the next record.
func (l *Ledger) Note(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events.add(e)
	l.alarm(e)
	l.stale = true
}

// Renewals gives those of a service's refs whose versions are others than when it last wrote files.
func (l *Ledger) Renewals(service string, versions map[string]string) (list []Renewal) {
	was := l.Past(service).Lookups
	for ref, to := range versions {
		if from := was[ref].Version; from != to {
			list = append(list, Renewal{ref, from, to})
		}
	}
	slices.SortFunc(list, func(a, b Renewal) int { return strings.Compare(a.Ref, b.Ref) })
	return list
}
