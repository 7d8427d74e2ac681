package pass

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// A Fleet has the services of many hosts make one change a few at a time. Its methods are called by
// several goroutines.
type Fleet interface {
	// Turn gives why it is not the turn of a service; nil: it is, for one try.
	Turn(Wanted) *Hold
	// Tells gives why a service may not tell its dependents yet what it has written in an earlier
	// life of the process; nil: it may.
	Tells(service string) *Hold
	// Begin returns when the service may swap its files at once; else the error says why it has no
	// turn any more, or is that of ctx.
	Begin(ctx context.Context, service string) error
	// Ended is called when a pass that had its turn has ended, and says whether the files were
	// swapped.
	Ended(service string, swapped bool)
	// Has says what a service is by now, and that it wants nothing else.
	Has(Wanted)
	// Rests says that a service has ended a pass without any of these, or has none for now.
	Rests(service string)
	// Bake gives for how long a service is to stay well, as it goes first with its change; 0: it
	// does not.
	Bake(service string) time.Duration
	// Stands says how a service stands that has no pass at work.
	Stands(Standing)
}

// A Wanted is a change that a service wants to make. Its name is the same on every host.
type Wanted struct {
	Service, Change string
	Ill             bool              // the service is not well as it is
	Versions        map[string]string // of what its files are made of
}

// A Standing is how a service stands with its last change.
type Standing struct {
	Service string
	Stage   Stage
	Owed    bool // somebody is yet to be told
	Failure string
	Failing bool // not even the old files are well, or nobody takes the notice
	Probed  bool // somebody looks whether it is well
}

// turn ends the pass before anything is staged, where it is not the turn of the service in its
// fleet.
func (p *pass) turn() error {
	if !p.inFleet() || p.inTurn || !slices.ContainsFunc(p.changed, p.wasThere) {
		return nil // a host that joins waits for nobody
	}
	p.spoke = true
	if hold := p.fleet.Turn(p.wanted()); hold != nil {
		hold.Paths = p.swap.Changed()
		p.out.Held = hold
		return errHeld
	}
	p.inTurn = true
	return nil
}

func (p *pass) inFleet() bool { return p.fleet != nil && p.service.Group != "" && !p.foresees }

func (p *pass) wanted() Wanted {
	return Wanted{
		Service: p.service.Name, Change: p.fleetChange(), Ill: p.rollout.Stage == ledger.Unwell,
		Versions: p.versions(),
	}
}

// versions gives the versions of the lookups that are known before a render: the names of others
// may hold secrets, or what is this host's alone.
func (p *pass) versions() map[string]string {
	versions := make(map[string]string)
	for _, r := range p.service.Refs() {
		if version, read := p.snapshot.Version(r); read && version != "" {
			versions[r.String()] = version
		}
	}
	return versions
}

// changeAlgorithm begins the names of changes: daemons that name them by another do not take them
// for each other's.
const changeAlgorithm = "1:"

// fleetChange names what the service is to be, as on every other host of the fleet: its config, its
// templates, and the versions of what they look up. No value is in it, and nothing of this host.
func (p *pass) fleetChange() string {
	h := sha256.New()
	write(h, p.service.Name, p.service.Identity)
	var list []string
	for _, r := range p.service.Refs() {
		if version, read := p.snapshot.Version(r); read && r.Kind.Traits().Answerer == sources.AWS && !slices.Contains(p.service.Own, r) {
			list = append(list, fmt.Sprintf("%q %q", r.String(), version))
		}
	}
	slices.Sort(list)
	write(h, strings.Join(slices.Compact(list), "\n"))
	return changeAlgorithm + hex.EncodeToString(h.Sum(nil))[:32]
}

// begins waits until the swap may begin.
func (p *pass) begins() error {
	if !p.inTurn {
		return nil
	}
	err := p.fleet.Begin(p.ctx, p.service.Name)
	p.woke()
	switch {
	case err == nil:
		return nil
	case p.ctx.Err() != nil:
		return errStopped
	}
	p.out.Held = &Hold{Turn: err.Error(), Paths: p.swap.Changed()}
	return errHeld
}

// mayTell gives why the dependents may not be told yet of what an earlier life of the process has
// written: it is not the turn of the service. nil: they may be told of it, and of all that follows.
func (p *pass) mayTell() *Hold {
	if !p.inFleet() || p.tellsFreely || p.inTurn {
		return nil
	}
	if r, _ := p.ledger.Rollout(p.service.Name); r.Stage == ledger.Reverting || r.Stage == ledger.Reverted {
		return nil // the old files are told at once
	}
	owes := func(d notify.Action) bool { return len(p.ledger.Owed(d.Name(), p.service.Paths())) > 0 }
	if slices.ContainsFunc(p.service.Dependents, owes) {
		p.spoke = true
		if hold := p.fleet.Tells(p.service.Name); hold != nil {
			return hold
		}
	}
	p.tellsFreely = true
	return nil
}

// tells ends the pass before anybody is told, where it is not the turn of the service.
func (p *pass) tells() error {
	if p.out.Held = p.mayTell(); p.out.Held != nil {
		return errHeld
	}
	return nil
}

// has says what the service is.
func (p *pass) has() {
	if p.inFleet() {
		p.spoke = true
		p.fleet.Has(p.wanted())
	}
}

// again tells whether a change that was rolled back has its turn once more: it was resumed.
func (p *pass) again() bool {
	if !p.inFleet() {
		return false
	}
	p.spoke = true
	p.inTurn = p.fleet.Turn(p.wanted()) == nil
	return p.inTurn
}

// endTurn says that the pass has ended, where it had its turn.
func (p *pass) endTurn() {
	if p.swapped {
		p.tellsFreely = true
	}
	switch {
	case p.inTurn:
		p.fleet.Ended(p.service.Name, p.swapped)
	case p.inFleet() && !p.spoke:
		p.fleet.Rests(p.service.Name)
	}
}
