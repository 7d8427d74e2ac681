// Package pass takes one service through one pass: it makes the service's files what they should
// be.
package pass

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/preview"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/render/verify"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
)

// A pass is one pass of a service.
type pass struct {
	*Keeper
	ctx      context.Context
	snapshot *sources.Snapshot
	turns    Turns
	begun    time.Time
	out      Outcome

	foresees   bool // nothing is to be changed
	reverting  bool // the old files are put back
	matched    bool // the files match, so that dependents may be told of them
	swept      bool // what earlier processes may have left was taken away in this pass
	files      []*render.File
	rules      []verify.TLS
	renderings []*render.Rendering
	leaving    []leave       // files that are not wanted any more
	gone       []swap.Target // those that a change has taken away that is not seen to be well yet
	wished     []swap.Target // what the files are to be while a change is rejected; nil: what was rendered
	swap       *swap.Swap
	changed    []string          // paths of the files that get new contents
	backups    map[string]string // where what somebody else had written there is backed up, by path
	now        time.Time
	rollout    ledger.Rollout  // of the service, as the pass found it
	next       *ledger.Rollout // that begins with the swap; nil: none does
	inTurn     bool            // it is the turn of the service in its fleet
	spoke      bool            // somebody was asked for its turn, or told what the service is
	swapped    bool            // that the files are to be swapped is on record
	shelved    []string        // names of what is kept of files that may not be on record yet
}

// run takes the pass through its stages. The first that fails ends it.
func (p *pass) run() error {
	defer p.close()
	if err := through(p.finish, p.resume); err != nil {
		return err
	}
	if p.reverting = p.rollout.Stage == ledger.Reverting; p.reverting {
		return p.revert()
	}
	err := through(p.await, p.lookUp, p.enter, p.sweepNew, p.compare, p.rejected, p.judge, p.replace, p.settle)
	if err == errHeld {
		return nil
	}
	return err
}

// replace puts new files in their places, where there is anything to write.
func (p *pass) replace() error {
	if p.swap.Idle() {
		return nil
	}
	return through(p.verify, p.contested, p.held, p.gated, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)
}

func through(stages ...func() error) error {
	for _, stage := range stages {
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

// close takes away what was staged and is not in its place.
func (p *pass) close() {
	if p.swap != nil && p.swap.Close() != nil {
		p.leftovers = littered
	}
	p.letGo()
}

// finish brings the service to where a pass can begin: a swap that was cut short is finished, and
// leftovers are swept away. None of it needs a value.
func (p *pass) finish() error {
	p.woke() // several passes begin in the same moment
	if err := p.rollForward(); err != nil {
		return fmt.Errorf("finishing an earlier swap: %w", err)
	}
	if p.leftovers == littered {
		if err := p.sweep(); err != nil {
			return fmt.Errorf("sweeping temporaries: %w", err)
		}
		p.swept = true
	}
	p.leftovers = none
	if p.matched && p.mayTell() != nil {
		p.matched = false // it is asked for again when it is known what the files are to be
	}
	if p.matched {
		p.turns.Matched()
	}
	return nil
}

// await waits for the values that the service is known to need. Others work meanwhile.
func (p *pass) await() error {
	if refs := slices.Concat(p.service.Refs(), p.asked); !p.snapshot.Answered(refs) {
		p.jobs.Pause(func() {
			p.snapshot.Await(p.ctx, refs)
			p.woke() // several may wait for the same answer
		})
		p.woke() // somebody else has given the turn
	}
	return nil
}

// mostReads is how often a pass reads what changes meanwhile.
const mostReads = 5

// lookUp renders from values that were true together: where one thing was read twice, by two names,
// say, and changed in between, that is asked for again.
func (p *pass) lookUp() error {
	for reads := 1; ; reads++ {
		renderings, asked, err := p.render()
		torn := p.snapshot.Torn(asked)
		again := len(torn) > 0 && p.ctx.Err() == nil
		if again && reads == mostReads {
			again, err = false, changing(torn[0])
		}
		p.asked = asked
		p.learn(p.snapshot, err == nil && !again)
		if !again {
			p.renderings, p.out.Snapshot = renderings, p.snapshot
			return err
		}
		p.snapshot = p.snapshot.Again(p.ctx, torn)
	}
}

// changing is the error of a ref that had another version each time.
func changing(r sources.Ref) error {
	e := &sources.Error{
		Ref: r, Reason: sources.Changing, Detail: fmt.Sprintf("%d times in a row", mostReads),
		Hints: []string{"it is read again by itself; does something write it without end?"},
	}
	return &fault.Fault{What: e.Error(), Hints: e.Hints, Err: e}
}

// render renders every file, and gives what was asked for. All failures are reported, not only the
// first; one is enough to leave all files alone.
func (p *pass) render() ([]*render.Rendering, []sources.Ref, error) {
	var renderings []*render.Rendering
	files, asked, errs := p.expand()
	for _, f := range files {
		rendering, refs, err := f.Render(p.ctx, p.snapshot)
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
		asked = append(asked, p.asked...)
	}
	p.files = files
	return renderings, sources.Unique(asked), errors.Join(errs...)
}

// compare holds what was rendered against what is on disk.
func (p *pass) compare() (err error) {
	p.woke() // several may have waited for a value that nobody knew they need
	look := p.machine.Compare
	if p.foresees {
		look = p.machine.Foresee
	}
	if p.swap, err = look(p.targets()); err != nil {
		return err
	}
	p.changed, p.now = p.swap.Changed(), time.Now() // with its monotonic part: clocks are set
	return nil
}

func (p *pass) targets() []swap.Target {
	if p.wished != nil {
		return slices.Clone(p.wished)
	}
	targets := make([]swap.Target, len(p.renderings), len(p.renderings)+len(p.leaving))
	for i, r := range p.renderings {
		targets[i] = r.Target
	}
	for _, l := range p.leaving {
		targets = append(targets, l.Target)
	}
	return targets
}

// stage writes the new files beside the old ones.
func (p *pass) stage() error {
	p.learnOld(p.swap, p.files)
	return p.written(p.swap.Stage())
}

// check has the staged files checked: each by itself, then all of them in their places. They are to
// be afterwards what they were before.
func (p *pass) check() error {
	checked := !p.service.Check.IsZero()
	for _, f := range p.files {
		if p.swap.Staged(f.Path) == "" || f.Check.IsZero() {
			continue
		}
		if err := p.checkFile(f); err != nil {
			return err
		}
		checked = true
	}
	if err := p.checkAll(); err != nil {
		return err
	}
	clear(p.blamed)
	if checked {
		return p.swap.Intact()
	}
	return nil
}

func (p *pass) checkFile(f *render.File) error {
	staged := p.swap.Staged(f.Path)
	held, err := p.swap.Held(f.Path)
	if err != nil {
		return err
	}
	failed := f.CheckStaged(p.ctx, staged, held, p.shownOfCheck)
	if held != nil {
		held.Close()
	}
	if failed == nil {
		return nil
	}
	again := func() *fault.Fault { return f.CheckStaged(p.ctx, staged, nil, p.shownOfCheck) }
	return &FileError{f.Path, p.blame(f.Path, failed, again)}
}

func (p *pass) checkAll() error {
	if p.service.Check.IsZero() {
		return nil
	}
	if err := p.swap.Unmoved(); err != nil {
		return err
	}
	var files []preview.File
	for _, r := range p.swap.Renames() {
		files = append(files, preview.File{Staged: r.Temp, Path: r.Destination()})
	}
	ask := func() *fault.Fault { return p.examine(p.ctx, p.service.Check, files, p.shownOfCheck) }
	if failed := ask(); failed != nil {
		return p.blame("", failed, ask)
	}
	return nil
}

// errStopped is the trouble of a pass whose context ends before a file was renamed.
var errStopped = errors.New("stopped before its files could be swapped; no file written")

// begin puts the swap on record, and what is owed by it. Nobody reads the files from here on.
func (p *pass) begin() error {
	p.turns.Swap(p.ctx)
	p.woke() // several may go on in the same moment
	if p.ctx.Err() != nil {
		return errStopped
	}
	if err := p.begins(); err != nil {
		return err
	}
	if p.takesOver() {
		p.leftovers = littered
	}
	err := p.record()
	_, uncertain := errors.AsType[ledger.Uncertain](err)
	if p.swapped = err == nil || uncertain; uncertain {
		// The record may say that all of them are to be renamed. Who is killed while it takes them
		// away leaves some.
		p.swap.Leave()
		p.leftovers = littered
	}
	return err
}

// record puts the swap on record, with its event and its rollout.
func (p *pass) record() error {
	for tries := 1; ; tries++ {
		var rollout *ledger.Succession
		if p.next != nil {
			rollout = &ledger.Succession{Was: p.rollout, Is: *p.next}
		}
		p.out.Event = p.event()
		err := p.written(p.ledger.Begin(p.swap.Renames(), p.changed, p.out.Event, rollout))
		if !errors.Is(err, ledger.ErrJudged) || p.reverting || tries == mostReads {
			return err // the service has another name by now, say
		}
		// What the files were when the service was last well may be another by now.
		p.rollout, _ = p.ledger.Rollout(p.service.Name)
		if err := p.rollOut(); err != nil {
			return err
		}
	}
}

// commit renames the new files into their places.
func (p *pass) commit() error {
	if err := p.swap.Commit(); err != nil {
		p.matched, p.leftovers = false, min(p.leftovers, loose)
		return err
	}
	p.ledger.Finished(p.service.Paths())
	p.repaired()
	return nil
}

// settle makes the files certain, and notes what is known of them.
func (p *pass) settle() error {
	if err := through(p.tells, p.ascertain); err != nil {
		return err
	}
	p.has()
	known := make(map[string]content, len(p.renderings))
	for _, r := range p.renderings {
		known[r.Path] = p.contentOf(r)
	}
	p.swap.Files(func(path string, state swap.State) {
		f := FileOutcome{Path: path, State: state, Backup: p.backups[path], Certificate: known[path].certificate}
		if state == swap.Left && p.isKept(path) {
			return
		}
		f.Restored = state == swap.Drifted || (state == swap.Differs || state == swap.NotThere) && p.known[path].print == known[path].print
		p.out.Files = append(p.out.Files, f)
	})
	p.known = known
	if len(p.service.Healthy) > 0 && len(p.changed) == 0 {
		p.ledger.Well(p.service.Name, p.secrets(), p.layout())
	}
	p.settleSets()
	p.ledger.Own(p.service.Paths())
	return nil
}
