package sim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
)

// A self is a service as a config has it, with its faults or without.
type self struct {
	conf
	service int
	group   string // of its units, told apart by when they came together; "" before it is in force
}

// A roll has selves by the names of their services: what a config puts in force.
type roll map[string]self

// A flaw is what is wrong with a service of a config.
type flaw int

const (
	sound  flaw = iota
	wrong       // something that concerns the service alone
	unread      // the part of the config that has it cannot be read
)

func (s self) name() string { return s.conf.name(s.service) }

func (s self) number() string { return strconv.Itoa(s.service) }

// has tells whether the service is to keep the files of a unit.
func (s self) has(u unit) bool { return s.home[u] == s.service || s.also[u].has(s.service) }

// isRefused tells whether the check of its files does not pass.
func (s self) isRefused() bool { return services[s.service] == s.refuses }

// of gives the files of a service.
func (w *world) of(s self) (list []spec) {
	for _, f := range w.specs() {
		if s.has(f.unit) {
			list = append(list, f)
		}
	}
	return list
}

// told gives the programs that a service tells.
func (w *world) told(s self) (list []string) {
	for i, name := range programs {
		if s.tells[i].has(s.service) && w.deps[name] != nil {
			list = append(list, name)
		}
	}
	return list
}

// outputs gives what the model knows of a service's files. The caller holds w.mu.
func (w *world) outputs(s self) (list []*output) {
	for _, f := range w.of(s) {
		list = append(list, w.files[f.path])
	}
	return list
}

// keeper gives the service in force that has a file; nil where none has it. The caller holds w.mu.
func (w *world) keeper(f spec) *self {
	for _, s := range w.life.roll {
		if s.has(f.unit) {
			return &s
		}
	}
	return nil
}

// selves gives those of a config whose parts can be read.
func (w *world) selves(c conf) (list []self) {
	for i, name := range services {
		s := self{conf: c, service: i}
		if name != c.without && c.flaws[i] != unread && len(w.of(s)) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// decide gives what a config puts in force, and what it has beside that, as the command does
// (docs/config.md): a service with a fault keeps its old self, or is left out.
func (w *world) decide(c conf, inForce roll) (chosen roll, faulty []watch.Faulty) {
	list := w.selves(c)
	bad := w.claims(list, inForce)
	for _, s := range list {
		if c.flaws[s.service] == wrong {
			bad[s.name()] = true
		}
	}
	for yielded := true; yielded; {
		chosen, yielded = c.kept(list, bad, inForce), false
		for _, s := range list {
			for _, old := range chosen {
				if !bad[s.name()] && w.meet(s, old) {
					bad[s.name()], yielded = true, true
				}
			}
		}
	}
	for i, f := range c.flaws {
		if f == unread {
			faulty = append(faulty, w.unread(i, chosen)...)
		}
	}
	for _, s := range list {
		if !bad[s.name()] {
			chosen[s.name()] = s
			continue
		}
		_, stays := chosen[s.name()]
		faulty = append(faulty, faultOf(s.service, s.name(), stays))
	}
	slices.SortFunc(faulty, func(a, b watch.Faulty) int { return strings.Compare(a.Name(), b.Name()) })
	return chosen, faulty
}

// claims finds services that are to keep one file: both are at fault, but for the one that has it
// in force, against one that has it newly.
func (w *world) claims(list []self, inForce roll) (bad map[string]bool) {
	bad = make(map[string]bool)
	holds := func(s self, u unit) bool { old, known := inForce[s.name()]; return known && old.has(u) }
	for _, s := range list {
		for _, o := range list {
			for _, u := range w.units {
				if s.service != o.service && s.has(u) && o.has(u) && !(holds(s, u) && !holds(o, u)) {
					bad[s.name()] = true
				}
			}
		}
	}
	return bad
}

// meet tells whether two services are to keep one file.
func (w *world) meet(s, o self) bool {
	return slices.ContainsFunc(w.units, func(u unit) bool { return s.has(u) && o.has(u) })
}

// kept gives those in force that stay so: the config has them only with faults, or the part that
// they are from cannot be read.
func (c conf) kept(list []self, bad map[string]bool, inForce roll) roll {
	stay := make(roll)
	for name, old := range inForce {
		listed := slices.ContainsFunc(list, func(s self) bool { return s.name() == name })
		if listed && bad[name] || !listed && c.flaws[old.service] == unread {
			stay[name] = old
		}
	}
	return stay
}

// unread gives what a part of the config has that cannot be read.
func (w *world) unread(service int, chosen roll) (faulty []watch.Faulty) {
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		if chosen[name].service == service {
			faulty = append(faulty, faultOf(service, name, true))
		}
	}
	if len(faulty) == 0 {
		faulty = append(faulty, faultOf(service, "", false))
	}
	return faulty
}

func faultOf(service int, name string, kept bool) watch.Faulty {
	part, instead := fmt.Sprintf("/conf.d/%d.yaml", service), watch.Nothing
	if kept {
		instead = watch.OldSelf
	}
	return watch.Faulty{Service: name, Part: part, Instead: instead, Faults: fault.List{{Place: fault.Place{File: part}, What: "unknown function"}}}
}

// inForce notes what a life has put in force, and hands debts on.
func (w *world) inForce(l *life, r roll, leftOut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.guarding(l, l.roll, r)
	w.alarming(l, r)
	w.sirens.leftOut = leftOut
	if kept := slices.ContainsFunc(slices.Collect(maps.Values(r)), func(s self) bool { return s.has(sites) }); !kept && !leftOut {
		w.strays()
	}
	for _, u := range w.units {
		before := w.holders[u]
		w.follow(u, r)
		for _, f := range w.specs() {
			if f.unit == u && w.holders[u] != before {
				l.late[f.path] = true
			}
		}
	}
	readers := make(map[*output]map[string]bool)
	for name, s := range r {
		s.group = w.group(s)
		r[name] = s
		for _, f := range w.outputs(s) {
			l.had[f.path] = true
			readers[f] = make(map[string]bool)
			for _, program := range w.told(s) {
				readers[f][s.notice(program)] = true
			}
		}
	}
	for _, f := range w.files {
		if l.roll != nil && !maps.Equal(f.readers, readers[f]) {
			for name := range readers[f] {
				l.acknowledge(f, name, -1)
			}
		}
		w.handOn(f, readers[f])
	}
	w.followed(l.roll, r)
	l.roll = r
	w.hand(r)
}

// follow notes where a unit is in force. While the service that had it is left out it stays there:
// nobody is at work on what else that has.
func (w *world) follow(u unit, r roll) {
	holder := w.holders[u]
	for _, s := range r {
		switch {
		case s.has(u):
			holder = s.service
		case s.service == w.holders[u] && holder == s.service:
			holder = -1
		}
	}
	if holder != w.holders[u] {
		w.moves++
		w.holders[u], w.moved[u] = holder, w.moves
	}
}

// group tells apart what services have at different times.
func (w *world) group(s self) string {
	var text []byte
	for _, u := range w.units {
		if s.has(u) {
			text = fmt.Append(text, " ", u, w.moved[u])
		}
	}
	return string(text)
}

func (c conf) isFlawed() bool {
	return c.flaws != [len(services)]flaw{} || c.also != [len(asWritten.home)]set{}
}

// mend takes the faults of its services out of the config. The caller holds w.mu.
func (w *world) mend() {
	w.conf.flaws, w.conf.also = [len(services)]flaw{}, [len(asWritten.home)]set{}
}

// spoil has the config get a fault, or lose one: of a service, of a part that cannot be read, or
// that two services claim one file. The caller holds w.mu.
func (w *world) spoil() {
	c, i := &w.conf, w.chance.IntN(len(services))
	switch w.chance.IntN(5) {
	case 0, 1:
		c.flaws[i] = wrong
	case 2:
		c.flaws[i] = unread
	case 3:
		c.also[w.chance.IntN(len(c.also))] ^= 1 << i
	case 4:
		w.mend()
	}
}
