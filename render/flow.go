package render

import (
	"slices"
	"strings"
)

// What a fault may name. A name or a key that a template wrote down may be shown; one that it computed may hold a secret, in whatever
// form: in capitals, cut, put together. Nothing about the name itself gives that away. So it is known for each call, from the
// template alone, which lookups its arguments may be made of; where one of these gave a secret in this run, they are hidden.

// An origin is what the values of one place of a template may be made of: of a variable, a dot, a call. nil is literals, vars and
// the like, which are no secrets.
type origin struct {
	site   int                // the lookup that gives it; 0 is none
	fields map[string]*origin // of a dict or a list: what stands at each key
	from   []flow
}

// A flow is one way for a value into a place.
type flow struct {
	of   *origin
	path []string // the part of it that is taken, "*" is any; nil is all of it
	how  transfer
}

// A transfer says what becomes of a value on its way.
type transfer int

const (
	taken  transfer = iota // it stays what it is
	parsed                 // a text becomes what it says; the keys in it stay keys
	keyed                  // of a map its keys are taken
	made                   // a function makes something of it; what was a value may be a key now
)

// at gives the flow of a part of the value.
func (f flow) at(path ...string) flow {
	if f.of == nil || len(path) == 0 {
		return f
	}
	return flow{of: &origin{from: []flow{f}}, path: path}
}

// join gives the flow of a value that is any of those, or made of them.
func join(how transfer, flows ...flow) flow {
	o := new(origin)
	for _, f := range flows {
		if f.of == nil {
			continue
		}
		if how != taken {
			f = flow{of: f.at().wrap(), how: how}
		}
		o.from = append(o.from, f)
	}
	if o.from == nil {
		return flow{}
	}
	return flow{of: o}
}

// wrap gives an origin that is the flow's value.
func (f flow) wrap() *origin {
	if len(f.path) == 0 && f.how == taken {
		return f.of
	}
	return &origin{from: []flow{f}}
}

const (
	maxPath  = 16      // names that are followed one after the other; beyond, all of a value counts
	maxPlace = 100_000 // places that are looked at for one call; beyond, every lookup counts
)

// A search finds the lookups that a value may be made of.
type search struct {
	seen  map[place]bool
	found map[int]bool
}

func newSearch() search { return search{make(map[place]bool), make(map[int]bool)} }

// A place is a part of an origin's value, or only the keys of that part.
type place struct {
	of   *origin
	path string // the names, each with a zero byte after it
	keys bool
}

// names gives the names that lead to the part.
func (p place) names() []string {
	names := strings.Split(p.path, "\x00")
	return names[:len(names)-1]
}

// lookups gives the lookups that the flow's value may be made of, or that the keys in it may be. false means that it may be any.
func (f flow) lookups(keys bool) (map[int]bool, bool) {
	s := newSearch()
	s.follow(f, nil, keys)
	return s.found, len(s.seen) < maxPlace
}

// follow goes one flow back, from a part of what it leads to.
func (s *search) follow(f flow, path []string, keys bool) {
	switch f.how {
	case taken:
		path = slices.Concat(f.path, path)
	case parsed:
		path = nil
	case keyed:
		path, keys = nil, true
	case made:
		path, keys = nil, false
	}
	if len(path) > maxPath {
		path, keys = path[:maxPath], false
	}
	s.visit(f.of, path, keys)
}

func (s *search) visit(o *origin, path []string, keys bool) {
	if o == nil {
		return
	}
	at := place{of: o, keys: keys}
	for _, name := range path {
		at.path += name + "\x00"
	}
	if s.seen[at] || len(s.seen) >= maxPlace {
		return
	}
	s.seen[at] = true
	if o.site != 0 && !keys { // the keys of what is looked up are names
		s.found[o.site] = true
	}
	for name, field := range o.fields {
		switch {
		case len(path) == 0 && keys: // of a dict that the template writes down
		case len(path) == 0:
			s.visit(field, nil, false)
		case path[0] == name || path[0] == "*":
			s.visit(field, path[1:], keys)
		}
	}
	for _, f := range o.from {
		s.follow(f, path, keys)
	}
}
