package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rendered/rendered/render/swap"
)

// recover brings the service to where a new pass can begin: the record is read, a commit that a crash cut short is finished,
// and leftovers are swept away. None of it needs a value.
func (k *keeper) recover(o *Outcome) error {
	if !k.known {
		if err := k.readRecord(); err != nil {
			return err
		}
	}
	k.inherit() // before others are owed what comes from elsewhere, and count as known
	if err := k.succeed(); err != nil {
		return err
	}
	if err := k.relieve(); err != nil {
		return err
	}
	if k.unsaved {
		if err := k.save(); err != nil {
			return err
		}
	}
	if err := k.rollForward(o); err != nil {
		k.half = true
		return fmt.Errorf("finishing an earlier swap: %w", err)
	}
	if k.swept {
		return nil
	}
	return k.sweep(o)
}

// sweep takes away the temporaries that earlier processes left. Where that fails beside files that the service has no more, it holds up
// nothing, and neither does another service's record that cannot be read; the next job tries again.
func (k *keeper) sweep(o *Outcome) error {
	var former []string
	for _, r := range k.swaps(false) {
		former = append(former, r.Destination())
	}
	left := k.ledger.Sweep(k.service.Name, former, k.spared)
	if left != nil && !errors.Is(left, swap.ErrSpared) {
		o.Err = errors.Join(o.Err, fmt.Errorf("sweeping temporaries of files that it has no more: %w", left))
	}
	err := k.ledger.Sweep(k.service.Name, k.beside(), k.spared)
	if err != nil && !errors.Is(err, swap.ErrSpared) {
		return fmt.Errorf("sweeping temporaries: %w", err)
	}
	k.swept = left == nil && err == nil
	return nil
}

// spared gives the temporaries that are on record and not for this service to finish: another has the file by now, or has it still.
func (k *keeper) spared() (map[string]bool, error) {
	spared := make(map[string]bool)
	for _, s := range k.rec.Swaps {
		spared[s.Temp] = !k.service.has(s.Path)
	}
	others, err := k.ledger.others(k.service.Name)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		r, err := k.ledger.load(other)
		if err != nil && !errors.Is(err, errDamaged) {
			return nil, err
		}
		for _, s := range r.Swaps {
			spared[s.Temp] = true
		}
	}
	return spared, nil
}

// inherit hands what is owed to dependents that the config no longer names to those that it names anew. Of the former it forgets who is
// owed nothing: one that comes back is new, and inherits in its turn. What is owed for files that another service has by now is left on
// record: that one may be about to take it over.
func (k *keeper) inherit() {
	var fresh []string
	current := make(map[string]bool)
	for _, d := range k.service.Dependents {
		current[d.Name()] = true
		n, known := k.rec.Notices[d.Name()]
		if !known || n.Gone {
			fresh = append(fresh, d.Name())
		}
		if n.Gone {
			n.Gone = false
			k.rec.Notices[d.Name()] = n
		}
	}
	for name, n := range k.rec.Notices {
		if current[name] {
			continue
		}
		foreign := minus(n.Owed, k.service.paths())
		if name == nextReaders && len(foreign) < len(n.Owed) {
			k.unsaved = true // it is for the config that is in force now, and for no later one
			if len(fresh) == 0 {
				n.Owed = foreign
			}
		}
		if own := minus(n.Owed, foreign); len(own) > 0 && len(fresh) > 0 {
			for _, f := range fresh {
				k.rec.owe(f, own)
			}
			n.Owed = foreign
		}
		n.Gone = true
		if k.rec.Notices[name] = n; len(n.Owed) == 0 {
			delete(k.rec.Notices, name)
		}
	}
}

// beside gives the paths beside which temporaries of the service's files may be.
func (k *keeper) beside() []string {
	paths := k.service.paths()
	for _, r := range k.swaps(true) {
		paths = append(paths, r.Destination())
	}
	return paths
}

// readRecord reads what is owed. Where the record is damaged everything is: one notice too many is better than one too few.
func (k *keeper) readRecord() error {
	rec, err := k.ledger.load(k.service.Name)
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	k.rec, k.known = rec, true
	if err != nil {
		k.rec.Half = true // for all that is known: a swap list may be lost with the rest
		k.oweAll(k.service.paths())
	}
	return nil
}

// save makes the record durable.
func (k *keeper) save() error {
	err := k.ledger.save(k.rec)
	k.unsaved = err != nil
	return err
}

func (k *keeper) oweAll(paths []string) {
	for _, d := range k.service.Dependents {
		k.rec.owe(d.Name(), paths)
	}
}

// rollForward finishes what an earlier swap began, and says which files it put in their places.
func (k *keeper) rollForward(o *Outcome) error {
	k.keepForOthers(o)
	own := k.swaps(true)
	todo, unsure, err := k.ledger.Pending(own)
	if err != nil {
		return err
	}
	k.half = k.half || k.rec.Half
	if len(own) > 0 && !k.rec.Half {
		// Where files may not match nobody is told before they are looked at. Without a list nobody knows.
		k.half = unsure || k.half && len(todo) > 0
	}
	if len(todo) > 0 {
		if err := k.finish(todo, o); err != nil {
			return err
		}
		k.half = unsure || k.rec.Half
	}
	if !k.swept || k.loose {
		// The crash, or an error, may have come before the names were durable, and what is told must be.
		if err := k.ledger.Sync(own); err != nil {
			return err
		}
		k.loose = false
	}
	return nil
}

// finish puts files in their places. Who reads them now is owed that, whoever read them when it was begun.
func (k *keeper) finish(todo []swap.Rename, o *Outcome) error {
	differing, err := k.ledger.Differing(todo)
	if err != nil {
		return err
	}
	k.oweAll(differing)
	k.oweNext(differing)
	// A record that was read may be in the page cache only, where a failed fsync left it; before it is acted on it is written again.
	if err := k.save(); err != nil {
		return err
	}
	if err := errors.Join(k.ledger.RollForward(todo), k.saveNext(differing)); err != nil {
		return err
	}
	for _, r := range todo {
		o.Files = append(o.Files, FileOutcome{r.Path, swap.Differs})
	}
	return nil
}

// swaps gives what is on record of the last swaps, of the service's own files or of those that it has no more.
func (k *keeper) swaps(own bool) []swap.Rename {
	return slices.DeleteFunc(slices.Clone(k.rec.Swaps), func(r swap.Rename) bool { return k.service.has(r.Path) != own })
}

// keepForOthers keeps on record what of a swap was not finished of files that the service has no more, and nothing else of them: who has
// them now finishes it, and may come to it later. Where that cannot be seen it is kept, unless somebody has decided that we see it no more.
func (k *keeper) keepForOthers(o *Outcome) {
	swaps := k.swaps(true)
	for _, r := range k.swaps(false) {
		switch pending, _, err := k.ledger.Pending([]swap.Rename{r}); {
		case errors.Is(err, fs.ErrPermission):
			o.Err = errors.Join(o.Err, fmt.Errorf("a temporary of a file that it has no more may be left: %w", err))
		case err != nil, len(pending) > 0:
			swaps = append(swaps, r)
		}
	}
	k.rec.Swaps = swaps
}
