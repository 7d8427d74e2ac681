package pass

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// While a change is rejected the files are to be what they were before it. What they held then is
// kept until then, and what somebody else makes of them, or a boot, is put right.

// uphold keeps the files as they were before a change that is rejected.
func (p *pass) uphold(r ledger.Rollout) error {
	old, err := p.former(r)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
		return cmp.Or(p.unkept(r, err), p.service.rolledBack(r))
	}
	if err != nil { // it may be there the next time
		return err
	}
	if err := p.wishOld(old); err != nil {
		return err
	}
	if p.swap.Idle() {
		return cmp.Or(p.ascertain(), p.service.rolledBack(r))
	}
	if p.reverting = true; len(p.changed) > 0 { // to be told, and to be seen to be well once more
		r.Stage, r.Since = ledger.Reverted, p.now.Round(0).UTC()
		p.next = &r
	}
	if err := through(p.contested, p.held, p.gated, p.stage, p.check, p.drain, p.begin, p.commit, p.ascertain); err != nil {
		return err
	}
	p.swap.Files(func(path string, state swap.State) {
		p.out.Files = append(p.out.Files, FileOutcome{Path: path, State: state, Restored: state != swap.Same})
	})
	return p.service.rolledBack(r)
}

// wishOld has the files be what they were, and compares that with what is there. What was not there
// is nobody's now: who has made it since keeps it.
func (p *pass) wishOld(old []swap.Target) error {
	targets := slices.DeleteFunc(p.targets(), func(t swap.Target) bool {
		return slices.ContainsFunc(old, func(o swap.Target) bool { return o.Path == t.Path })
	})
	for _, t := range old {
		if t.Gone == swap.Remove {
			continue
		}
		p.asConfigured(&t)
		targets = append(targets, t)
	}
	if err := p.swap.Close(); err != nil {
		return err
	}
	p.wished = targets
	var err error
	if p.swap, err = p.machine.Compare(targets); err != nil {
		return err
	}
	p.changed = p.swap.Changed()
	return nil
}

// asConfigured leaves the owner and the mode of a file that is there to others where the config
// does, and has the redactor know what the file held.
func (p *pass) asConfigured(t *swap.Target) {
	const others = 0o004
	for i, c := range p.renderings {
		if c.Path != t.Path {
			continue
		}
		if p.wasThere(t.Path) {
			t.KeepMode = c.KeepMode
			if c.UID == swap.Keep {
				t.UID = swap.Keep
			}
			if c.GID == swap.Keep {
				t.GID = swap.Keep
			}
		}
		if f := p.files[i]; t.Mode&others == 0 || f.Of != nil || len(f.Template.Lookups()) > 0 {
			p.redactor.LearnOld(t.Content, c.Content)
		}
	}
}

// unkept says that a file is another than before the change, and that what it was is lost; nil:
// none is.
func (p *pass) unkept(r ledger.Rollout, why error) error {
	for _, old := range r.Old {
		if old.Name == "" {
			continue
		}
		was, err := p.swap.FormerOf(old.Path, mostPreserved)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || p.machine.Key.Digest(old.Path, was.Content) != old.Digest {
			return &FileError{old.Path, &fault.Fault{
				Place: fault.Place{File: old.Path}, Err: why,
				What:  fmt.Sprintf("somebody else has changed it since it was rolled back, and what it held cannot be put back: %v", why),
				Hints: []string{p.service.Retried()},
			}}
		}
	}
	return p.ascertain()
}

// ascertain makes the files certain where it was not known whether they match: neither is what was
// renamed before, nor whether its names are durable, and what is told must be.
func (p *pass) ascertain() error {
	paths := p.service.Paths()
	if p.service.hasSets() { // one that joins a set may be on record as nobody's
		for _, r := range p.renderings {
			paths = append(paths, r.Path)
		}
	}
	if p.matched && (!p.service.hasSets() || !p.ledger.Unsure(paths)) {
		return nil
	}
	if err := p.swap.SyncAll(); err != nil {
		return err
	}
	p.matched = true
	p.ledger.Compared(paths)
	p.ledger.Finished(p.service.Paths())
	return nil
}
