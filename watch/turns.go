package watch

import (
	"github.com/rendered/rendered/watch/pass"
)

// TakeTurn has services looked at whose turn it is in their fleet, or is not any more.
func (l *Loop) TakeTurn(services []string) {
	l.send(refresh{services, pass.Trigger{Why: string(Turn)}})
}

// stands says how the services of a fleet stand with their last changes.
func (l *Loop) stands() {
	if l.Pass.Fleet == nil {
		return
	}
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		if svc.Group == "" || s.busy || !s.tried {
			continue
		}
		if s.paused != nil {
			l.Pass.Fleet.Rests(svc.Name)
		}
		l.Pass.Fleet.Stands(l.standsInFleet(svc, s))
	}
}

// standsInFleet gives how a service stands with its last change. That its host is yet to be made
// ready again counts as a notice that is owed.
func (l *Loop) standsInFleet(svc *Service, s *state) pass.Standing {
	r, _ := l.Pass.State.Ledger.Rollout(svc.Name)
	owed := l.teller.Owed(svc.Name)
	st := pass.Standing{
		Service: svc.Name, Stage: r.Stage, Failure: r.Failure, Owed: len(owed) > 0 || svc.Undrains(r), Probed: len(svc.Healthy) > 0,
		Failing: r.Stage == pass.Reverted && s.after.failures > 0,
	}
	for _, o := range owed {
		if len(svc.Healthy) == 0 && o.Failures >= refusals { // nobody looks whether it is well
			st.Failing, st.Failure = true, o.Dependent+": "+o.Failure
		}
	}
	return st
}
