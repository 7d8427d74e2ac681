package pass

import (
	"errors"
	"slices"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
)

// sameAsBefore is the hint of a check that the files that are in force do not pass either: its
// cause is elsewhere.
const sameAsBefore = "it fails with the files as they are, too: it is not the new files"

// A blame is what came of asking a check about the files as they are, after it had refused the new
// ones.
type blame struct {
	cause string // what it said of the new ones
	of    string // which they were
	older bool   // it refuses those as they are, too
}

// blame says of a check that did not pass whether the files as they are pass. It asks once for each
// cause and each content, not at each retry, and only a check that came to an end by itself:
// another may have no time for it. What the files in force hold is put into the staged ones for
// that, so that the check can write to no file in force.
func (p *pass) blame(file string, failed *fault.Fault, ask func() *fault.Fault) *fault.Fault {
	if !judged(failed) || p.ctx.Err() != nil {
		return failed
	}
	of := ""
	for _, r := range p.swap.Renames() {
		of += r.Digest
	}
	if p.blamed == nil {
		p.blamed = make(map[string]blame)
	}
	if b, known := p.blamed[file]; !known || b.cause != failed.What || b.of != of {
		former, err := p.swap.Former()
		p.blamed[file] = blame{failed.What, of, err == nil && former && judged(ask())}
	}
	if p.blamed[file].older {
		failed.Hints = slices.Insert(slices.Clone(failed.Hints), 0, sameAsBefore)
	}
	return failed
}

// judged reports that a check came to a judgement, and refused.
func judged(failed *fault.Fault) bool {
	if failed == nil {
		return false
	}
	e, ok := errors.AsType[*command.Error](failed)
	return ok && (e.Reason == command.Exit || e.Reason == command.Signal)
}
