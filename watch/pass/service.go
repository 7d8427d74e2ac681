package pass

import (
	"slices"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

// A Service is some files that are swapped together, and the dependents that read them.
type Service struct {
	Name       string
	Files      []*render.File
	Check      command.Check   // sees all staged files in their places; the zero Check is none
	Verify     []verify.TLS    // what must hold of the files before they are written
	Dependents []notify.Action // told in this order
	// Hold gives the first time from another on at which the files may be written; nil: any.
	Hold func(time.Time) time.Time
	// Gate must succeed for the files to be written, other than back; the zero Check is none.
	Gate command.Check
	// Healthy is what is to be well, once the dependents have been told of a change; none: nobody
	// looks.
	Healthy       []probe.Probe
	HealthyFor    time.Duration // without a break; 0: once
	HealthyWithin time.Duration // of being told; 0 is 30s
	Rollback      Rollback
	Before        command.Check // before the first file of a change is renamed; the zero Check is none
	OnFailure     OnFailure
	After         command.Check // after the change is over, wherever Before was begun
	// Fingerprint differs where anything of the service, its templates included, differs.
	Fingerprint string
	// Group is that of the hosts which make a change of the service a few at a time; "": it waits
	// for no other host. Identity is the same on hosts where all of the service is, its templates
	// included, as it is written.
	Group, Identity string
	// Own are lookups that other hosts of the group do not have: this one's name is in theirs.
	Own []sources.Ref
	// Resumable: the hosts of the group can have a change tried again that was rolled back.
	Resumable bool
	// Taken says why a file for an element of an Each must not be at a path, "is …" what; "": it
	// may. It may be nil.
	Taken func(path string) string
}

// Retried says when a change is tried again that was rolled back, and what somebody does for that.
func (s *Service) Retried() string {
	const then = "it is tried again when it changes"
	switch {
	case s.Group == "":
		return then + ", or at once by  rendered refresh " + s.Name
	case s.Resumable:
		return then + ", or when somebody has resumed it:  rendered fleet resume " + s.Name
	}
	return then
}

// Rollback says when the old files are put back in the place of a change that is not well.
type Rollback string

const (
	// RollbackConfig: where no secret and no SecureString had another version than before: the old
	// credential may be dead.
	RollbackConfig Rollback = "config"
	RollbackNever  Rollback = "never"
	RollbackAlways Rollback = "always"
)

// Refs gives what is known of the service's lookups before a render.
func (s *Service) Refs() []sources.Ref {
	var refs []sources.Ref
	for _, f := range s.Files {
		refs = append(refs, f.Refs()...)
	}
	return refs
}

// Writes tells whether a path is that of one of the files.
func (s *Service) Writes(path string) bool {
	return slices.ContainsFunc(s.Files, func(f *render.File) bool { return f.Path == path })
}

// Paths gives the destinations, sorted. That of a file that stands for others stands for theirs.
func (s *Service) Paths() []string {
	paths := make([]string, len(s.Files))
	for i, f := range s.Files {
		paths[i] = f.Path
	}
	slices.Sort(paths)
	return paths
}

// public gives texts of the service that hold no secret, though a secret may hold a word of theirs.
func (s *Service) public() []string {
	texts := []string{s.Name, s.Check.String(), s.Before.String(), s.After.String(), s.Gate.String()}
	for _, f := range s.Files {
		texts = append(texts, f.Path, f.Check.String(), f.Template.Main.Body)
		if f.Each != nil {
			texts = append(texts, f.Each.Template.Main.Body)
		}
		for _, p := range f.Template.Partials {
			texts = append(texts, p.Body)
		}
	}
	for _, d := range s.Dependents {
		texts = append(texts, d.Name())
	}
	for _, p := range s.Healthy {
		texts = append(texts, p.Name())
	}
	return texts
}
