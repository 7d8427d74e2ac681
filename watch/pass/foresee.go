package pass

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/ledger"
)

// A Foresight is what a pass of a service would do.
type Foresight struct {
	*Service
	Files []Foreseen // those that it would change, in the order of the config
	// Err is why it would change nothing, or what could not be found out.
	Err      error
	Snapshot *sources.Snapshot // that the files were rendered from
	Paused   *Pause            // it changes nothing while it is paused; nil: it is not
	// RolledBack is why this change was put back, and is not tried again before somebody asks; "":
	// it was not.
	RolledBack string
	// HeldUntil is before when it changes nothing; zero: it may now, where the service's gate is
	// open.
	HeldUntil time.Time

	redactor *redact.Redactor
}

// A Foreseen is a file that a pass would change.
type Foreseen struct {
	swap.Difference
	Parts []render.Part // of the content that the template alone does not give
	// Refs are lookups of the file that have other versions than when the service last wrote files.
	Refs   []ledger.Renewal
	Before Before
	Check  command.Check // of the file; the zero Check is none
}

// Before says what is known of a file before a pass, beside what stands there.
type Before int

const (
	Unknown Before = iota // the state directory cannot be read
	Owned                 // it was written by us
	Others                // it was not: what stands there would be backed up
)

// mostOld bounds what is read of a file that would be replaced, in bytes.
const mostOld = 16 << 20

// Foresee says what Run would do now, as far as checks have no say. It changes nothing, runs
// nothing and tells nobody. The service's templates are traced.
func (k *Keeper) Foresee(ctx context.Context, snapshot *sources.Snapshot) Foresight {
	p := &pass{Keeper: k, ctx: ctx, snapshot: snapshot, foresees: true}
	defer p.close()
	f := Foresight{Service: k.service, redactor: k.redactor}
	failed := fault.Caught(func() {
		if f.Err = through(p.await, p.lookUp, p.enter, p.compare, p.judge, p.verifyChanges); f.Err == nil {
			f.Files, f.Err = p.foreseen()
			f.RolledBack, f.HeldUntil = p.waits()
		}
	})
	if failed != nil {
		f.Files, f.Err = nil, failed
	}
	f.Snapshot = p.snapshot
	return f
}

// A Rendered is what the files of a service would hold.
type Rendered struct {
	Foresight // without Files: nothing is compared
	Files     []*render.Rendering
}

// Render renders the service's files. It looks at none that is there. The service's templates are
// traced.
func (k *Keeper) Render(ctx context.Context, snapshot *sources.Snapshot) Rendered {
	p := &pass{Keeper: k, ctx: ctx, snapshot: snapshot, foresees: true}
	r := Rendered{Foresight: Foresight{Service: k.service, redactor: k.redactor}}
	if mistake := fault.Caught(func() { r.Err = through(p.await, p.lookUp) }); mistake != nil {
		r.Err = mistake
	}
	r.Snapshot, r.Files = p.snapshot, p.renderings
	return r
}

// Resolve says what is wrong with the service's files as they would be now: with one after another,
// or else with what must hold of them together. It looks at none that is there. nil: nothing is.
func (k *Keeper) Resolve(ctx context.Context, snapshot *sources.Snapshot) fault.List {
	p := &pass{Keeper: k, ctx: ctx, snapshot: snapshot, foresees: true}
	return k.faultsOf(p.resolve)
}

// faultsOf gives what is wrong, with the service's name where nothing says what it is of.
func (k *Keeper) faultsOf(look func() error) (faults fault.List) {
	var err error
	if mistake := fault.Caught(func() { err = look() }); mistake != nil {
		err = mistake
	}
	for _, e := range FileErrors(err) {
		if e.Fault.Place == (fault.Place{}) {
			e.Fault.What = k.service.Name + ": " + e.Fault.What
		}
		faults = append(faults, e.Fault)
	}
	return faults
}

func (p *pass) resolve() error {
	errs := []error{through(p.await, p.lookUp)}
	content := make(map[string][]byte)
	for _, r := range p.renderings {
		content[r.Path] = r.Content
		if failed := r.Judge(); failed != nil {
			errs = append(errs, &FileError{r.Path, failed})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	errs = []error{p.expandRules()}
	for _, rule := range p.rules {
		for _, f := range rule.Check(func(path string) []byte { return content[path] }, time.Now()) {
			errs = append(errs, &FileError{f.Place.File, f})
		}
	}
	return errors.Join(errs...)
}

// verifyChanges holds what is to be written, if anything is, against the service's rules.
func (p *pass) verifyChanges() error {
	if p.swap.Idle() {
		return nil
	}
	return p.verify()
}

// waits says why nothing changes now: the change was put back, or it is not the time.
func (p *pass) waits() (rolledBack string, until time.Time) {
	if r, _ := p.ledger.Rollout(p.service.Name); len(p.service.Healthy) > 0 && r.Stage.Back() && r.Change == p.change() {
		rolledBack = r.Failure
	}
	if p.service.Hold != nil {
		now := p.wall().Round(0)
		if at := p.service.Hold(now); at.After(now) {
			until = at
		}
	}
	return rolledBack, until
}

// foreseen gives the files that are to be changed.
func (p *pass) foreseen() (list []Foreseen, _ error) {
	differences, err := p.swap.Differences(mostOld)
	renewed := p.event().Refs
	for _, d := range differences {
		if d.Old.Size > mostPreserved && slices.Contains(p.changed, d.Path) && p.before(d.Path) == Others {
			return nil, &FileError{d.Path, notPreserved(d.Path, unix.EFBIG)}
		}
		if d.State == swap.Removed {
			list = append(list, Foreseen{Difference: d, Before: p.before(d.Path)})
			continue
		}
		i := slices.IndexFunc(p.renderings, func(r *render.Rendering) bool { return r.Path == d.Path })
		f := Foreseen{Difference: d, Parts: p.renderings[i].Parts(), Before: p.before(d.Path), Check: p.files[i].Check}
		for _, r := range p.refsOf(i) {
			if at := slices.IndexFunc(renewed, func(n ledger.Renewal) bool { return n.Ref == r.String() }); at >= 0 {
				f.Refs = append(f.Refs, renewed[at])
			}
		}
		list = append(list, f)
	}
	return list, err
}

// refsOf gives the refs of file i, with those of what it is an element of.
func (p *pass) refsOf(i int) []sources.Ref {
	if f := p.files[i]; f.Of != nil {
		return f.Of.Refs()
	}
	return p.files[i].Refs()
}

// before says what is known of a file.
func (p *pass) before(path string) Before {
	switch {
	case p.unread:
		return Unknown
	case p.ledger.Owns(path):
		return Owned
	}
	return Others
}

// Redacted gives a text without the secrets that are recognised in it.
func (f Foresight) Redacted(text string) string {
	return f.redactor.Redact([]byte(text), f.public()...)
}

// Tells tells whether dependents would be told: a file would have new contents.
func (f Foresight) Tells() bool {
	return slices.ContainsFunc(f.Files, func(f Foreseen) bool { return f.State != swap.Drifted })
}
