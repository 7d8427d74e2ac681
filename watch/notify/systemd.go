package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/sandbox"
)

// A Verb is what systemd is asked to do with a unit.
type Verb string

const (
	Reload  Verb = "reload"  // read its files again; a unit that is not running stays so
	Restart Verb = "restart" // stop and start; a unit that is not running is started
	Start   Verb = "start"   // a unit that is running stays as it is
)

// methods are those of the interface org.freedesktop.systemd1.Manager (org.freedesktop.systemd1(5)).
var methods = map[Verb]string{Reload: "ReloadUnit", Restart: "RestartUnit", Start: "StartUnit"}

// Systemd has systemd do something with a unit, waits until that is done, and sees that the unit
// stays up. To reload a unit that does not run succeeds without doing anything: it reads its files
// when it starts.
type Systemd struct {
	Verb    Verb
	Unit    string        // without a suffix it is a .service
	Timeout time.Duration // how long to wait for systemd and the unit; 0 is 2m
	Bus     string        // D-Bus address of systemd; "" is the system bus
}

// jobTimeout is more than DefaultTimeoutStartSec and DefaultTimeoutStopSec, 90s each (systemd-system.conf(5)).
const jobTimeout = 2 * time.Minute

// Name gives "reload nginx.service".
func (s Systemd) Name() string { return string(s.Verb) + " " + unitName(s.Unit) }

// own gives the unit that is ours.
var own = sandbox.Unit

// ownTimeout is how long systemd may take to accept that we are to be restarted: by then it may have told us to end.
const ownTimeout = 5 * time.Second

// Do has it done. The text says so where nothing had to be done. A restart of our own unit is done when systemd has accepted it: whoever
// waited for its end would not live to see it, and the next process would owe it again.
//
// systemd's word that a job is done is no word about the next moment: a unit is looked at for some
// more time, and has failed where it does not stay up. What it wrote last is then the output.
func (s Systemd) Do(ctx context.Context, _ Change) (Output, error) {
	itself := s.Verb == Restart && unitName(s.Unit) == own()
	if itself {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), ownTimeout)
		defer cancel()
	}
	ctx, cancel := within(ctx, s.Timeout, jobTimeout)
	defer cancel()
	m, err := dial(ctx, s.Bus)
	if err != nil {
		return Output{}, err
	}
	defer m.Close()
	u, err := m.load(ctx, unitName(s.Unit))
	if err == nil {
		err = u.usable()
	}
	switch {
	case err != nil:
		return Output{}, err
	case s.Verb == Reload && u.atRest():
		return u.notReloaded(), nil
	case s.Verb == Reload && !u.canReload:
		return Output{}, notReloadable(u.name)
	}
	m.follow(ctx, u)
	before, err := m.run(ctx, u)
	if err != nil {
		return Output{}, explainCall(ctx, err, "look at", u.name)
	}
	asked := time.Now()
	job, err := m.enqueue(ctx, methods[s.Verb], u.name)
	if err != nil {
		return Output{}, explainCall(ctx, err, s.Verb, u.name)
	}
	defer job.forget()
	if itself {
		return Output{}, nil
	}
	result, err := job.wait(ctx)
	if err != nil {
		return Output{}, explainCall(ctx, err, s.Verb, u.name)
	}
	said, err := s.outcome(ctx, m, u, result)
	if err == nil && result == "done" {
		v := vigil{verb: s.Verb, unit: u.name, before: before, news: job.follow(ctx, u)}
		v.look = func(ctx context.Context) (run, error) { return m.run(ctx, u) }
		said, err = v.keep(ctx)
	}
	if e, ok := errors.AsType[*Error](err); ok && (e.Reason == Failed || e.Reason == TimedOut) {
		said = Output{Text: lastWords(ctx, u.name, asked)}
	}
	return said, err
}

// outcome says what a job's result means. The results are those of JobRemoved (org.freedesktop.systemd1(5)).
func (s Systemd) outcome(ctx context.Context, m *manager, u *unit, result string) (Output, error) {
	look := look(u.name)
	switch result {
	case "done":
		return Output{}, nil
	case "skipped":
		return ours("systemd skipped the job: it did not apply to the unit as it is"), nil
	case "failed":
		return Output{}, s.failed(ctx, m, u)
	case "timeout":
		return Output{}, s.tooLong(look)
	case "canceled":
		return Output{}, &Error{Reason: Failed, What: string(s.Verb) + " was canceled by another job for the unit"}
	case "dependency":
		return Output{}, &Error{Reason: Failed, What: "a unit that it depends on failed", Hints: []string{
			"systemctl list-dependencies " + u.name, look[1],
		}}
	case "assert":
		return Output{}, &Error{Reason: Failed, What: "an Assert… of the unit does not hold", Hints: look}
	case "unsupported":
		return Output{}, &Error{Reason: NotSupported, What: "units of this kind do not work on this machine"}
	case "invalid":
		if now, err := m.load(ctx, u.name); err == nil && s.Verb == Reload && now.atRest() {
			return now.notReloaded(), nil // it stopped while we asked
		}
		return Output{}, &Error{Reason: NotRunning, What: "unit could not be reloaded: it is only just starting"}
	}
	return Output{}, &Error{Reason: Failed, What: fmt.Sprintf("%s ended as %q", s.Verb, result), Hints: look}
}

// failed is the error of a job that failed. Where a service failed by one of its own timeouts the
// job is no more than failed; its result timeout is that of JobTimeoutSec (seen with systemd 252).
func (s Systemd) failed(ctx context.Context, m *manager, u *unit) *Error {
	now, err := m.run(ctx, u)
	if s.Verb == Reload {
		now.death = death{result: now.reload}
	}
	if err == nil && now.result == "timeout" {
		return s.tooLong(look(u.name))
	}
	e := &Error{Reason: Failed, What: string(s.Verb) + " failed", Hints: look(u.name)}
	if detail := now.detail(); err == nil && detail != "" {
		e.What += ": " + detail
	}
	return e
}

func (s Systemd) tooLong(look []string) *Error {
	return &Error{Reason: TimedOut, What: string(s.Verb) + " took longer than the unit allows", Hints: look}
}

func notReloadable(unit string) *Error {
	return &Error{Reason: NotSupported, What: "unit has no way to reload", Hints: []string{
		"either  restart: " + unit,
		"or      ExecReload= in the unit, or signal: for a program that reloads on one",
	}}
}

// atRest reports whether no process of the unit will go on with the old files.
func (u *unit) atRest() bool {
	return slices.Contains([]string{"inactive", "failed", "deactivating"}, u.activeState)
}

func (u *unit) notReloaded() Output {
	return ours("%s is %s: nothing to reload", u.name, u.activeState)
}

// suffixes are the kinds of units (systemd.unit(5)).
var suffixes = []string{
	".service", ".socket", ".device", ".mount", ".automount", ".swap", ".target", ".path", ".timer", ".slice", ".scope",
}

// unitName completes a name as systemctl does.
func unitName(name string) string {
	if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
		return name
	}
	return name + ".service"
}
