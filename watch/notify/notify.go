// Package notify tells dependents that their files have changed: it has systemd reload or restart a
// unit, sends a signal, asks a server over HTTP or at its socket, or runs a command.
//
// An action that succeeds has reached its dependent; one that cannot tell for certain fails, and is
// done again. Every action returns promptly when its context ends. No error, name or environment
// holds a value that came from a lookup.
package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/command"
)

// A Change is what a dependent is told about.
type Change struct {
	Services []string // whose files they are
	Paths    []string // the files that have changed since this dependent was last told, sorted
}

// An Action tells one dependent.
type Action interface {
	// Name says what is done to whom: "reload nginx.service". It is the dependent's identity, too:
	// equal actions have equal names, also after a restart of the daemon, and different ones
	// different names.
	Name() string

	// Target names what is told, as "nginx.service". Actions with the same target are never done at
	// once.
	Target() string

	// Do tells the dependent of a change and waits for its acknowledgement, as far as there is one.
	// It gives what there is to say about that, beside an error as well as without. The error is an
	// *Error.
	Do(ctx context.Context, c Change) (Output, error)
}

// Interrupts tells whether an action may interrupt what its dependent does: it waits for the window
// of a service that has one.
func Interrupts(a Action) bool {
	i, says := a.(interface{ Interrupts() bool })
	return says && i.Interrupts()
}

// An Output is what came of telling a dependent. The zero Output says nothing.
type Output struct {
	// Text may hold secrets, and is to be filtered before anybody sees it, unless it is Own.
	Text   []byte
	Own    bool                 // these are words of this package, in which no secret can stand
	Policy command.OutputPolicy // of the config, for what is not Own
}

// ours gives an output in our own words.
func ours(format string, args ...any) Output {
	return Output{Text: fmt.Appendf(nil, format, args...), Own: true}
}

// A Reason says why a dependent was not told.
type Reason string

const (
	Missing    Reason = "missing"     // there is no such unit
	Masked     Reason = "masked"      // the unit is masked
	NotRunning Reason = "not running" // there is no process to tell
	// Stale: the pid file names a process that is gone, or another than the one that was meant.
	Stale Reason = "stale"
	// NotHandled: the process would not notice the signal, or die of it. Perhaps it is still
	// starting.
	NotHandled   Reason = "not handled"
	NotSupported Reason = "not supported" // the unit cannot do what is asked of it
	NotPermitted Reason = "not permitted"
	Failed       Reason = "failed"      // it was told and could not do it
	TimedOut     Reason = "timed out"   // it was told and took longer than systemd lets it
	Unreachable  Reason = "unreachable" // systemd does not answer
	Stopped      Reason = "stopped"     // the context ended, or the time was over
)

// An Error is why a dependent was not told.
type Error struct {
	Reason Reason
	What   string   // one clause: "unit is not running"
	Figure string   // what in What is different each time, as "20ms after"; may be empty
	Hints  []string // what to do about it, a line each; may be empty
	Err    error    // the cause, for errors.Is; its text is not printed
}

// Error gives What.
func (e *Error) Error() string { return e.What }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hints gives what to do about an error of an Action, a line each.
func Hints(err error) []string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Hints
	}
	return nil
}

// Message gives an error of an Action in words that are the same each time it comes again.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Figure != "" {
		return strings.Replace(err.Error(), e.Figure, "soon after", 1)
	}
	return err.Error()
}

// withOptions gives the name of an action that is done otherwise than by default.
func withOptions(name string, timeout time.Duration, options ...string) string {
	if timeout != 0 {
		options = append([]string{"timeout " + timeout.String()}, options...)
	}
	if len(options) == 0 {
		return name
	}
	return name + " (" + strings.Join(options, ", ") + ")"
}

// stopped is the error of an action that was doing something when ctx ended.
func stopped(ctx context.Context, doing string) *Error {
	what := "stopped while " + doing
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		what = "gave up " + doing + ": it takes too long"
	}
	return &Error{Reason: Stopped, What: what, Err: ctx.Err()}
}
