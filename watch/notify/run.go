package notify

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
)

// Run runs a command, which acknowledges by its exit status 0.
//
// Its environment is the daemon's without credentials, and RENDERED_SERVICE and RENDERED_PATHS: the
// names of the services with a blank, and the changed files with a newline between two.
type Run struct {
	Command command.Command
	Timeout time.Duration // 0 is 30s
	Output  command.OutputPolicy
}

// maxVariable is how long one entry of an environment may be on Linux, its end included:
// MAX_ARG_STRLEN of execve(2).
const maxVariable = 128 << 10

// Name gives "run /usr/local/bin/on-change --quick".
func (r Run) Name() string {
	var options []string
	if r.Output != command.Redact {
		options = append(options, "output "+string(r.Output))
	}
	return withOptions(r.Target(), r.Timeout, options...)
}

// Target gives the command: two with other arguments may run at once.
func (r Run) Target() string { return "run " + r.Command.String() }

// Interrupts is true: nobody knows what a command does.
func (Run) Interrupts() bool { return true }

// Environment gives what the environment of a command says of a change. RENDERED_PATHS is not there
// where it would be longer than Linux allows.
func (c Change) Environment() []string {
	env := []string{"RENDERED_SERVICE=" + strings.Join(c.Services, " ")}
	if paths := "RENDERED_PATHS=" + strings.Join(c.Paths, "\n"); len(paths) < maxVariable {
		env = append(env, paths)
	}
	return env
}

// Do runs the command and gives its output. The error does not name the command again, which stands
// before it as the dependent.
func (r Run) Do(ctx context.Context, c Change) (Output, error) {
	text, err := command.Run(ctx, r.Command, command.Options{Timeout: r.Timeout, Env: c.Environment()})
	if e, ok := errors.AsType[*command.Error](err); ok {
		reason := Failed
		if e.Reason == command.Timeout || e.Reason == command.Stopped {
			reason = Stopped
		}
		err = &Error{Reason: reason, What: e.Outcome(), Hints: e.Hints, Err: e}
	}
	return Output{Text: text, Policy: r.Output}, err
}
