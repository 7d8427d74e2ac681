package notify

import (
	"cmp"
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

// methods are those of the interface org.freedesktop.systemd1.Manager
// (org.freedesktop.systemd1(5)).
var methods = map[Verb]string{Reload: "ReloadUnit", Restart: "RestartUnit", Start: "StartUnit"}

// Systemd has systemd do something with a unit, waits until that is done, and sees that the unit
// stays up. To reload a unit that does not run succeeds without doing anything: it reads its files
// when it starts.
type Systemd struct {
	Verb    Verb
	Unit    string        // without a suffix it is a .service
	Timeout time.Duration // how long to wait for systemd and the unit; 0 is 2m
	// UpFor is how long the unit is looked at once systemd is done; 0 is 3s after a restart or a
	// start, and 500ms after a reload. It ends with Timeout.
	UpFor time.Duration
	Bus   string // D-Bus address of systemd; "" is the system bus
}

// jobTimeout is more than DefaultTimeoutStartSec and DefaultTimeoutStopSec, 90s each
// (systemd-system.conf(5)).
const jobTimeout = 2 * time.Minute

// Interrupts is false for a reload.
func (s Systemd) Interrupts() bool { return s.Verb != Reload }

// Name gives "reload nginx.service".
func (s Systemd) Name() string {
	var options []string
	if s.UpFor != 0 {
		options = append(options, "up for "+s.UpFor.String())
	}
	return withOptions(string(s.Verb)+" "+unitName(s.Unit), s.Timeout, options...)
}

// Within gives how long all of it may take.
func (s Systemd) Within() time.Duration { return cmp.Or(s.Timeout, jobTimeout) }

// Target gives the unit.
func (s Systemd) Target() string { return unitName(s.Unit) }

// own gives the unit that is ours.
var own = sandbox.Unit

// ownTimeout is how long systemd may take to accept that we are to be restarted: by then it may
// have told us to end.
const ownTimeout = 5 * time.Second

// Do has it done. The text says so where nothing had to be done. A restart of our own unit is done
// when systemd has accepted it: whoever waited for its end would not live to see it, and the next
// process would owe it again.
//
// systemd's word that a job is done is no word about the next moment: a unit is looked at for some
// more time, and has failed where it does not stay up. What it wrote last is then the output.
func (s Systemd) Do(ctx context.Context, _ Change) (Output, error) {
	timeout := s.Within()
	if s.itself() {
		ctx, timeout = context.WithoutCancel(ctx), min(timeout, ownTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	m, err := dial(ctx, s.Bus)
	if err != nil {
		return Output{}, err
	}
	defer m.Close()
	u, err := m.usable(ctx, unitName(s.Unit))
	switch {
	case err != nil:
		return Output{}, err
	case s.Verb != Reload:
	case u.atRest():
		return u.notReloaded(), nil
	case !u.canReload:
		return Output{}, notReloadable(u.name)
	}
	return s.run(ctx, m, u)
}

// itself tells whether we are to be restarted.
func (s Systemd) itself() bool { return s.Verb == Restart && unitName(s.Unit) == own() }

// run has systemd do it, and sees what becomes of the unit, unless that is ours.
func (s Systemd) run(ctx context.Context, m *manager, u *unit) (said Output, err error) {
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
	if s.itself() {
		return Output{}, nil
	}
	result, err := job.wait(ctx)
	switch {
	case err != nil:
		return Output{}, explainCall(ctx, err, s.Verb, u.name)
	case result == "done":
		v := vigil{verb: s.Verb, unit: u.name, upFor: s.UpFor, before: before, news: job.follow(ctx, u)}
		v.look = func(ctx context.Context) (run, error) { return m.run(ctx, u) }
		said, err = v.keep(ctx)
	default:
		said, err = s.outcome(ctx, m, u, result)
	}
	if told(err) {
		said = Output{Text: lastWords(ctx, u.name, asked)}
	}
	return said, err
}

// told tells of an error that the unit was told and failed.
func told(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Reason == Failed || e.Reason == TimedOut)
}

// outcome says what a job's result other than done means. The results are those of JobRemoved
// (org.freedesktop.systemd1(5)).
func (s Systemd) outcome(ctx context.Context, m *manager, u *unit, result string) (Output, error) {
	switch result {
	case "skipped":
		return ours("systemd skipped the job: it did not apply to the unit as it is"), nil
	case "failed":
		return Output{}, s.failed(ctx, m, u)
	case "timeout":
		return Output{}, s.tooLong(u)
	case "invalid":
		return s.invalid(ctx, m, u)
	}
	look := look(u.name)
	if e, ok := map[string]*Error{
		"canceled":    {Reason: Failed, What: string(s.Verb) + " was canceled by another job for the unit"},
		"dependency":  {Reason: Failed, What: "a unit that it depends on failed", Hints: []string{"systemctl list-dependencies " + u.name, look[1]}},
		"assert":      {Reason: Failed, What: "an Assert… of the unit does not hold", Hints: look},
		"unsupported": {Reason: NotSupported, What: "units of this kind do not work on this machine"},
	}[result]; ok {
		return Output{}, e
	}
	return Output{}, &Error{Reason: Failed, What: fmt.Sprintf("%s ended as %q", s.Verb, result), Hints: look}
}

// invalid says why a job did not apply to the unit: it may have stopped while we asked.
func (s Systemd) invalid(ctx context.Context, m *manager, u *unit) (Output, error) {
	if now, err := m.load(ctx, u.name); err == nil && s.Verb == Reload && now.atRest() {
		return now.notReloaded(), nil
	}
	return Output{}, &Error{Reason: NotRunning, What: "unit could not be reloaded: it is only just starting"}
}

// failed is the error of a job that failed. Where a service failed by one of its own timeouts the
// job is no more than failed; its result timeout is that of JobTimeoutSec (seen with systemd 252).
func (s Systemd) failed(ctx context.Context, m *manager, u *unit) *Error {
	now, err := m.run(ctx, u)
	if s.Verb == Reload {
		now.death = death{result: now.reload}
	}
	if err == nil && now.result == "timeout" {
		return s.tooLong(u)
	}
	e := &Error{Reason: Failed, What: string(s.Verb) + " failed", Hints: look(u.name)}
	if detail := now.detail(); err == nil && detail != "" {
		e.What += ": " + detail
	}
	return e
}

func (s Systemd) tooLong(u *unit) *Error {
	return &Error{Reason: TimedOut, What: string(s.Verb) + " took longer than the unit allows", Hints: look(u.name)}
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
