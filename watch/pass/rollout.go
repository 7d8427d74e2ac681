package pass

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch/ledger"
)

// A change of a service that is to be seen to be well is on record until it was: as a rollout,
// which begins in the same write as the swap. What the files held is kept until then, to be put
// back. Whoever is killed at any step finds in the rollout how far it has come.

// resume looks how far the rollout of the service has come. What the config does not ask for any
// more is forgotten.
func (p *pass) resume() error {
	r, open := p.ledger.Rollout(p.service.Name)
	if open && len(p.service.Healthy) == 0 && (r.Stage != ledger.Settled || p.service.After.IsZero()) {
		r = ledger.Rollout{Service: r.Service, Drained: r.Drained && !p.service.After.IsZero()}
		p.ledger.Forfeit(p.service.Name, r.Drained)
		p.unshelved = true
	}
	p.rollout = r
	return nil
}

// rejected keeps a change from being tried again that was rolled back, until it is another, or
// somebody asks for it. The old files stay, and stay what they were.
func (p *pass) rejected() error {
	r := p.rollout
	if !r.Stage.Back() {
		return nil
	}
	if p.swap.Idle() {
		if r.Stage == ledger.Rejected { // the config is what it was before, too
			_, err := p.ledger.Judge(r, ledger.Rollout{Service: r.Service, Secrets: r.Secrets, Layout: r.Layout}, false, ledger.Event{})
			p.unshelved = true
			return p.written(err)
		}
		return nil
	}
	if p.turns.Again || r.Change != p.change() || p.again() {
		return nil
	}
	return p.uphold(r)
}

var errRolledBack = errors.New("rolled back")

// rolledBack is why a change that was rolled back is not tried again.
func (s *Service) rolledBack(r ledger.Rollout) error {
	then := s.Retried()
	if r.Change == "" && s.Group == "" {
		then = "it is tried again at once, as somebody asks for it"
	}
	return &FileError{"", &fault.Fault{What: "rolled back, as it was not well: " + r.Failure, Err: errRolledBack, Hints: []string{then}}}
}

// RolledBack tells whether it is that a change was rolled back.
func (e *FileError) RolledBack() bool { return errors.Is(e, errRolledBack) }

// RolledBack tells whether the files are as before a change that was rolled back, and stay so.
func (o Outcome) RolledBack() bool { return errors.Is(o.Err, errRolledBack) }

// PutBack gives the lookups of which the files are of another version again, as a change was put
// back.
func (o Outcome) PutBack() []ledger.Renewal {
	if o.Event.Kind != ledger.RolledBack {
		return nil
	}
	return o.Event.Refs
}

// change names what the files are to be: a digest that only this machine can make, whatever the
// service is called.
func (p *pass) change() string {
	h := sha256.New()
	targets := slices.Concat(p.targets(), p.gone)
	slices.SortFunc(targets, func(a, b swap.Target) int { return strings.Compare(a.Path, b.Path) })
	for _, t := range targets {
		write(h, t.Path, fmt.Sprint(t.Gone, t.Mode), string(t.Content))
	}
	return p.machine.Key.Digest("", h.Sum(nil))
}

// rollOut makes the rollout of a change, and keeps what its files held. What was kept of an earlier
// change that was never well is what the files were when the service was.
func (p *pass) rollOut() error {
	if len(p.service.Healthy) == 0 || len(p.changed) == 0 {
		return nil
	}
	event := p.event()
	r := ledger.Rollout{
		Service: p.service.Name, Stage: ledger.Unproven, Change: p.change(), Since: event.At, Paths: p.changed, Refs: event.Refs,
		Drained: p.rollout.Drained, Secrets: p.rollout.Secrets, New: p.secrets(), Layout: p.layout(),
	}
	was := p.rollout
	if open := was.Stage != ledger.Settled && !was.Stage.Back(); open {
		r.Paths = union(was.Paths, p.changed)
		r.Refs = merged(was.Refs, event.Refs)
		r.Old = slices.Clone(was.Old)
		p.shelf.do(func() {
			for _, old := range r.Old {
				p.holdFormer(old.Name)
			}
		})
	}
	if r.Stays = p.stays(was, r); r.Stays != "" {
		r.Old = nil
	} else if err := p.keepOld(&r); err != nil {
		return err
	}
	p.next = &r
	return nil
}

// stays says why the old files would not be restored; "": they would.
func (p *pass) stays(was, r ledger.Rollout) string {
	switch {
	case p.service.Rollback == RollbackNever:
		return "the service has  rollback: never"
	case was.Stays != "" && !was.Stage.Back() && was.Stage != ledger.Settled:
		return was.Stays
	case was.Layout != "" && was.Layout != r.Layout:
		return errOtherFiles.Error()
	case p.restores():
		return "somebody else had changed the files"
	case !slices.ContainsFunc(p.changed, p.wasThere) && len(r.Old) == 0:
		return "there were no files before it"
	case p.service.Rollback == RollbackAlways:
		return ""
	}
	if moved := p.movedSecret(r); moved != "" {
		return moved + ", and what was before may be dead"
	}
	return ""
}

// restores tells whether all that changes was so before, and somebody else had changed it.
func (p *pass) restores() bool {
	for _, r := range p.renderings {
		if slices.Contains(p.changed, r.Path) && !p.wasSo(r) {
			return false
		}
	}
	return len(p.leaving) == 0
}

func (p *pass) wasThere(path string) bool {
	_, err := p.swap.FormerOf(path, 0)
	return !errors.Is(err, fs.ErrNotExist)
}

// write writes texts so that no others give the same.
func write(to io.Writer, texts ...string) {
	for _, text := range texts {
		_ = binary.Write(to, binary.BigEndian, int64(len(text)))
		_, _ = io.WriteString(to, text)
	}
}

// union gives the paths of both lists, sorted.
func union(a, b []string) []string {
	list := slices.Concat(a, b)
	slices.Sort(list)
	return slices.Compact(list)
}

// merged gives what two changes, one after the other, have renewed.
func merged(first, then []ledger.Renewal) []ledger.Renewal {
	list := slices.Clone(first)
	for _, n := range then {
		if i := slices.IndexFunc(list, func(o ledger.Renewal) bool { return o.Ref == n.Ref }); i >= 0 {
			list[i].To = n.To
		} else {
			list = append(list, n)
		}
	}
	return list
}

// keepOld keeps what the files hold that are about to change, durably, but for those of which it is
// kept.
func (p *pass) keepOld(r *ledger.Rollout) error {
	for _, path := range p.changed {
		if slices.ContainsFunc(r.Old, func(o ledger.Old) bool { return o.Path == path }) {
			continue
		}
		old, err := p.keepFile(path)
		if err != nil {
			return &FileError{path, notKept(path, err)}
		}
		r.Old = append(r.Old, old)
	}
	return nil
}

func (p *pass) keepFile(path string) (ledger.Old, error) {
	was, err := p.swap.FormerOf(path, mostPreserved)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Old{Path: path}, nil
	}
	if err != nil {
		return ledger.Old{}, err
	}
	old := ledger.Old{Path: path, UID: was.UID, GID: was.GID, Mode: was.Mode, InPlace: was.InPlace, Digest: p.machine.Key.Digest(path, was.Content)}
	dir := filepath.Join(p.state, former)
	if err := disk.MakeAll(p.machine.Disk, dir, 0o700); err != nil {
		return ledger.Old{}, err
	}
	d, err := p.machine.Disk.Open(dir)
	if err != nil {
		return ledger.Old{}, err
	}
	p.shelf.do(func() {
		if old.Name, err = put(d, nameOf(path), was.Content); err == nil {
			p.holdFormer(old.Name)
		}
	})
	return old, errors.Join(err, d.Close())
}

func notKept(path string, err error) *fault.Fault {
	return &fault.Fault{
		Place: fault.Place{File: path}, Err: err, Hints: append(Remedy(err), "without  healthy:  , or with  rollback: never  , nothing is kept"),
		What: fmt.Sprintf("what it holds cannot be kept to be put back, so it is not replaced: %v", err),
	}
}
