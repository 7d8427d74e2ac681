package pass

import "github.com/rendered/rendered/render/swap"

// rollForward finishes what an earlier swap began, and says which files it put in their places.
// Where the files may not match nobody is told before they are compared.
func (p *pass) rollForward() error {
	paths := p.service.Paths() // with those of sets: the ledger knows their files
	swaps := p.ledger.Unfinished(paths)
	todo, unsure, err := p.machine.Pending(swaps)
	if err != nil {
		return err
	}
	if err := p.putInPlace(todo); err != nil {
		return err
	}
	if p.leftovers == littered || unsure {
		if err := p.machine.Discard(swaps); err != nil {
			return err
		}
	}
	if p.leftovers != none {
		// The crash, or an error, may have come before the names were durable, and what is told
		// must be.
		if err := p.written(p.machine.Sync(swaps)); err != nil {
			return err
		}
	}
	p.matched = !unsure && !p.ledger.Unsure(paths)
	if p.matched {
		p.ledger.Finished(paths)
	}
	return nil
}

// putInPlace renames what is left to do of an earlier swap. Who reads the files is owed that since
// it was begun.
func (p *pass) putInPlace(todo []swap.Rename) error {
	if len(todo) == 0 {
		return nil
	}
	if err := p.confirm(); err != nil { // before it is acted on
		return err
	}
	var paths []string
	for _, r := range todo {
		paths = append(paths, r.Path)
	}
	if err := p.written(p.ledger.Renew(paths)); err != nil {
		return err
	}
	if err := p.machine.RollForward(todo); err != nil {
		return err
	}
	for _, r := range todo {
		state := swap.Differs
		if r.Remove {
			state = swap.Removed
		}
		p.out.Files = append(p.out.Files, FileOutcome{Path: r.Path, State: state})
	}
	return nil
}

// sweep takes away the temporaries that earlier processes left.
func (p *pass) sweep() error {
	return p.machine.Sweep(p.beside(), p.recorded)
}

// recorded gives the temporaries that are on record: what is not is taken away.
func (p *pass) recorded() (map[string]bool, error) {
	if err := p.confirm(); err != nil {
		return nil, err
	}
	return p.ledger.Temps(), nil
}

// beside gives the paths beside which temporaries of the service's files may be.
func (p *pass) beside() []string {
	paths := p.ledger.Expand(p.service.Paths())
	for _, r := range p.ledger.Unfinished(paths) {
		paths = append(paths, r.Destination())
	}
	return paths
}
