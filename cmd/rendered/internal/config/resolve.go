package config

import (
	"fmt"
	"slices"

	"github.com/rendered/rendered/internal/fault"
)

// All gives everything that is wrong, by place.
func (c *Config) All() fault.List {
	list := slices.Clone(c.Faults)
	for _, p := range c.Parts {
		list = append(list, p.Faults...)
	}
	for i := range c.Services {
		list = append(list, c.Services[i].Faults...)
	}
	list.Sort()
	return list.Unique() // that of a part is that of its services, too
}

// Leave leaves out what a part of the config says, for a reason why it must not be heeded.
func (c *Config) Leave(path string, why fault.List) {
	c.fail(path, why)
	c.Services = slices.DeleteFunc(c.Services, func(s Service) bool { return s.Place.File == path })
}

// Resolve finds what is wrong between services: two claim one name or one path. Both are at fault,
// but for one that has it in force, against a newcomer. It gives those of the services in force
// that stay so, as the config has them only with faults or in a part that cannot be read. It is
// called once, when all other faults of the services are known.
func (c *Config) Resolve(inForce []*Service) (kept []*Service) {
	t := resolution{Config: c, old: make(map[string]*Service), named: make(map[string][]*Service), broken: make(map[string]bool), newcomers: make(map[*Service]bool)}
	for _, s := range inForce {
		t.old[s.Name] = s
	}
	for i := range c.Services {
		s := &c.Services[i]
		t.named[s.Name] = append(t.named[s.Name], s)
	}
	for _, p := range c.Parts {
		t.broken[p.Path] = true
	}
	t.names()
	all := t.services()
	for _, x := range conflicts(all, claimsOf(all)) {
		t.judge(x)
	}
	for {
		kept = t.kept(inForce)
		if !t.yield(kept) {
			break
		}
	}
	for _, s := range kept {
		for _, d := range s.writes {
			if what := c.reserved[d.real]; what != "" {
				c.Faults = append(c.Faults, &fault.Fault{Place: fault.Place{File: d.path}, What: fmt.Sprintf("it is %s, and service %q, which keeps its old self, writes it", what, s.Name)})
			}
		}
	}
	return kept
}

// A resolution is what Resolve works with.
type resolution struct {
	*Config
	old       map[string]*Service   // in force, by name
	named     map[string][]*Service // by name
	broken    map[string]bool       // parts
	newcomers map[*Service]bool     // another of their name has what is in force under it
}

func (t *resolution) services() []*Service {
	list := make([]*Service, len(t.Services))
	for i := range t.Services {
		list[i] = &t.Services[i]
	}
	return list
}

// names finds services of one name. That in force goes on in the file that it stood in.
func (t *resolution) names() {
	for name, list := range t.named {
		old := t.old[name]
		var heirs []*Service
		for _, s := range list {
			if old != nil && old.Place.File == s.Place.File {
				heirs = append(heirs, s)
			}
		}
		for i, s := range list {
			what := ""
			switch {
			case len(heirs) == 1 && s == heirs[0]:
				continue
			case len(list) > 1:
				what = fmt.Sprintf("service %q is defined twice; the other is at %s", short(name), list[(i+1)%len(list)].Place)
			case old != nil && t.broken[old.Place.File]:
				what = fmt.Sprintf("service %q is in force from %s, which cannot be used: it may be there, too", short(name), old.Place.File)
			default:
				continue
			}
			t.newcomers[s] = true
			t.faulty(s, s.Place, "", what)
		}
	}
}

// kept gives the services whose old selves stay in force.
func (t *resolution) kept(inForce []*Service) (list []*Service) {
	good := func(s *Service) bool { return len(s.Faults) == 0 }
	for _, old := range inForce {
		now := t.named[old.Name]
		if len(now) == 0 && t.broken[old.Place.File] || len(now) > 0 && !slices.ContainsFunc(now, good) {
			list = append(list, old)
		}
	}
	return list
}

// judge finds who is at fault where a file that a service writes conflicts with what another has.
// It does not matter whether they have other faults, too.
func (t *resolution) judge(x conflict) {
	writer, other := t.holdsWrite(x.writer, x.write), t.holdsOther(x)
	newcomer := writer && !other && x.writer != x.other // the other is
	if !newcomer {
		x.blameWriter(t.Config)
	}
	if newcomer || writer == other && x.kind != besideTemplates {
		x.blameOther(t.Config)
	}
}

// inForce gives the old self of a service; nil where it has none.
func (t *resolution) inForce(s *Service) *Service {
	if t.newcomers[s] {
		return nil
	}
	return t.old[s.Name]
}

func (t *resolution) holdsWrite(s *Service, w destination) bool {
	old := t.inForce(s)
	return old != nil && slices.ContainsFunc(old.writes, func(d destination) bool { return d.real == w.real })
}

// holdsOther tells whether the other of a conflict has its side of it in force.
func (t *resolution) holdsOther(x conflict) bool {
	if x.kind == sameFile || x.kind == above {
		return t.holdsWrite(x.other, x.theirs)
	}
	old := t.inForce(x.other)
	return old != nil && slices.ContainsFunc(old.reads, func(r reading) bool {
		return r.path == x.reads.path || x.kind == besideTemplates && r.dir == x.reads.dir
	})
}

// yield has services without faults be at fault where they conflict with what those have that stay
// in force. It reports whether there are any.
func (t *resolution) yield(kept []*Service) bool {
	var good []*Service
	for _, s := range t.services() {
		if len(s.Faults) == 0 {
			good = append(good, s)
		}
	}
	found := false
	for _, x := range conflicts(good, claimsOf(kept)) {
		if x.kind == sameFile || x.kind == above { // templates of those that stay are read
			x.stays = oldSelf
			x.blameWriter(t.Config)
			found = true
		}
	}
	for _, x := range conflicts(kept, claimsOf(good)) {
		x.stays = oldSelf
		x.blameOther(t.Config)
		found = true
	}
	return found
}
