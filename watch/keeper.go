package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/preview"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// A keeper does the work for one service, one job at a time. It alone touches the service's files and its record.
type keeper struct {
	service *Service // set between jobs
	ledger  *Ledger
	chance  *rand.Rand
	wall    func() time.Time
	silent  bool // dependents are not told; what is owed stays owed

	rec      record
	known    bool                // rec is what the ledger holds, or better
	unsaved  bool                // the ledger holds something else: saving rec failed
	swept    bool                // leftovers of earlier processes are gone
	half     bool                // a commit was begun and not finished: the files do not match, so nobody may be told
	loose    bool                // names of the last commit may not be durable
	attempts map[string]*attempt // by the dependent's name
	repairs  map[string]repair   // by path
	asked    []sources.Ref       // what the last render asked for, dynamic refs included
}

// newKeeper makes a keeper; its service is yet to be set.
func newKeeper(ledger *Ledger, chance *rand.Rand, wall func() time.Time) *keeper {
	return &keeper{
		ledger:   ledger,
		chance:   rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64())),
		wall:     wall,
		attempts: make(map[string]*attempt),
		repairs:  make(map[string]repair),
	}
}

// look is the whole job: finish what was begun, tell what is owed, look up, render, swap, tell.
func (k *keeper) look(ctx context.Context, snapshot *sources.Snapshot) Outcome {
	return k.job(true, func(o *Outcome) {
		k.tell(ctx, nil, o)
		err := k.refresh(ctx, snapshot, o) // which may add to o.Err itself
		o.Err = errors.Join(o.Err, err)
	})
}

// remind is the job that only tells dependents what they are owed.
func (k *keeper) remind(ctx context.Context) Outcome {
	return k.job(false, func(o *Outcome) { k.tell(ctx, nil, o) })
}

// job does some work over files and a record that are in order. Where they cannot be brought in order nobody is told before that is tried
// again, as after any failure.
func (k *keeper) job(looks bool, work func(*Outcome)) Outcome {
	o := Outcome{Service: k.service.Name, Looked: looks}
	if o.Err = k.recover(&o); o.Err == nil {
		work(&o)
		o.TellAt = k.nextTell()
	}
	o.asked = k.asked
	return o
}

// recover brings the service to where a new pass can begin: the record is read, a commit that a crash cut short is finished,
// and leftovers are swept away. None of it needs a value.
func (k *keeper) recover(o *Outcome) error {
	if !k.known {
		if err := k.readRecord(); err != nil {
			return err
		}
	}
	k.inherit()
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
	if err := k.ledger.Sweep(k.service.Name, k.beside()); err != nil {
		return fmt.Errorf("sweeping temporaries: %w", err)
	}
	k.swept = true
	return nil
}

// inherit hands what is owed to dependents that the config no longer names to those that it names anew. Of the former it forgets who is
// owed nothing: one that comes back is new, and inherits in its turn.
func (k *keeper) inherit() {
	var fresh []string
	current := make(map[string]bool)
	for _, d := range k.service.Dependents {
		current[d.Name()] = true
		if _, known := k.rec.Notices[d.Name()]; !known {
			fresh = append(fresh, d.Name())
		}
	}
	for name, n := range k.rec.Notices {
		if current[name] || len(n.Owed) > 0 && len(fresh) == 0 {
			continue
		}
		if len(n.Owed) > 0 {
			for _, f := range fresh {
				k.rec.owe(f, n.Owed)
			}
		}
		delete(k.rec.Notices, name)
	}
}

// beside gives the paths beside which temporaries of the service may be.
func (k *keeper) beside() []string {
	paths := k.service.paths()
	for _, r := range k.rec.Swaps {
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
	k.rec = rec
	if err != nil {
		k.half = true // for all that is known: a swap list may be lost with the rest
		k.oweAll(k.service.paths())
	}
	k.known = true
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
	todo, unsure, err := k.ledger.Pending(k.rec.Swaps)
	if err != nil {
		return err
	}
	current := k.service.paths()
	todo = slices.DeleteFunc(todo, func(r swap.Rename) bool { return !slices.Contains(current, r.Path) })
	if len(k.rec.Swaps) > 0 {
		// Where files may not match nobody is told before they are looked at. Without a list nobody knows.
		k.half = unsure || k.half && len(todo) > 0
	}
	if len(todo) > 0 {
		// A record that was read may be in the page cache only, where a failed fsync left it; before it is acted on it is written
		// again.
		if err := k.save(); err != nil {
			return err
		}
		if err := k.ledger.RollForward(todo); err != nil {
			return err
		}
		for _, r := range todo {
			o.Files = append(o.Files, FileOutcome{r.Path, swap.Differs})
		}
		k.half = unsure
	}
	if !k.swept || k.loose {
		// The crash, or an error, may have come before the names were durable, and what is told must be.
		if err := k.ledger.Sync(k.rec.Swaps); err != nil {
			return err
		}
		k.loose = false
	}
	return nil
}

// refresh makes the files what they should be, and tells the dependents if anything changed.
func (k *keeper) refresh(ctx context.Context, snapshot *sources.Snapshot, o *Outcome) error {
	targets, err := k.renderAndTell(ctx, snapshot, o)
	if err != nil {
		return err
	}
	s, err := k.ledger.Compare(k.service.Name, targets)
	if err != nil {
		return err
	}
	defer func() {
		if s.Close() != nil {
			k.swept = false
		}
	}()
	if !s.Idle() {
		changed, now := s.Changed(), time.Now() // with its monotonic part: clocks are set
		if err := errors.Join(k.verify(targets, changed), k.contested(targets, changed, now)); err != nil {
			return err
		}
		if err := k.replace(ctx, s, snapshot); err != nil {
			return err
		}
		k.repaired(targets, changed, now)
	}
	k.half = false
	s.Files(func(path string, state swap.State) { o.Files = append(o.Files, FileOutcome{path, state}) })
	k.tell(ctx, snapshot, o)
	return nil
}

// render makes every file's target, and gives what was asked for. All failures are reported, not only the first; one is enough to
// leave all files alone.
func (k *keeper) render(ctx context.Context, snapshot *sources.Snapshot) (targets []swap.Target, asked []sources.Ref, _ error) {
	var errs []error
	for _, f := range k.service.Files {
		target, refs, err := f.Render(ctx, snapshot)
		asked = append(asked, refs...)
		if err != nil {
			errs = append(errs, &FileError{f.Path, err})
			continue
		}
		targets = append(targets, target)
	}
	if len(errs) > 0 {
		// A render that ended early did not ask for everything that the next one will.
		asked = append(asked, k.asked...)
	}
	return targets, unique(asked), errors.Join(errs...)
}

func unique(refs []sources.Ref) []sources.Ref {
	seen := make(map[sources.Ref]bool)
	return slices.DeleteFunc(refs, func(r sources.Ref) bool {
		was := seen[r]
		seen[r] = true
		return was
	})
}

// replace takes the swap through its stages: staged, checked, on record, renamed.
func (k *keeper) replace(ctx context.Context, s *swap.Swap, snapshot *sources.Snapshot) error {
	if err := s.Stage(); err != nil {
		return err
	}
	if err := k.check(ctx, s, snapshot); err != nil {
		return err
	}
	before := k.rec.clone()
	if changed := s.Changed(); len(changed) > 0 {
		k.oweAll(changed)
	}
	k.rec.Swaps = s.Renames()
	if err := k.save(); err != nil {
		k.rec = before
		return err
	}
	if err := s.Commit(); err != nil {
		k.half, k.loose = true, true
		return err
	}
	for _, d := range k.service.Dependents {
		k.attempt(d.Name()).next = time.Time{} // what failed before may work with the new files
	}
	return nil
}

// check has the staged files checked: each by itself, then all of them in their places. They are to be afterwards what they were before.
func (k *keeper) check(ctx context.Context, s *swap.Swap, snapshot *sources.Snapshot) error {
	redactor := sync.OnceValue(snapshot.Redactor)
	checked := !k.service.Check.IsZero()
	for _, f := range k.service.Files {
		staged := s.Staged(f.Path)
		if staged == "" || f.Check.IsZero() {
			continue
		}
		if err := f.CheckStaged(ctx, staged, redactor()); err != nil {
			return &FileError{f.Path, err}
		}
		checked = true
	}
	if !k.service.Check.IsZero() {
		var files []preview.File
		for _, r := range s.Renames() {
			files = append(files, preview.File{Staged: r.Temp, Path: r.Destination()})
		}
		if err := render.CheckService(ctx, k.service.Check, files, redactor()); err != nil {
			return err
		}
	}
	if checked {
		return s.Intact()
	}
	return nil
}
