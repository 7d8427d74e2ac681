// Package probe looks whether dependents are well: whether a unit runs, a server answers, shows the
// certificate of a file, takes connections, or a command succeeds.
//
// A look changes nothing, ends promptly with its context, and takes bounded time and memory
// whatever is asked does. No error or name holds a value that came from a lookup.
package probe

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/notify"
)

// A Probe looks whether something on the machine is well.
type Probe interface {
	// Name says what is looked at: "http http://127.0.0.1/ok". It is the probe's identity: equal
	// probes have equal names, different ones different names. It can be printed and holds no
	// secret.
	Name() string

	// Begin begins a series of looks, which may remember what the ones before saw. They are made
	// one after the other.
	Begin() Look
}

// A Look looks once. It gives nil where all is well, else a *Failure.
type Look func(ctx context.Context) error

// A Failure is why something is not well.
type Failure struct {
	Probe string   // its name
	What  string   // one clause that is the same each time: "answered 502"
	Hints []string // what to do about it, a line each; may be empty
	// Said is what a command printed, or a unit wrote last. It may hold secrets, and is to be
	// filtered before anybody sees it.
	Said notify.Output
	// Lasting: no later look of this series can be well.
	Lasting bool
	Err     error // the cause, for errors.Is; its text is not printed; may be nil
}

// Error gives "http http://127.0.0.1/ok: answered 502".
func (f *Failure) Error() string { return f.Probe + ": " + f.What }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// defaultTimeout bounds one look.
const defaultTimeout = 5 * time.Second

// within bounds a look; 0 is the default.
func within(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(timeout, defaultTimeout))
}

// stateless gives the series of a look that remembers nothing. Where it panics, that is a failure.
func stateless(p Probe, look func(context.Context) *Failure) Look {
	return func(ctx context.Context) error {
		var failed *Failure
		if caught := fault.Caught(func() { failed = look(ctx) }); caught != nil {
			failed = &Failure{What: caught.What, Hints: caught.Hints}
		}
		if failed == nil {
			return nil
		}
		failed.Probe = p.Name()
		return failed
	}
}

// named gives the name of a probe that looks otherwise than by default.
func named(name string, timeout time.Duration, options ...string) string {
	if timeout != 0 {
		options = append(options, "timeout "+timeout.String())
	}
	if len(options) == 0 {
		return name
	}
	return name + " (" + strings.Join(options, ", ") + ")"
}

// maxQuoted is how many bytes of a text a name shows.
const maxQuoted = 40

// quoted writes a text as a name can have it. Where it is cut a digest tells it from others.
func quoted(text string) string {
	if len(text) <= maxQuoted {
		return fmt.Sprintf("%+q", text)
	}
	digest := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%+q… #%x", text[:maxQuoted], digest[:4])
}
