package pass

import (
	"cmp"
	"errors"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// A Hold is that a pass wrote nothing, because it is not the time for it: nothing is wrong with the
// new files, as far as is known without their checks.
type Hold struct {
	Until time.Time // zero: until the gate opens
	Gate  string    // why that is shut; "": it is not
	Turn  string    // why it is not the turn of the service in its fleet; "": no host is waited for
	// Halted: it is not, as the change was not well somewhere, or somebody has stopped all.
	Halted bool
	Hints  []string
	Paths  []string // of the files that would be written
}

// Why says why nothing is written.
func (h Hold) Why() string {
	if why := cmp.Or(h.Gate, h.Turn); why != "" {
		return why
	}
	return "it is not the time of its window"
}

// errHeld ends a pass at its hold.
var errHeld = errors.New("held")

// held ends the pass before anything is staged, where the service is written to at certain times
// only, and this is none.
func (p *pass) held() error {
	if p.service.Hold == nil {
		return nil
	}
	now := p.wall().Round(0)
	until := p.service.Hold(now)
	if !until.After(now) {
		return nil
	}
	p.out.Held = &Hold{Until: until, Paths: p.swap.Changed()}
	return errHeld
}

// noteHeld has the history say that a pass was held, where the last was not, or for another reason.
func (p *pass) noteHeld() {
	if why := p.out.Held.Why(); why != p.heldFor {
		p.heldFor = why
		p.ledger.Note(ledger.Event{
			At: time.Now().Round(0).UTC(), Kind: ledger.Held, Services: []string{p.service.Name}, Trigger: p.turns.Trigger, Paths: p.out.Held.Paths,
			Failure: why, Until: p.out.Held.Until,
		})
	}
}

// gated asks the gate of the service, and ends the pass before anything is staged where it is shut.
func (p *pass) gated() error {
	gate := p.service.Gate
	if gate.IsZero() {
		return nil
	}
	env := notify.Change{Services: []string{p.service.Name}, Paths: p.swap.Changed()}.Environment()
	output, err := p.runs(p.ctx, gate.Command, command.Options{Timeout: gate.Timeout, Env: env})
	switch {
	case err == nil:
		return nil
	case p.ctx.Err() != nil:
		return errStopped
	}
	shut := failedCommand("gate", gate, err, p.shownOfCheck(gate, output), "no file written")
	p.out.Held = &Hold{Gate: shut.What, Hints: shut.Hints, Paths: p.swap.Changed()}
	return errHeld
}
