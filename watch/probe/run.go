package probe

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/watch/notify"
)

// A Run is well where a command succeeds.
type Run struct {
	Command command.Command
	Timeout time.Duration // of one run; 0 is 5s
	Output  command.OutputPolicy
}

// Name gives "run pg_isready -h 127.0.0.1".
func (r Run) Name() string {
	var options []string
	if r.Output != command.Redact {
		options = append(options, "output "+string(r.Output))
	}
	return named("run "+r.Command.String(), r.Timeout, options...)
}

// Begin begins a series.
func (r Run) Begin() Look { return stateless(r, r.look) }

func (r Run) look(ctx context.Context) *Failure {
	text, err := command.Run(ctx, r.Command, command.Options{Timeout: cmp.Or(r.Timeout, defaultTimeout)})
	if err == nil {
		return nil
	}
	failed := &Failure{What: "failed", Said: notify.Output{Text: text, Policy: r.Output}, Err: err}
	if e, ok := errors.AsType[*command.Error](err); ok {
		failed.What, failed.Hints = e.Outcome(), e.Hints
	}
	return failed
}
