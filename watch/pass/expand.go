package pass

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
)

// Which files a service has is decided here: one of the config that has an Each stands for a file
// for each of its elements. All later stages have to do with files alone, and with what is gone.

// hasSets tells whether a file of the service stands for others.
func (s *Service) hasSets() bool { return slices.ContainsFunc(s.Files, (*render.File).IsEach) }

// expand gives the files that are to be, and what was asked for to know them.
func (p *pass) expand() (files []*render.File, asked []sources.Ref, errs []error) {
	if !p.service.hasSets() {
		return p.service.Files, nil, nil
	}
	at := make(map[string]string) // the file of the config that gives each path
	for _, f := range p.service.Files {
		if !f.IsEach() {
			at[f.Path] = f.Path
		}
	}
	for _, f := range p.service.Files {
		list, refs, faults := f.Expand(p.ctx, p.snapshot)
		asked = append(asked, refs...)
		for _, failed := range faults {
			failed.Hints = slices.Concat(failed.Hints, unseen(failed))
			errs = append(errs, &FileError{f.Path, failed})
		}
		if !f.IsEach() {
			files = append(files, f)
			continue
		}
		for _, one := range list {
			if what := p.refuse(one, at); what != "" {
				errs = append(errs, &FileError{f.Path, &fault.Fault{
					Place: fault.Place{File: f.Path}, What: fmt.Sprintf("for the key %s: %s %s", render.ShownKey(one.Key()), one.Path, what),
					Hints: []string{"two files cannot have one path; give the key, or one of the files, another name"},
				}})
				continue
			}
			at[one.Path] = f.Path
			files = append(files, one)
		}
	}
	return files, asked, errs
}

// refuse says why a file of an Each must not be where it would be; "": it may.
func (p *pass) refuse(f *render.File, at map[string]string) string {
	switch other := at[f.Path]; {
	case other == f.Path:
		return "is written by another file of the service, too"
	case other != "":
		return "is made by " + other + ", too"
	case p.service.Taken == nil || p.free[f.Path]:
		return ""
	}
	if what := p.service.Taken(f.Path); what != "" {
		return what
	}
	p.free[f.Path] = true
	return ""
}

// enter says what the files are to be that the rendering gave, and which of the former ones are
// gone, to the ledger and to the later stages.
func (p *pass) enter() error {
	p.rules = p.service.Verify
	if !p.service.hasSets() {
		return nil
	}
	if failed := p.expandRules(); failed != nil {
		return failed
	}
	var errs []error
	for _, f := range p.service.Files {
		if !f.IsEach() {
			continue
		}
		var paths []string
		for _, one := range p.files {
			if one.Of == f {
				paths = append(paths, one.Path)
			}
		}
		if of, other := p.ledger.Want(f.Path, paths); of != "" {
			errs = append(errs, &FileError{f.Path, &fault.Fault{
				Place: fault.Place{File: f.Path}, What: fmt.Sprintf("%s is made by %s of another service, too", of, other),
				Hints: []string{"two files cannot have one path; it is tried again by itself"},
			}})
			continue
		}
		if failed := p.part(f, len(paths)); failed != nil {
			errs = append(errs, failed)
		}
	}
	return errors.Join(errs...)
}

// part notes what becomes of the files that a set is not to have any more.
func (p *pass) part(f *render.File, wanted int) error {
	leaving := 0
	for _, m := range p.ledger.Gone(f.Path) {
		if m.Standing == ledger.Removed && p.rollout.Restores(m.Path) {
			p.gone = append(p.gone, swap.Target{Path: m.Path, Gone: swap.Remove})
		}
		if m.Standing == ledger.Removed || p.service.Taken != nil && p.service.Taken(m.Path) != "" {
			continue
		}
		t := swap.Target{Path: m.Path, Gone: swap.Leave}
		if f.Each.Remove {
			t.Gone = swap.Remove
			leaving++
		}
		p.leaving = append(p.leaving, leave{t, f.Path, m.Standing == ledger.Kept})
	}
	if wanted > 0 || leaving == 0 || f.AllowEmpty {
		return nil
	}
	return &FileError{f.Path, &fault.Fault{
		Place: fault.Place{File: f.Path}, What: "each: gives no key any more, and gone: remove would take away " + all(leaving),
		Hints: []string{"allow_empty: true lets it"},
	}}
}

// all says how many files all of them are.
func all(n int) string {
	if n == 1 {
		return "the only file"
	}
	return fmt.Sprintf("all %d files", n)
}

// A leave is a file that a set is not to have any more.
type leave struct {
	swap.Target
	of   string // the set
	kept bool   // that it stays is known
}

// isKept tells whether it is known that a file stays though it is not wanted any more.
func (p *pass) isKept(path string) bool {
	return slices.ContainsFunc(p.leaving, func(l leave) bool { return l.Path == path && l.kept })
}

// expandRules gives each rule of files that stand for others for the files of each key.
func (p *pass) expandRules() error {
	p.rules = nil
	var errs []error
	for _, rule := range p.service.Verify {
		if !strings.Contains(rule.Cert+rule.Key, "*") {
			p.rules = append(p.rules, rule)
			continue
		}
		keys := make(map[string]verify.TLS)
		for _, path := range []string{rule.Cert, rule.Key} {
			for _, f := range p.files {
				if f.Of != nil && f.Of.Path == path {
					keys[f.Key()] = rule
				}
			}
		}
		for _, f := range p.files {
			for key, one := range keys {
				if f.Of == nil || f.Key() != key {
					continue
				}
				if f.Of.Path == rule.Cert {
					one.Cert = f.Path
				}
				if f.Of.Path == rule.Key {
					one.Key = f.Path
				}
				keys[key] = one
			}
		}
		list, failed := complete(keys)
		p.rules = append(p.rules, list...)
		errs = append(errs, failed...)
	}
	return errors.Join(errs...)
}

// complete gives the rules of keys, and says which have a certificate without a key, or a key
// without a certificate.
func complete(keys map[string]verify.TLS) (list []verify.TLS, errs []error) {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		rule := keys[key]
		missing := ""
		for _, path := range rule.Paths() {
			if strings.Contains(path, "*") {
				missing = path
			}
		}
		if missing == "" {
			list = append(list, rule)
			continue
		}
		errs = append(errs, &FileError{missing, &fault.Fault{
			Place: fault.Place{File: missing}, What: fmt.Sprintf("verify.tls: it has no file for the key %s", render.ShownKey(key)),
			Hints: []string{"each: of the certificate and each: of its key have the same keys"},
		}})
	}
	return list, errs
}

// sweepNew takes away what earlier processes left beside files that were not known before.
func (p *pass) sweepNew() error {
	if !p.swept || !p.service.hasSets() {
		return nil
	}
	var paths []string
	for _, f := range p.files {
		if f.Of != nil && filepath.Dir(f.Path) != filepath.Dir(f.Of.Path) {
			paths = append(paths, f.Path)
		}
	}
	return p.machine.Sweep(paths, p.recorded)
}

// takesOver tells whether a file that is to be swapped is on record with a swap that no pass of the
// service could finish, as the ledger had lost which files the set has: its temporary may be there.
func (p *pass) takesOver() bool {
	if !p.service.hasSets() {
		return false
	}
	known := p.ledger.Expand(p.service.Paths())
	return slices.ContainsFunc(p.swap.Renames(), func(r swap.Rename) bool {
		return !slices.Contains(known, r.Path) && len(p.ledger.Unfinished([]string{r.Path})) > 0
	})
}

// settleSets has the ledger know which files the sets have.
func (p *pass) settleSets() {
	if !p.service.hasSets() {
		return
	}
	kept := make(map[string][]string)
	p.swap.Files(func(path string, state swap.State) {
		for _, l := range p.leaving {
			if state == swap.Left && l.Path == path {
				kept[l.of] = append(kept[l.of], path)
			}
		}
	})
	for _, f := range p.service.Files {
		if f.IsEach() {
			p.ledger.Settle(f.Path, kept[f.Path])
		}
	}
}
