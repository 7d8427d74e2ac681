package watch

import (
	"fmt"

	"github.com/rendered/rendered/render/swap"
)

// recover brings the service to where a new pass can begin: a commit that a crash cut short is
// finished, and leftovers are swept away. None of it needs a value.
func (k *keeper) recover(o *Outcome) error {
	if k.unsaved {
		if err := k.confirm(); err != nil {
			return err
		}
		k.unsaved = false
	}
	if err := k.rollForward(o); err != nil {
		k.half = true
		return fmt.Errorf("finishing an earlier swap: %w", err)
	}
	if k.swept {
		return nil
	}
	return k.sweep()
}

// sweep takes away the temporaries that earlier processes left.
func (k *keeper) sweep() error {
	recorded := func() (map[string]bool, error) {
		if err := k.confirm(); err != nil { // what is not on record is taken away
			return nil, err
		}
		return k.ledger.Temps(), nil
	}
	if err := k.machine.Sweep(k.beside(), recorded); err != nil {
		return fmt.Errorf("sweeping temporaries: %w", err)
	}
	k.swept = true
	return nil
}

// beside gives the paths beside which temporaries of the service's files may be.
func (k *keeper) beside() []string {
	paths := k.service.paths()
	for _, r := range k.ledger.Unfinished(paths) {
		paths = append(paths, r.Destination())
	}
	return paths
}

// rollForward finishes what an earlier swap began, and says which files it put in their places.
func (k *keeper) rollForward(o *Outcome) error {
	paths := k.service.paths()
	swaps := k.ledger.Unfinished(paths)
	todo, unsure, err := k.machine.Pending(swaps)
	if err != nil {
		return err
	}
	// Where files may not match nobody is told before they are looked at.
	if lost := k.ledger.Unsure(paths); len(swaps) > 0 && !lost {
		k.half = unsure || k.half && len(todo) > 0
	} else {
		k.half = k.half || lost
	}
	if len(todo) > 0 {
		if err := k.finish(todo, o); err != nil {
			return err
		}
		k.half = unsure || k.ledger.Unsure(paths)
	}
	if !k.swept || k.loose {
		// The crash, or an error, may have come before the names were durable, and what is told must be.
		if err := k.machine.Sync(swaps); err != nil {
			return err
		}
		k.loose = false
	}
	if !k.half {
		k.ledger.Finished(paths)
	}
	return nil
}

// finish puts files in their places. Who reads them is owed that since it was begun.
func (k *keeper) finish(todo []swap.Rename, o *Outcome) error {
	if err := k.confirm(); err != nil { // before it is acted on
		return err
	}
	if err := k.machine.RollForward(todo); err != nil {
		return err
	}
	for _, r := range todo {
		o.Files = append(o.Files, FileOutcome{r.Path, swap.Differs})
	}
	return nil
}
