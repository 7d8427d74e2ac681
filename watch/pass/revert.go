package pass

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// revert puts the old files back in their places. Where they cannot be the change stays.
func (p *pass) revert() error {
	r := p.rollout
	if r.Layout != p.layout() {
		return p.giveUp(r, errOtherFiles)
	}
	targets, err := p.former(r)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged) {
		return p.giveUp(r, err)
	}
	if err != nil { // it may be there the next time
		return err
	}
	if p.swap, err = p.machine.Compare(targets); err != nil {
		return err
	}
	p.changed, p.now = p.swap.Changed(), time.Now()
	for _, f := range p.service.Files {
		if !f.IsEach() {
			p.files = append(p.files, f)
		}
	}
	if r.Stage = ledger.Reverted; p.turns.Again {
		r.Change = "" // none is rejected: somebody has asked for it meanwhile
	}
	p.next = &r
	if err := p.stage(); err != nil {
		return err
	}
	if err := p.check(); err != nil && p.ctx.Err() != nil {
		return err
	} else if err != nil { // else a new value could not come, either
		return p.giveUp(p.rollout, err)
	}
	if err := through(p.drain, p.begin, p.commit); err != nil {
		return err
	}
	p.swap.Files(func(path string, state swap.State) {
		p.out.Files = append(p.out.Files, FileOutcome{Path: path, State: state})
	})
	clear(p.known)
	return p.service.rolledBack(r)
}

// reversal is what the history says of that.
func (p *pass) reversal() ledger.Event {
	e := ledger.Event{
		At: p.now.Round(0).UTC(), Kind: ledger.RolledBack, Services: []string{p.service.Name}, Trigger: p.turns.Trigger, Took: time.Since(p.begun),
		Paths: p.changed, Removed: p.removed(), Failure: p.rollout.Failure,
	}
	if p.rollout.Stage.Back() { // they were, and somebody else has changed them since
		e.Kind, e.Failure, e.Restored = ledger.Changed, "", p.changed
		return e
	}
	for _, r := range p.rollout.Refs {
		e.Refs = append(e.Refs, ledger.Renewal{Ref: r.Ref, From: r.To, To: r.From})
	}
	return e
}

// giveUp has a change stay whose old files are lost, or do not pass the check.
func (p *pass) giveUp(r ledger.Rollout, why error) error {
	is := r
	is.Stage, is.Old, is.Stays = ledger.Unwell, nil, fmt.Sprintf("what was before it cannot be put back: %v", why)
	_, err := p.ledger.Judge(r, is, false, ledger.Event{})
	return cmp.Or(p.written(err), error(&FileError{"", &fault.Fault{What: is.Stays, Hints: Remedy(why), Err: why}}))
}

// dirMode gives that of the directories that are made for a file: a boot may have taken them away.
func (p *pass) dirMode(path string) fs.FileMode {
	for _, f := range p.service.Files {
		if slices.Contains(p.ledger.Expand([]string{f.Path}), path) {
			return f.DirMode
		}
	}
	return 0
}

var (
	errDamaged    = errors.New("is damaged")
	errOtherFiles = errors.New("the service has other files by now")
)

// layout gives a digest of the paths that the service has. Where they are others, the old files of
// some beside the new ones of others are nothing that ever was.
func (p *pass) layout() string {
	return p.machine.Key.Digest("", []byte(strings.Join(p.service.Paths(), "\x00")))
}

// former gives the old files.
func (p *pass) former(r ledger.Rollout) (targets []swap.Target, _ error) {
	d, err := p.machine.Disk.Open(filepath.Join(p.state, former))
	if err != nil && slices.ContainsFunc(r.Old, func(o ledger.Old) bool { return o.Name != "" }) {
		return nil, err
	}
	if err == nil {
		defer d.Close()
	}
	all := p.ledger.Expand(p.service.Paths())
	for _, now := range p.renderings { // a set forgets what is taken away, and may have it again
		all = append(all, now.Path)
	}
	for _, old := range r.Old {
		t := swap.Target{Path: old.Path, UID: old.UID, GID: old.GID, Mode: old.Mode, InPlace: old.InPlace, DirMode: p.dirMode(old.Path), AllowEmpty: true}
		switch {
		case !slices.Contains(all, old.Path): // the config has it no more
			continue
		case old.Name == "":
			t = swap.Target{Path: old.Path, Gone: swap.Remove}
		default:
			if t.Content, err = d.Read(old.Name, mostPreserved); err != nil {
				return nil, err
			}
			if p.machine.Key.Digest(old.Path, t.Content) != old.Digest {
				return nil, fmt.Errorf("%s %w", filepath.Join(p.state, former, old.Name), errDamaged)
			}
		}
		targets = append(targets, t)
	}
	return targets, nil
}
