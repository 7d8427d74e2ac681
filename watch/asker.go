package watch

import (
	"context"

	"github.com/rendered/rendered/watch/pass"
)

// An Asker asks a loop on behalf of somebody, whom the history names.
type Asker struct {
	loop *Loop
	who  string
}

// For gives an Asker for somebody, as the name of a user or of a signal; "": nobody knows.
func (l *Loop) For(who string) Asker { return Asker{l, who} }

// because gives why somebody has services looked at.
func (a Asker) because(why Reason) pass.Trigger { return pass.Trigger{Why: string(why), Who: a.who} }

// Refresh looks at these services again, or at all where there are none.
func (a Asker) Refresh(services ...string) {
	a.loop.send(refresh{services, a.because(Refreshed)})
}

// RefreshNow looks at these services at once, or at all where there are none, and gives what came
// of it when their dependents were told, too, or cannot be told now. Those that are paused are not
// looked at. The error is that the loop stops, or that of ctx; what was begun goes on then.
func (a Asker) RefreshNow(ctx context.Context, services ...string) (Result, error) {
	answer := make(chan Result, 1)
	return answered(ctx, a.loop, &request{ctx: ctx, services: services, why: a.because(Refreshed), answer: answer}, answer)
}

// Reload is Loop.Reload, and says what came of it. The error may be that of ctx.
func (a Asker) Reload(ctx context.Context) (Reloaded, error) {
	answer := make(chan reloaded, 1)
	r, err := answered(ctx, a.loop, reload{answer: answer, who: a.who}, answer)
	if err == nil {
		err = r.err
	}
	return r.Reloaded, err
}

// ReloadAndWait is Reload, and gives what comes of the looks that follow, as RefreshNow does.
func (a Asker) ReloadAndWait(ctx context.Context) (Reloaded, Result, error) {
	answer, looks := make(chan reloaded, 1), make(chan Result, 1)
	then := &request{ctx: ctx, why: a.because(Reload), answer: looks}
	came, err := answered(ctx, a.loop, reload{answer, a.who, then}, answer)
	if err != nil {
		return came.Reloaded, Result{}, err
	}
	result, err := awaited(ctx, a.loop, looks)
	if err == nil {
		err = came.err
	}
	return came.Reloaded, result, err
}
