package watch

import (
	"context"
	"time"

	"github.com/rendered/rendered/watch/pass"
)

// A follow is what Once has done for a service after its dependents were told.
type follow struct {
	busy  bool
	ended map[pass.Stage]bool // that it was in when it was last looked at
	tried bool                // what was done before the change was to be undone
	said  bool                // that something failed
	alarm *pass.Alarm
	last  *pass.Proof
	after *pass.Undrained
}

// follow begins what is due after notices, and tells whether anything is under way.
func (r *round) follow(ctx context.Context, now time.Time) bool {
	if r.teller.Silent || ctx.Err() != nil {
		return false
	}
	under := false
	for _, k := range r.keepers {
		svc := k.Service()
		o, done := r.outcomes[svc.Name]
		if len(svc.Healthy) == 0 && svc.After.IsZero() && svc.OnFailure.IsZero() || !done {
			continue
		}
		f := r.followed[svc.Name]
		if f == nil {
			f = &follow{ended: make(map[pass.Stage]bool)}
			r.followed[svc.Name] = f
		}
		if !f.busy && !r.teller.IsReading(svc.Name) {
			r.followOne(ctx, k, o, f)
		}
		under = under || f.busy
	}
	return under
}

// followOne begins what is due for one service.
func (r *round) followOne(ctx context.Context, k *pass.Keeper, o pass.Outcome, f *follow) {
	svc := k.Service()
	stands, open := r.teller.Ledger.Rollout(svc.Name)
	if stands.Trouble != nil && !f.said && !svc.OnFailure.IsZero() {
		f.busy, f.said = true, true
		go func() { r.send(alarmed{r.options.Alarm(ctx, svc, *stands.Trouble, o.Party)}) }()
		return
	}
	if !open || f.ended[stands.Stage] && !svc.Undrains(stands) {
		return
	}
	told, refused := true, ""
	for _, owed := range r.teller.Owed(svc.Name) {
		if told = false; owed.Failure != "" {
			refused = owed.Dependent + ": " + owed.Failure
		}
	}
	switch {
	case stands.Stage == pass.Reverting:
		f.busy, f.ended[stands.Stage] = true, true
		r.again(ctx, k)
	case svc.Probed(stands) && o.Matched && (told || refused != ""):
		f.busy, f.ended[stands.Stage] = true, true
		go func() { r.send(proved{r.options.Prove(ctx, svc, stands, refused, o.Party)}) }()
	case svc.Undrains(stands) && told && !f.tried:
		f.busy, f.tried = true, true
		go func() { r.send(undrained{r.options.Undrain(ctx, svc, stands, o.Party)}) }()
	}
}

// again takes a service through another pass, which puts its old files back.
func (r *round) again(ctx context.Context, k *pass.Keeper) {
	r.working++
	t := turns(k, r.send)
	t.Why = string(Rollback)
	r.options.State.Jobs.Go(func() { r.send(done{k, k.Run(ctx, r.snapshot, t)}) })
}

// proved notes what came of looking whether a service is well.
func (r *round) proved(p pass.Proof, now time.Time) {
	f := r.followed[p.Service]
	f.busy, f.last = false, &p
	r.teller.Retry(p.Service, now) // some may be owed a notice once more
}

// undrained notes what came of undoing what was done before a change.
func (r *round) undrained(u pass.Undrained) {
	f := r.followed[u.Service]
	f.busy, f.after = false, &u
}

// alarmed notes what came of saying that something failed. What fails afterwards is said, too.
func (r *round) alarmed(a pass.Alarm) {
	f := r.followed[a.Service]
	f.busy, f.said, f.alarm = false, a.Fault != nil, &a
}

// health says whether a service was seen to be well.
func (r *round) health(svc *pass.Service) (Health, bool) {
	var stands *pass.Rollout
	if rollout, open := r.teller.Ledger.Rollout(svc.Name); open && len(svc.Healthy) > 0 {
		stands = &rollout
	}
	f := r.followed[svc.Name]
	if f == nil {
		f = new(follow)
	}
	h, said := healthOf(svc.Name, stands, f.last, f.after)
	if f.alarm != nil && f.alarm.Fault != nil {
		h.Unsaid, said = f.alarm.Fault, true
	}
	return h, said
}
