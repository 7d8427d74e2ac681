package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch"
)

// In half of the seeds somebody is to hear of the failures of services, by on_failure.

// alarms tells whether somebody is to hear of failures in this seed.
func (w *world) alarms() bool { return w.rolls() || w.seed%4 == 3 }

// A siren is what the model knows of who hears of failures.
type siren struct {
	mute    int                // so many times more nobody hears
	heard   map[string]int     // by failure: how often it was said
	again   map[string]int     // and since the trouble ceased
	owed    map[string]trouble // by service, as the last record has it
	noted   map[string]bool    // failures that a record has
	since   map[string]time.Time
	leftOut bool // the plan in force has not all services
}

// A trouble is a failure that a record has.
type trouble struct {
	At       time.Time
	Kind     string
	Stays    bool
	Services []string
	Service  string   // of whoever is told of it
	paths    []string // of the service that it is owed of
}

func (t trouble) id() string { return t.At.UTC().Format(time.RFC3339Nano) + " " + t.Kind }

// isTrouble tells whether somebody is to hear of it, as docs/rollouts.md has it.
func (t trouble) isTrouble() bool {
	switch t.Kind {
	case "failed", "refused", "rolled-back":
		return true
	}
	return t.Kind == "unhealthy" && t.Stays
}

// alarm has somebody hear of a service's failures.
func (w *world) alarm(s self, svc *watch.Service) {
	if s.alarm {
		svc.OnFailure.Run.Args = []string{"alarm", s.number()}
	}
}

// alarming notes who is to hear of failures when others may be in force. The caller holds w.mu.
func (w *world) alarming(l *life, now roll) {
	since := make(map[string]time.Time)
	for name, s := range now {
		if !s.alarm {
			continue
		}
		switch was, before := w.sirens.since[name]; {
		case l.roll == nil:
			since[name] = time.Time{} // before any pass
		case before:
			since[name] = was
		default:
			since[name] = time.Now()
		}
	}
	w.sirens.since = since
}

// mute has nobody hear of failures for some time, and the config say so, or not.
func (w *world) mute() {
	w.mu.Lock()
	reloads := w.chance.IntN(3) == 0
	if reloads {
		w.conf.alarm = !w.conf.alarm
	} else {
		w.sirens.mute = w.chance.IntN(6)
	}
	w.trace.note(w.began, "alarms %v, %d are not heard", w.conf.alarm, w.sirens.mute)
	w.mu.Unlock()
	if reloads {
		w.life.loop.Reload()
	}
}

// hear is what on_failure does. The caller holds w.mu.
func (w *world) hear(environment []string) error {
	var t trouble
	for _, text := range environment {
		if document, is := strings.CutPrefix(text, "RENDERED_EVENT="); is {
			if err := json.Unmarshal([]byte(document), &t); err != nil {
				w.fail("on_failure is told %s: %v", document, err)
			}
			if strings.Contains(document, canary) {
				w.fail("on_failure is told a value: %s", document)
			}
		}
	}
	if t.Stays = true; !t.isTrouble() {
		w.fail("on_failure is told of what is %q", t.Kind)
	}
	if w.sirens.mute > 0 {
		w.sirens.mute--
		return errRefused
	}
	w.sirens.heard[t.id()]++
	if !w.ceased {
		return nil
	}
	// What was said may not be on record since the trouble.
	id := t.Service + " " + t.id()
	if w.sirens.again[id]++; w.sirens.again[id] > 2 {
		w.fail("on_failure is told %d times that %s is %s", w.sirens.again[id], t.Service, t.Kind)
	}
	return nil
}

// judgeAlarms looks at a record that was written: a failure is owed to who is to hear of it in the
// same record, until it was said, or another one is. The caller holds w.mu.
func (w *world) judgeAlarms(record string) {
	if !w.alarms() {
		return
	}
	sirens := &w.sirens
	was := sirens.owed
	events := w.troubles(record)
	if w.life == nil || w.life.dead || w.harmed > 0 || w.liar() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(sirens.owed)) {
		if t := sirens.owed[name]; !t.isTrouble() {
			w.fail("%s: that it is %s is owed", name, t.Kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		t := was[name]
		at := slices.IndexFunc(events, func(e trouble) bool { return e.id() == t.id() })
		said := func(e trouble) bool { return sirens.heard[e.id()] > 0 && slices.Contains(e.Services, name) }
		if at < 0 || sirens.heard[t.id()] > 0 || slices.ContainsFunc(events[at:], said) || w.isMoot(name, t) {
			continue // or one that came after it was
		}
		w.fail("that %s is %s, at %v, is not owed any more, and was not said", name, t.Kind, t.At)
	}
	last := make(map[string]trouble)
	for _, e := range events {
		for _, name := range e.Services {
			if since, hears := sirens.since[name]; hears && !sirens.noted[e.id()] && time.Since(since) > unsure {
				last[name] = e
			}
		}
	}
	for _, e := range events {
		sirens.noted[e.id()] = true
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		if e := last[name]; sirens.owed[name].id() != e.id() && sirens.heard[e.id()] == 0 {
			w.fail("that %s is %s, at %v, is on record, and not owed", name, e.Kind, e.At)
		}
	}
}

// unsure is how long after a reload a record may have what was noted before it.
const unsure = 3 * time.Minute

// isMoot tells whether nobody is to hear of a trouble any more that was owed of a service: another
// came after it, or the config has nobody who is to. The caller holds w.mu.
func (w *world) isMoot(name string, t trouble) bool {
	owed := w.sirens.owed
	if _, owes := owed[name]; owes {
		return true
	}
	if s, there := w.life.roll[name]; there {
		return !s.alarm
	}
	heirs := 0
	for heir, s := range w.life.roll {
		if !slices.ContainsFunc(w.paths(s), func(path string) bool { return slices.Contains(t.paths, path) }) {
			continue
		}
		heirs++
		if _, owes := owed[heir]; owes || !s.alarm {
			return true
		}
	}
	return heirs == 0 && !w.sirens.leftOut
}

// tellsTrouble tells whether a line may have a failure: to read all of them takes long.
func tellsTrouble(line string) bool {
	return slices.ContainsFunc([]string{`"failed"`, `"refused"`, `"rolled-back"`, `"unhealthy"`}, func(kind string) bool { return strings.Contains(line, kind) })
}

// troubles notes what a record has owed, and gives the failures that its history has.
func (w *world) troubles(record string) (events []trouble) {
	owed := make(map[string]trouble)
	for line := range strings.Lines(record) {
		_, data, _ := strings.Cut(line, " ")
		switch line[0] {
		case '#':
			var t trouble
			if tellsTrouble(line) && json.Unmarshal([]byte(data), &t) == nil && t.isTrouble() {
				events = append(events, t)
			}
		case '%':
			var r struct {
				Service string
				Paths   []string
				Trouble *trouble
			}
			if strings.Contains(line, `"trouble"`) && json.Unmarshal([]byte(data), &r) == nil && r.Trouble != nil {
				r.Trouble.paths = r.Paths
				owed[r.Service] = *r.Trouble
			}
		}
	}
	w.sirens.owed = owed
	return events
}

// judgeSaid wants every failure of a service in force to be said at last. The caller holds w.mu.
func (w *world) judgeSaid() {
	for name, s := range w.life.roll {
		if t, owed := w.sirens.owed[name]; owed && s.alarm {
			w.fail("that %s is %s, at %v, is not said at last", name, t.Kind, t.At)
		}
	}
}
