// Package watch keeps services true: it knows when to look at each again, does the work of a pass
// in its order, and remembers durably which dependents must still be told.
//
// Nothing is remembered as "to do" but notices. A trigger only says: look again. The work compares
// what should be with what is, so whatever interrupted the last pass, the next one does what is
// missing.
package watch

import (
	"slices"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/tell"
)

// A Plan is a config, compiled service by service. It does not change; a new config makes a new
// Plan.
type Plan struct {
	Services []*Service // by name, in order
	Faulty   []Faulty   // what the config has beside them, or otherwise
	Settle   time.Duration
	Source   sources.Source
	Within   time.Duration // for the lookups of one pass; 0: no limit
	// Inputs are everything the plan was made from: config, templates, partials. They are Seen
	// before they were read.
	Inputs []inputs.Input
	// Values is the path of the values file that answers the lookups; "" where none does.
	Values string
}

// A Service is one of a plan's, and when to look at it.
type Service struct {
	pass.Service
	// Settings differs where anything of the service but its templates does.
	Settings    string
	Schedule    cron.Schedule
	Splay       time.Duration // added to every scheduled time on this host
	Jitter      time.Duration // added after a change notice on this host
	MinInterval time.Duration // between two notices to the same dependent; 0: none
	Windows     cron.Windows  // in which those who may be interrupted are told; none: at any time
}

// tellable gives what dependents are told of.
func tellable(services []*Service) []tell.Service {
	list := make([]tell.Service, len(services))
	for i, s := range services {
		list[i] = tell.Service{Name: s.Name, Paths: s.Paths(), Dependents: s.Dependents, MinInterval: s.MinInterval, Windows: s.Windows}
	}
	return list
}

// adopt has the state directory know who reads the files of the plan, and tells whether it has
// something to write for it.
func (p *Plan) adopt(dir *pass.StateDir) bool {
	services := make([]*pass.Service, len(p.Services))
	for i, s := range p.Services {
		services[i] = &s.Service
	}
	leftOut := slices.ContainsFunc(p.Faulty, func(f Faulty) bool { return f.Instead != OldSelf })
	return dir.Adopt(services, !leftOut)
}
