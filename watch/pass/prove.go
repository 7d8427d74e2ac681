package pass

import (
	"context"
	"errors"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/probe"
)

// A Rollout is that a change has yet to be seen to be well, or was not.
type Rollout = ledger.Rollout

// A Stage says how far a rollout has come.
type Stage = ledger.Stage

// The stages that matter to who runs passes.
const (
	Settled   = ledger.Settled
	Unproven  = ledger.Unproven
	Retold    = ledger.Retold
	Reverting = ledger.Reverting
	Reverted  = ledger.Reverted
	Rejected  = ledger.Rejected
	Unwell    = ledger.Unwell
)

// A Proof is what came of looking whether a service is well with its change.
type Proof struct {
	Service string
	Was, Is Rollout // Is.Stage is Settled where it is well
	// Judged: it is on record. Else another change was begun meanwhile, the look was broken off, or
	// Err says why it could not be written.
	Judged  bool
	Failure string // why it is not well; "": it is
	Hints   []string
	Output  string // of a command, without values
	Took    time.Duration
	Err     error
}

// defaultWithin is how long a service has to become well.
const defaultWithin = 30 * time.Second

// Within gives how long the service has to become well, once its dependents have been told.
func (s *Service) Within() time.Duration {
	if s.HealthyWithin == 0 {
		return defaultWithin
	}
	return s.HealthyWithin
}

// Prove looks whether a service is well with a change that its dependents have been told of, and
// puts on record how far its rollout has come by that. Refused is why a dependent was not told,
// which is as good as that it is not well; "": all were.
func (o Options) Prove(ctx context.Context, s *Service, r Rollout, refused string, party Party) Proof {
	begun := time.Now()
	p := Proof{Service: s.Name, Was: r, Failure: refused}
	if mistake := fault.Caught(func() { o.prove(ctx, s, &p, party) }); mistake != nil {
		p.Err = mistake
	}
	p.Took = time.Since(begun)
	return p
}

func (o Options) prove(ctx context.Context, s *Service, p *Proof, party Party) {
	if p.Failure == "" {
		bake := o.bake(s, p.Was)
		err := probe.Prove(ctx, s.Healthy, max(s.HealthyFor, bake), s.Within()+bake)
		if ctx.Err() != nil {
			return
		}
		if failed, is := errors.AsType[*probe.Failure](err); is {
			p.Failure, p.Hints = failed.Error(), failed.Hints
			p.Output = o.Shown(failed.Said, party)
		} else if err != nil {
			p.Failure = err.Error()
		}
		o.woke(s.Name) // several looks end in the same moment
	}
	p.Is = next(s, p.Was, p.Failure)
	e := event(p)
	if p.Judged, p.Err = o.State.Ledger.Judge(p.Was, p.Is, p.Is.Stage == ledger.Retold, e); p.Judged && p.Err == nil {
		o.forget(p.Was, p.Is)
	}
	o.woke(s.Name)
}

// bake gives for how long a service is to stay well that goes first in its fleet with a change.
func (o Options) bake(s *Service, r Rollout) time.Duration {
	if o.Fleet == nil || s.Group == "" || r.Stage != ledger.Unproven && r.Stage != ledger.Retold {
		return 0
	}
	return o.Fleet.Bake(s.Name)
}

// woke is called after waits that may end for several services in the same moment.
func (o Options) woke(service string) {
	if o.Woken != nil {
		o.Woken(service)
	}
}

// next gives how far a rollout has come when somebody has looked. Whoever is told once more may
// have missed the first notice, or may have been slow.
func next(s *Service, was Rollout, failure string) Rollout {
	is := was
	is.Failure = failure
	switch {
	case failure == "" && was.Stage == ledger.Reverted:
		is.Stage, is.Failure, is.Still = ledger.Rejected, was.Failure, ""
	case failure == "":
		is = Rollout{Service: was.Service, Paths: was.Paths, Secrets: was.New, Layout: was.Layout}
	case was.Stage == ledger.Unproven && len(s.Dependents) > 0:
		is.Stage = ledger.Retold
	case was.Stage == ledger.Unproven || was.Stage == ledger.Retold:
		if is.Stage = ledger.Reverting; len(was.Old) == 0 {
			is.Stage = ledger.Unwell
		}
	case was.Stage == ledger.Reverted:
		is.Failure, is.Still = was.Failure, failure
	}
	return is
}

// WithOld is what the history notes where a service is well once its old files are back.
const WithOld = "well with the old files"

// Then says what is done where a service is not well, by how far its rollout has come by that.
var Then = map[Stage]string{
	ledger.Retold:    "its dependents are told once more",
	ledger.Reverting: "the old files are put back",
	ledger.Reverted:  "with the old files, either",
	ledger.Unwell:    "the new files stay",
}

// event gives what the history says of a proof: nothing where it is as it was.
func event(p *Proof) ledger.Event {
	e := ledger.Event{At: time.Now().Round(0).UTC(), Services: []string{p.Service}, Paths: p.Was.Paths, Kind: ledger.Healthy}
	switch {
	case p.Failure == "" && p.Is.Stage == ledger.Rejected:
		e.Note = WithOld
	case p.Failure == "":
	case p.Is.Stage == p.Was.Stage && p.Is.Failure == p.Was.Failure && p.Is.Still == p.Was.Still:
		return ledger.Event{}
	default:
		e.Kind, e.Failure, e.Stays = ledger.Unhealthy, p.Failure, p.Is.Stage == ledger.Unwell || p.Is.Stage == ledger.Reverted
		e.Refs, e.Note = p.Was.Refs, Then[p.Is.Stage]
	}
	return e
}

// forget takes away what is kept of files, where it is needed no more. What cannot be taken away is
// swept by a later pass.
func (o Options) forget(was, is Rollout) {
	if is.Stage != ledger.Settled || len(was.Old) == 0 {
		return
	}
	var names []string
	for _, old := range was.Old {
		names = append(names, old.Name)
	}
	shelf := o.State.shelf
	shelf.do(func() {
		if shelf.takeAway(o.State.Swap.Disk, o.State.Path, o.State.Ledger, names) != nil {
			shelf.littered.Store(true)
		}
	})
}

// An Undrained is what came of undoing what was done before a change.
type Undrained struct {
	Service string
	Fault   *fault.Fault // why it is tried again; nil: it is done
	Took    time.Duration
}

// Undrain does what is to be done after a change is over, and puts on record that it is.
func (o Options) Undrain(ctx context.Context, s *Service, r Rollout, party Party) Undrained {
	begun := time.Now()
	u := Undrained{Service: s.Name}
	env := notify.Change{Services: []string{s.Name}, Paths: r.Paths}.Environment()
	failed := fault.Caught(func() {
		output, err := o.runner()(ctx, s.After.Command, command.Options{Timeout: s.After.Timeout, Env: env})
		if err != nil {
			u.Fault = failedCommand("after", s.After, err, o.Shown(notify.Output{Text: output, Policy: s.After.Output}, party), "will try again")
			e := ledger.Event{At: time.Now().Round(0).UTC(), Kind: ledger.Unhealthy, Services: []string{s.Name}, Paths: r.Paths, Failure: u.Fault.What, Stays: true}
			o.State.Ledger.Undone(s.Name, u.Fault.What, e)
			return
		}
		if err := o.State.Ledger.Drain(s.Name, nil, true); err != nil {
			u.Fault = &fault.Fault{What: "after: it is done, and that cannot be put on record: " + err.Error(), Hints: Remedy(err), Err: err}
			return
		}
		if r.Undone != "" {
			o.State.Ledger.Note(ledger.Event{At: time.Now().Round(0).UTC(), Kind: ledger.Healthy, Services: []string{s.Name}, Paths: r.Paths, Note: "after: done"})
		}
	})
	if failed != nil {
		u.Fault = failed
	}
	o.woke(s.Name)
	u.Took = time.Since(begun)
	return u
}

// Probed tells whether somebody is to look whether the service is well.
func (s *Service) Probed(r Rollout) bool { return len(s.Healthy) > 0 && r.Stage.Probed() }

// Undrains tells whether what is to be done after a change is due, once nobody is owed a notice.
func (s *Service) Undrains(r Rollout) bool {
	over := r.Stage == ledger.Settled || r.Stage == ledger.Rejected
	return r.Drained && over && !s.After.IsZero()
}
