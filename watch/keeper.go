package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/preview"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
)

// A keeper does the work for one service, one job at a time. It alone touches the service's files.
type keeper struct {
	service *Service // set between jobs
	ledger  *ledger.Ledger
	machine swap.Machine
	chance  *rand.Rand
	wall    func() time.Time
	parsers parsers
	examine Checker                // runs the service's check
	silent  bool                   // dependents are not told; what is owed stays owed
	telling func(dependent string) // is called before one is told; may be nil
	woken   func(service string)   // is called around waits for the ledger; may be nil

	unsaved  bool                // the ledger on disk does not have the last acknowledgement
	swept    bool                // leftovers of earlier processes are gone
	half     bool                // the files may not match: nobody may be told before they were looked at
	loose    bool                // names of the last commit may not be durable
	attempts map[string]*attempt // by the dependent's name
	repairs  map[string]repair   // by path
	blamed   map[string]blame    // what else a check that did not pass was asked; by file, "" is the service's
	verdicts verdicts            // on the bytes that the last look was to write
	asked    []sources.Ref       // what the last render asked for, dynamic refs included

	redactor *redact.Redactor // nil: what commands print is withheld
	values   []redact.ID      // of the last render that succeeded; nil: there was none, and nobody knows what commands may print
}

// A Checker runs a service's check, which sees the staged files at their places.
type Checker func(ctx context.Context, check command.Check, files []preview.File, filter render.Filter) *fault.Fault

// newKeeper makes a keeper; its service is yet to be set.
func newKeeper(dir *StateDir, chance *rand.Rand, wall func() time.Time) *keeper {
	return &keeper{
		ledger:   dir.Ledger,
		machine:  dir.Swap,
		parsers:  own,
		examine:  render.CheckService,
		chance:   rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64())),
		wall:     wall,
		attempts: make(map[string]*attempt),
		repairs:  make(map[string]repair),
	}
}

// take has the next job work for the service as the plan in force has it.
func (k *keeper) take(s *Service) {
	if k.service != nil && k.service.Fingerprint != s.Fingerprint {
		k.values = nil
	}
	if k.service == nil || !slices.Equal(k.service.paths(), s.paths()) {
		k.swept = false // who had the new ones may have left temporaries beside them
	}
	k.service = s
}

// look is the whole job: finish what was begun, tell what is owed, look up, render, swap, tell.
func (k *keeper) look(ctx context.Context, snapshot *sources.Snapshot) Outcome {
	return k.job(true, func(o *Outcome) {
		k.tell(ctx, o)
		err := k.refresh(ctx, snapshot, o) // which may add to o.Err itself
		o.Err = errors.Join(o.Err, err)
	})
}

// remind is the job that only tells dependents what they are owed.
func (k *keeper) remind(ctx context.Context) Outcome {
	return k.job(false, func(o *Outcome) { k.tell(ctx, o) })
}

// written passes on what came of a wait for the ledger.
func (k *keeper) written(err error) error {
	if k.woken != nil {
		k.woken(k.service.Name)
	}
	return err
}

// confirm makes the ledger's record certain before it is acted on.
func (k *keeper) confirm() error {
	_ = k.written(nil) // several jobs begin in the same moment, too
	return k.written(k.ledger.Confirm())
}

// job does some work over files and a record that are in order. Where they cannot be brought in order nobody is told before that is tried
// again, as after any failure.
func (k *keeper) job(looks bool, work func(*Outcome)) Outcome {
	o := Outcome{Service: k.service.Name, Looked: looks}
	if err := k.recover(&o); err != nil {
		o.Err = errors.Join(o.Err, err)
	} else {
		work(&o)
		o.TellAt = k.nextTell()
	}
	for i := range o.Notices {
		// What was said before the lookups is filtered after them: a daemon that has just started
		// knows no value until then.
		n := &o.Notices[i]
		n.Output, n.said = k.said(n.said), notify.Output{}
	}
	o.asked, o.half = k.asked, k.half
	return o
}

// refresh makes the files what they should be, and tells the dependents if anything changed.
func (k *keeper) refresh(ctx context.Context, snapshot *sources.Snapshot, o *Outcome) error {
	renderings, snapshot, err := k.renderAndTell(ctx, snapshot, o)
	if err != nil {
		return err
	}
	o.snapshot = snapshot
	targets := make([]swap.Target, len(renderings))
	for i, r := range renderings {
		targets[i] = r.Target
	}
	s, err := k.machine.Compare(targets)
	if err != nil {
		return err
	}
	defer func() {
		if s.Close() != nil {
			k.swept = false
		}
	}()
	changed, now := s.Changed(), time.Now() // with its monotonic part: clocks are set
	if err := k.judge(renderings, changed); err != nil {
		return err
	}
	if !s.Idle() {
		if err := errors.Join(k.verify(targets, changed), k.contested(targets, changed, now)); err != nil {
			return err
		}
		if err := k.replace(ctx, s); err != nil {
			return err
		}
		k.repaired(targets, changed, now)
	}
	if k.half {
		// What was renamed before is not known, nor whether its names are durable; and what is told must be.
		if err := s.SyncAll(); err != nil {
			return err
		}
		k.half = false
		k.ledger.Compared(k.service.paths())
		k.ledger.Finished(k.service.paths())
	}
	s.Files(func(path string, state swap.State) { o.Files = append(o.Files, FileOutcome{path, state}) })
	k.tell(ctx, o)
	return nil
}

// render renders every file, and gives what was asked for. All failures are reported, not only the
// first; one is enough to leave all files alone.
func (k *keeper) render(ctx context.Context, snapshot *sources.Snapshot) (renderings []*render.Rendering, asked []sources.Ref, _ error) {
	var errs []error
	for _, f := range k.service.Files {
		rendering, refs, err := f.Render(ctx, snapshot)
		asked = append(asked, refs...)
		if err != nil {
			err.Hints = slices.Concat(err.Hints, unseen(err))
			errs = append(errs, &FileError{f.Path, err})
			continue
		}
		renderings = append(renderings, rendering)
	}
	if len(errs) > 0 {
		// A render that ended early did not ask for everything that the next one will.
		asked = append(asked, k.asked...)
	}
	return renderings, unique(asked), errors.Join(errs...)
}

// mostReads is how often a pass reads what changes meanwhile.
const mostReads = 5

// renderWhole renders from values that were true together: where one thing was read twice, by two
// names, say, and changed in between, that is asked for again. It gives the snapshot that it
// rendered from.
func (k *keeper) renderWhole(ctx context.Context, snapshot *sources.Snapshot) ([]*render.Rendering, []sources.Ref, *sources.Snapshot, error) {
	for reads := 1; ; reads++ {
		targets, asked, err := k.render(ctx, snapshot)
		torn := snapshot.Torn(asked)
		switch {
		case len(torn) == 0 || ctx.Err() != nil:
			return targets, asked, snapshot, err
		case reads == mostReads:
			return nil, asked, snapshot, changing(torn[0])
		}
		snapshot = snapshot.Again(ctx, torn)
	}
}

// changing is the trouble of a ref that had another version each time.
func changing(r sources.Ref) error {
	e := &sources.Error{
		Ref: r, Reason: sources.Changing, Detail: fmt.Sprintf("%d times in a row", mostReads),
		Hints: []string{"it is read again by itself; does something write it without end?"},
	}
	return &fault.Fault{What: e.Error(), Hints: e.Hints, Err: e}
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
func (k *keeper) replace(ctx context.Context, s *swap.Swap) error {
	k.learnOld(s)
	if err := s.Stage(); err != nil {
		return err
	}
	if err := k.check(ctx, s); err != nil {
		return err
	}
	if err := k.written(k.ledger.Begin(s.Renames(), s.Changed())); err != nil {
		if _, uncertain := errors.AsType[ledger.Uncertain](err); uncertain {
			// The record may say that all of them are to be renamed. Who is killed while it takes them
			// away leaves some.
			s.Leave()
			k.swept = false
		}
		return err
	}
	if err := s.Commit(); err != nil {
		k.half, k.loose = true, true
		return err
	}
	k.ledger.Finished(k.service.paths())
	for _, d := range k.service.Dependents {
		k.attempt(d.Name()).next = time.Time{} // what failed before may work with the new files
	}
	return nil
}

// check has the staged files checked: each by itself, then all of them in their places. They are to be afterwards what they were before.
func (k *keeper) check(ctx context.Context, s *swap.Swap) error {
	checked := !k.service.Check.IsZero()
	for _, f := range k.service.Files {
		staged := s.Staged(f.Path)
		if staged == "" || f.Check.IsZero() {
			continue
		}
		held, err := s.Held(f.Path)
		if err != nil {
			return err
		}
		failed := f.CheckStaged(ctx, staged, held, k.checked)
		if held != nil {
			held.Close()
		}
		if failed != nil {
			return &FileError{f.Path, k.blame(ctx, s, f.Path, failed, func() *fault.Fault { return f.CheckStaged(ctx, staged, nil, k.checked) })}
		}
		checked = true
	}
	if !k.service.Check.IsZero() {
		if err := s.Unmoved(); err != nil {
			return err
		}
		var files []preview.File
		for _, r := range s.Renames() {
			files = append(files, preview.File{Staged: r.Temp, Path: r.Destination()})
		}
		ask := func() *fault.Fault { return k.examine(ctx, k.service.Check, files, k.checked) }
		if failed := ask(); failed != nil {
			return k.blame(ctx, s, "", failed, ask)
		}
	}
	clear(k.blamed)
	if checked {
		return s.Intact()
	}
	return nil
}
