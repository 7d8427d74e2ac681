package sim

import "slices"

// A unit is what of a config moves from one service to another as a whole. Each has directories of its own: two services that are at work
// on one directory would be one actor to world.pause.
type unit int

const (
	env unit = iota
	pair
	twinB
	twinA
)

// services are what may keep files, and others what each is called after it got another name.
var (
	services = [...]string{"app", "site", "twin"}
	others   = [...]string{"worker-app", "www", "both"}
	programs = [...]string{"worker", "nginx", "haproxy", "pooler"}
)

// A layout says which service has which files, which programs it tells, and what it is called.
type layout struct {
	other [len(services)]bool // the service goes by its other name
	home  [4]int              // by unit: the service that has its files
	moved [4]int              // by unit: as the how-manieth it moved, 0: never
	tells [len(programs)]int  // by program: the service that tells it
}

var asWritten = layout{home: [4]int{0, 1, 2, 2}, tells: [4]int{0, 1, 1, 2}}

// name gives what a service is called.
func (l layout) name(service int) string {
	if l.other[service] {
		return others[service]
	}
	return services[service]
}

// of gives the files that a service has in a config.
func (w *world) of(c conf, service int) (list []spec) {
	for _, s := range w.specs() {
		if c.home[s.unit] == service && services[service] != c.without {
			list = append(list, s)
		}
	}
	return list
}

// told gives the programs that a service tells in a config.
func (w *world) told(c conf, service int) (list []string) {
	for i, name := range programs {
		if c.tells[i] == service && w.deps[name] != nil {
			list = append(list, name)
		}
	}
	return list
}

// isRefused tells whether the check of the file's service does not pass.
func (c conf) isRefused(s spec) bool { return services[c.home[s.unit]] == c.refuses }

// move changes the layout: a service gets another name, or its former one back; a unit goes to another service, with a program that reads
// it or without; a program does; or all is as it once was. The caller holds w.mu.
func (w *world) move() {
	c := &w.conf
	w.moves++
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
			c.home[u], c.moved[u] = to, w.moves
		}
		if readers := w.told(*c, from); with > 0 && len(readers) > 0 {
			c.tells[slices.Index(programs[:], readers[w.chance.IntN(len(readers))])] = to
		}
	case 5:
		for u, home := range asWritten.home {
			if c.home[u] != home {
				c.home[u], c.moved[u] = home, w.moves
			}
		}
		c.other, c.tells = asWritten.other, asWritten.tells
	}
}
