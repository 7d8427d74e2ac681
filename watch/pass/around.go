package pass

import (
	"errors"
	"strings"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/notify"
)

// drain has the service be made ready for a change. That this was begun is on durable record before
// it is: what undoes it is done however the change ends.
func (p *pass) drain() error {
	back := p.reverting && p.rollout.Drained // since the change
	if p.service.Before.IsZero() || len(p.changed) == 0 || back {
		return nil
	}
	if !p.service.After.IsZero() {
		if err := p.written(p.ledger.Drain(p.service.Name, p.ledger.Expand(p.service.Paths()), false)); err != nil {
			return err
		}
		if p.next != nil {
			p.next.Drained = true
		}
	}
	env := notify.Change{Services: []string{p.service.Name}, Paths: p.changed}.Environment()
	output, err := p.runs(p.ctx, p.service.Before.Command, command.Options{Timeout: p.service.Before.Timeout, Env: env})
	if err == nil {
		return nil
	}
	failed := failedCommand("before", p.service.Before, err, p.shownOfCheck(p.service.Before, output), "no file written")
	failed.Err = unprepared{failed.Err}
	return &FileError{"", failed}
}

// An unprepared error is that a command failed that makes ready for a change: it judges no file.
type unprepared struct{ error }

func (e unprepared) Unwrap() error { return e.error }

// failedCommand is the fault of a command around a change.
func failedCommand(key string, c command.Check, err error, output, so string) *fault.Fault {
	outcome, hints := err.Error(), []string(nil)
	if e, ok := errors.AsType[*command.Error](err); ok {
		outcome, hints = e.Outcome(), e.Hints
	}
	if text := strings.TrimSpace(output); text != "" {
		hints = append(strings.Split(text, "\n"), hints...)
	}
	return &fault.Fault{What: key + ": " + c.String() + ": " + outcome + "; " + so, Hints: hints, Err: err}
}
