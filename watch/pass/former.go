package pass

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/watch/ledger"
)

// What files held before a change is kept in the state directory until the service is well with it,
// or another takes its place, for nobody else to read. What belongs to no rollout on record, and to
// no pass that is about to put one there, is taken away.

const former = "former" // directory in the state directory

// A shelf knows what passes keep there that is not on record yet. Who has its turn puts something
// there, or takes it away.
type shelf struct {
	turn chan struct{}
	held map[string]int // passes, by name
	// littered: there may be something to be taken away, of an earlier process, say. The next pass
	// to end looks.
	littered atomic.Bool
}

func newShelf() *shelf {
	s := &shelf{turn: make(chan struct{}, 1), held: make(map[string]int)}
	s.littered.Store(true)
	return s
}

// do does something while nobody else does.
func (s *shelf) do(something func()) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	something()
}

// holdFormer keeps names from being taken away until they are let go. It is called within a turn.
func (p *pass) holdFormer(names ...string) {
	for _, name := range names {
		p.shelf.held[name]++
		p.shelved = append(p.shelved, name)
	}
}

// letGo ends what a pass holds, and takes away what nobody needs. What cannot be taken away the
// next pass tries again.
func (p *pass) letGo() {
	if p.next == nil && len(p.shelved) == 0 && !p.unshelved && !p.shelf.littered.Swap(false) {
		return
	}
	p.shelf.do(func() {
		for _, name := range p.shelved {
			if p.shelf.held[name]--; p.shelf.held[name] == 0 {
				delete(p.shelf.held, name)
			}
		}
	})
	p.sweepFormer()
}

// sweepFormer takes away what belongs to no rollout, once that is so on durable record, too. What
// cannot be taken away the next pass tries again.
func (k *Keeper) sweepFormer() {
	var needless []string
	var err error
	k.shelf.do(func() { needless, err = k.shelf.needless(k.machine.Disk, k.state, k.ledger) })
	if err == nil && len(needless) > 0 {
		if err = k.written(k.ledger.Write()); err == nil {
			k.shelf.do(func() { err = k.shelf.takeAway(k.machine.Disk, k.state, k.ledger, needless) })
		}
	}
	k.unshelved = err != nil
}

// needless gives the names that no rollout and no pass needs.
func (s *shelf) needless(system disk.System, state string, l *ledger.Ledger) (names []string, _ error) {
	d, err := system.Open(filepath.Join(state, former))
	if err != nil {
		return nil, ignore(err, fs.ErrNotExist)
	}
	names, err = d.Names()
	needed := make(map[string]bool)
	for _, r := range l.Rollouts() {
		for _, old := range r.Old {
			needed[old.Name] = true
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return needed[name] || s.held[name] > 0 }), errors.Join(err, d.Close())
}

// takeAway takes away those of these names that nobody needs by now.
func (s *shelf) takeAway(system disk.System, state string, l *ledger.Ledger, names []string) error {
	needless, err := s.needless(system, state, l)
	if err != nil || len(needless) == 0 {
		return err
	}
	d, err := system.Open(filepath.Join(state, former))
	if err != nil {
		return err
	}
	for _, name := range names {
		if slices.Contains(needless, name) {
			err = errors.Join(err, d.Remove(name))
		}
	}
	return errors.Join(err, d.Sync(), d.Close())
}
