package probe

import (
	"context"
	"errors"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

// A Unit is well while it is active, in one and the same run. A service of Type=oneshot is well
// when its work is done and has not failed.
//
// One that systemd itself has started again since the series began is not well any more in that
// series. One that somebody else has restarted is not well for one look.
type Unit struct {
	Unit    string        // without a suffix it is a .service
	Timeout time.Duration // of one look; 0 is 5s
	Bus     string        // D-Bus address of systemd; "" is the system bus
}

// Name gives "unit nginx.service".
func (u Unit) Name() string { return named("unit "+notify.UnitName(u.Unit), u.Timeout) }

// Begin begins a series.
func (u Unit) Begin() Look {
	w := &unitWatch{Unit: u, begun: time.Now(), ask: notify.StandingOf, read: notify.LastLines}
	return stateless(u, w.look)
}

// A unitWatch is one series of looks.
type unitWatch struct {
	Unit
	begun time.Time
	ask   func(ctx context.Context, bus, unit string) (notify.Standing, error)
	read  func(ctx context.Context, unit string, since time.Time) []byte

	base  notify.Standing // how it was at the look before, with the restarts of the first
	known bool            // base is
	last  *Failure        // what the look before found; nil: nothing
}

func (w *unitWatch) look(ctx context.Context) *Failure {
	ctx, cancel := within(ctx, w.Timeout)
	defer cancel()
	now, err := w.ask(ctx, w.Bus, w.Unit.Unit)
	if err != nil {
		w.last = nil
		return cannotAsk(err)
	}
	failed := w.judge(now)
	if failed != nil {
		failed.Hints = notify.LookHints(w.Unit.Unit)
		if w.last == nil || w.last.What != failed.What {
			failed.Said = notify.Output{Text: w.lastLines(ctx, now)}
		} else {
			failed.Said = w.last.Said
		}
	}
	w.last = failed
	return failed
}

// cannotAsk is the failure where systemd does not say how the unit is.
func cannotAsk(err error) *Failure {
	what := "cannot be looked at"
	if e, ok := errors.AsType[*notify.Error](err); ok {
		what += ": " + e.What
	}
	return &Failure{What: what, Hints: notify.Hints(err), Err: err}
}

// lastLines gives what the unit has written since its run began, or since the series did.
func (w *unitWatch) lastLines(ctx context.Context, now notify.Standing) []byte {
	since := w.begun
	if !now.Begun.IsZero() && now.Begun.Before(since) {
		since = now.Begun
	}
	return w.read(ctx, w.Unit.Unit, since)
}

// judge says what is wrong with the unit as it is now, compared with what it was.
func (w *unitWatch) judge(now notify.Standing) *Failure {
	before := w.base
	if !w.known {
		before, w.known = now, true
	}
	if now.Restarts > before.Restarts {
		return &Failure{What: because("ended, and systemd has started it again", now), Lasting: true}
	}
	w.base = now
	if before.Active == "active" && now.Invocation != before.Invocation && now.Invocation != "" {
		return &Failure{What: "has just been restarted by somebody else"}
	}
	failed := unwell(now)
	// systemd 254 and newer call a unit failed for a moment before they start it again.
	if failed != nil && now.Active == "failed" {
		failed.Lasting = before.Active == "failed" && before.Invocation == now.Invocation && w.last != nil
	}
	return failed
}

// unwell says what is wrong with a unit as it is; nil: nothing.
func unwell(now notify.Standing) *Failure {
	oneshot := now.Kind == "oneshot"
	switch {
	case now.Active == "activating" && now.Failed:
		return &Failure{What: because("failed, and systemd starts it again", now)}
	case now.Active == "failed" || now.Failed:
		return &Failure{What: because("failed", now)}
	case now.Active == "active" || now.Active == "reloading" || oneshot && now.Active == "inactive":
		return nil
	case now.Active == "activating" && oneshot:
		return &Failure{What: "is still at work"}
	case now.Active == "activating":
		return &Failure{What: "is still starting"}
	case now.Active == "deactivating":
		return &Failure{What: "is just ending"}
	}
	return &Failure{What: "is not running"}
}

// because adds how a unit failed, where that is known.
func because(what string, now notify.Standing) string {
	if now.Failure == "" {
		return what
	}
	return what + ": " + now.Failure
}
