package watch

import (
	"context"
	"errors"
	"slices"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
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
func (k *keeper) blame(ctx context.Context, s *swap.Swap, file string, failed *fault.Fault, ask func() *fault.Fault) *fault.Fault {
	if !judged(failed) || ctx.Err() != nil {
		return failed
	}
	of := ""
	for _, r := range s.Renames() {
		of += r.Digest
	}
	b, known := k.blamed[file]
	if !known || b.cause != failed.What || b.of != of {
		b = blame{cause: failed.What, of: of}
		if former, err := s.Former(); err == nil && former {
			older := ask()
			b.older = older != nil && judged(older)
		}
		if k.blamed == nil {
			k.blamed = make(map[string]blame)
		}
		k.blamed[file] = b
	}
	if b.older {
		failed.Hints = slices.Insert(slices.Clone(failed.Hints), 0, sameAsBefore)
	}
	return failed
}

// judged reports that a check came to a judgement.
func judged(failed *fault.Fault) bool {
	e, ok := errors.AsType[*command.Error](failed)
	return ok && (e.Reason == command.Exit || e.Reason == command.Signal)
}
