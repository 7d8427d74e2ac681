package pass

import (
	"slices"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// event is what the history says of the swap; where no file gets new contents it says nothing.
func (p *pass) event() ledger.Event {
	if len(p.changed) == 0 {
		return ledger.Event{}
	}
	if p.reverting {
		return p.reversal()
	}
	return ledger.Event{
		Removed: p.removed(), Restored: p.restored(),
		At: p.now.Round(0).UTC(), Kind: ledger.Changed, Services: []string{p.service.Name}, Trigger: p.turns.Trigger, Took: time.Since(p.begun),
		Refs: p.ledger.Renewals(p.service.Name, p.versions()), Paths: p.changed, Backups: p.backups,
	}
}

// removed gives the paths of the files that are to be removed.
func (p *pass) removed() (paths []string) {
	for _, l := range p.leaving {
		if l.Gone == swap.Remove && slices.Contains(p.changed, l.Path) {
			paths = append(paths, l.Path)
		}
	}
	return paths
}

// restored gives the paths of the files that are what they were, and that somebody else had changed
// or taken away.
func (p *pass) restored() (paths []string) {
	for _, r := range p.renderings {
		if slices.Contains(p.changed, r.Path) && p.wasSo(r) {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// wasSo tells whether a file was known to hold what it is to hold.
func (p *pass) wasSo(r *render.Rendering) bool {
	return p.known[r.Path].print == p.contentOf(r).print
}

// note has the history say that a pass failed, where the last did not, or for another reason, and
// that one did not where the last had.
func (p *pass) note() {
	if p.out.Held != nil {
		p.noteHeld()
		return
	}
	p.heldFor = ""
	failure := ""
	if list := p.out.FileErrors(); len(list) > 0 {
		failure = list[0].Fault.What
	}
	if failure == p.failed || p.ctx.Err() != nil || p.out.RolledBack() { // of which the rollout tells
		return
	}
	p.failed = failure
	e := ledger.Event{At: time.Now().Round(0).UTC(), Kind: ledger.Failed, Services: []string{p.service.Name}, Trigger: p.turns.Trigger, Failure: failure, Took: time.Since(p.begun)}
	if failure == "" {
		e.Kind = ledger.Well
	}
	p.ledger.Note(e)
}
