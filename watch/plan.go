// Package watch keeps services true: it knows when to look at each again, does the work of a pass in its order, and remembers
// durably which dependents must still be told.
//
// Nothing is remembered as "to do" but notices. A trigger only says: look again. The work compares what should be with what
// is, so whatever interrupted the last pass, the next one does what is missing.
package watch

import (
	"slices"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/notify"
)

// A Plan is a config, compiled whole. It does not change; a new config makes a new Plan.
type Plan struct {
	Services []*Service // by name, in order
	Settle   time.Duration
	Source   sources.Source
	Within   time.Duration    // for the lookups of one pass; 0: no limit
	Inputs   []inputs.Input   // everything the plan was made from: config, templates, partials; Seen before they were read
	Redactor *redact.Redactor // takes secrets out of what commands print, the same for all plans of a process; nil: that is withheld
	Values   string           // path of the values file that answers the lookups; "" where none does
}

// A Service is some files and the dependents that read them.
type Service struct {
	Name        string
	Schedule    cron.Schedule
	Splay       time.Duration // added to every scheduled time on this host
	Jitter      time.Duration // added after a change notice on this host
	Files       []*render.File
	Check       command.Check   // sees all staged files in their places; the zero Check is none
	Verify      []verify.TLS    // what must hold of the files before they are written
	Dependents  []notify.Action // told in this order
	MinInterval time.Duration   // between two notices to the same dependent; 0: none
	Fingerprint string          // differs where anything of the service, its templates included, differs
}

// Refs gives what is known of the service's lookups before a render.
func (s *Service) Refs() []sources.Ref {
	var refs []sources.Ref
	for _, f := range s.Files {
		refs = append(refs, f.Template.Refs()...)
	}
	return refs
}

// has tells whether a path is a destination.
func (s *Service) has(path string) bool {
	return slices.ContainsFunc(s.Files, func(f *render.File) bool { return f.Path == path })
}

// paths gives the destinations, sorted.
func (s *Service) paths() []string {
	paths := make([]string, len(s.Files))
	for i, f := range s.Files {
		paths[i] = f.Path
	}
	slices.Sort(paths)
	return paths
}
