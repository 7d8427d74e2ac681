package sim

import "slices"

// A unit is what of a config moves from one service to another as a whole.
type unit int

const (
	env unit = iota
	pair
	twinB
	twinA
	sites
)

// services are what may keep files, and others what each is called after it got another name.
var (
	services = [...]string{"app", "site", "twin"}
	others   = [...]string{"worker-app", "www", "both"}
	programs = [...]string{"worker", "nginx", "haproxy", "pooler", "proxy"}
)

// A layout says which service has which files, which programs it tells, and what it is called.
type layout struct {
	other [len(services)]bool // the service goes by its other name
	home  [5]int              // by unit: the service that has its files
	tells [len(programs)]set  // by program: the services that tell it
}

// A set is one of services, a bit each.
type set uint8

func (s set) has(service int) bool { return s&(1<<service) != 0 }

// asWritten has a program that each service tells, and those that one does.
var asWritten = layout{home: [5]int{0, 1, 2, 2, 0}, tells: [5]set{1, 2, 2, 4, 7}}

// name gives what a service is called.
func (l layout) name(service int) string {
	if l.other[service] {
		return others[service]
	}
	return services[service]
}

// move changes the layout: a service gets another name, or its former one back; a unit goes to
// another service, with a program that reads it or without; a program does; or all is as it once
// was. The caller holds w.mu.
func (w *world) move() {
	c := &w.conf
	switch w.chance.IntN(6) {
	case 0, 1:
		n := w.chance.IntN(len(services))
		c.other[n] = !c.other[n]
	case 2, 3, 4:
		u, to := w.chance.IntN(len(c.home)), w.chance.IntN(len(services))
		from := c.home[u]
		if to == from {
			to = (to + 1) % len(services)
		}
		with := w.chance.IntN(3)
		if with < 2 {
			c.home[u] = to
		}
		if readers := w.told(self{conf: *c, service: from}); with > 0 && len(readers) > 0 {
			moved := &c.tells[slices.Index(programs[:], readers[w.chance.IntN(len(readers))])]
			*moved = *moved&^(1<<from) | 1<<to
		}
	case 5:
		c.layout = asWritten
	}
}
