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
		if svc.Group == "" || s.busy {
			continue
		}
		r, _ := l.Pass.State.Ledger.Rollout(svc.Name)
		l.Pass.Fleet.Stands(pass.Standing{
			Service: svc.Name, Group: svc.Group, Stage: r.Stage, Failure: r.Failure, Owed: len(l.teller.Owed(svc.Name)) > 0,
			Failing: r.Stage == pass.Reverted && s.after.failures > 0,
		})
	}
}
