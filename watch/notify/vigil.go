package notify

import (
	"cmp"
	"context"
	"fmt"
	"syscall"
	"time"
)

// vigils are how long a unit is looked at after systemd is done with it. A program that cannot use
// its files ends within the first second or two of its start; what systemd says of a start, unless
// the program tells it that it is ready, comes before that. A reload is answered by the running
// program, which ends at once or not for that reason.
var vigils = map[Verb]time.Duration{Restart: 3 * time.Second, Start: 3 * time.Second, Reload: 500 * time.Millisecond}

// lookEvery is how often a unit is looked at where no signal of systemd says that it has changed.
const lookEvery = 250 * time.Millisecond

// A run is how a unit is at one moment.
type run struct {
	active string // as in unit
	// invocation names the run: each start begins another (InvocationID in
	// org.freedesktop.systemd1(5)).
	invocation string
	kind       string // the Type= of a service; "" of other units
	restarts   uint32 // by systemd itself, since somebody last started it
	reload     string // how its last reload ended, as death.result
	begun      time.Time
	death
}

// A death is how the main process of a service ended.
type death struct {
	// result is success, exit-code, signal, core-dump, timeout, watchdog, oom-kill,
	// start-limit-hit, resources, …
	result       string
	code, status int32 // si_code and si_status of waitid(2)
}

// bad reports that systemd calls it a failure.
func (d death) bad() bool { return d.result != "" && d.result != "success" }

// news is what a signal of systemd says about the unit.
type news struct {
	death      // of a property that changed
	other bool // somebody else had systemd do something with the unit
}

// A vigil looks at a unit after systemd was done with what it was asked for, until it has been up
// for long enough.
type vigil struct {
	verb   Verb
	unit   string
	upFor  time.Duration                      // of the config; 0: as long as vigils has it
	before run                                // when systemd had not been asked yet
	look   func(context.Context) (run, error) // what the unit is like now
	news   <-chan news                        // may be nil
}

// lasts gives how long a unit is looked at after it was told so.
func (v vigil) lasts(verb Verb) time.Duration { return cmp.Or(v.upFor, vigils[verb]) }

// keep gives what there is to say of a unit that is up, or has done its work, and an error of one
// that failed. The end of ctx ends it: what systemd said counts then.
func (v vigil) keep(ctx context.Context) (Output, error) {
	w := witness{vigil: v, base: v.before}
	begun := time.Now()
	over := time.NewTimer(v.lasts(v.verb))
	defer over.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := false; ; {
		if decided := w.look(ctx, time.Since(begun), last); decided != nil {
			return decided.said, decided.failed
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case n := <-v.news:
			w.hear(n)
		case <-over.C:
			last = !w.goesOn(over, begun)
		}
	}
}

// A witness remembers what was seen during a vigil.
type witness struct {
	vigil
	base   run  // what a run that stays up is like
	looked bool // at least once
	// worst is the last bad one that a signal told of: the next start of the unit clears it.
	worst  death
	other  bool          // somebody else did something with the unit
	gone   time.Duration // when it was first seen to have ended; 0 where it has not
	died   string        // how a reload ended it, after which systemd has started it again
	figure string        // in died, as Error.Figure
}

func (w *witness) hear(n news) {
	if n.bad() {
		w.worst = n.death
	}
	w.other = w.other || n.other
}

// goesOn tells whether the vigil goes on when its time is over: a unit that systemd has started
// again after a reload gets as long as one that we started.
func (w *witness) goesOn(over *time.Timer, begun time.Time) bool {
	left := w.lasts(Restart) - time.Since(begun)
	if w.died == "" || left <= 0 {
		return false
	}
	over.Reset(left)
	return true
}

// look looks at the unit, and decides in the end.
func (w *witness) look(ctx context.Context, after time.Duration, last bool) *verdict {
	now, err := w.vigil.look(ctx)
	if ctx.Err() != nil {
		return &verdict{}
	}
	if err == nil {
		if decided := w.judge(now, after, last); decided != nil {
			return decided
		}
	}
	if last {
		return w.farewell(now)
	}
	return nil
}

// A verdict is what is decided about a unit.
type verdict struct {
	said   Output
	failed error
}

// judge decides what a look allows to decide; nil: nothing yet. The last one decides about what is
// on its way, too.
func (w *witness) judge(now run, after time.Duration, last bool) *verdict {
	if w.ranAlready(now) || now.worked() {
		return &verdict{}
	}
	if w.startedAgain(now) {
		return w.again(now, after)
	}
	w.follow(now)
	if !now.over(last) {
		w.gone = 0
		return nil
	}
	if w.gone = cmp.Or(w.gone, max(after, 1)); !last && w.mayRise(now, after) {
		return nil
	}
	return w.ended(now)
}

// ranAlready tells of the first look whether the unit ran before it was to be started.
func (w *witness) ranAlready(now run) bool {
	if w.looked {
		return false
	}
	w.looked = true
	if w.verb != Reload {
		// It is ours, unless systemd has started it again meanwhile.
		w.base = run{invocation: now.invocation}
	}
	return w.verb == Start && now.active == "active" && now.invocation == w.before.invocation
}

// worked tells whether there is nothing to look at: the work of a oneshot is done when its job is,
// and what is no service has no process.
func (r run) worked() bool { return r.kind == "oneshot" || r.kind == "" && r.active != "failed" }

// startedAgain tells whether systemd itself has started the unit again, or is about to.
func (w *witness) startedAgain(now run) bool {
	return now.restarts > w.base.restarts ||
		now.active == "activating" && w.base.active != "activating" && now.invocation == w.base.invocation
}

// again decides about a unit that systemd has started again. After a reload it comes back with the
// new files, and to reload it once more would end it once more.
func (w *witness) again(now run, after time.Duration) *verdict {
	if w.verb != Reload || w.died != "" {
		return &verdict{failed: w.failure(now, after, true)}
	}
	w.died, w.figure = w.how(now, after), figure(after)
	w.base = run{active: "activating", restarts: max(now.restarts, w.base.restarts+1)}
	return nil
}

// follow goes on with a run that has come up, or that somebody else has begun.
func (w *witness) follow(now run) {
	switch {
	case now.active == "active" && w.base.active == "activating":
		w.base.active, w.base.invocation = now.active, now.invocation
	case now.invocation != w.base.invocation && now.invocation != "" && w.base.invocation != "":
		w.base, w.other, w.worst = run{active: now.active, invocation: now.invocation, restarts: now.restarts}, true, death{}
	}
}

// over tells whether the unit has ended; to the last look one that is about to end has.
func (r run) over(last bool) bool {
	return r.active == "inactive" || r.active == "failed" || last && r.active == "deactivating"
}

// restedFor is how long a unit has ended, and not only until systemd starts it again: systemd 254
// and newer call it inactive or failed between the two, for a moment.
const restedFor = 200 * time.Millisecond

// mayRise tells whether systemd may start again a unit that has ended. One that we started has
// failed all the same.
func (w *witness) mayRise(now run, after time.Duration) bool {
	return after-w.gone < restedFor && (now.active != "failed" || w.verb == Reload)
}

// ended decides about a unit that has ended for good.
func (w *witness) ended(now run) *verdict {
	switch {
	case now.active == "failed":
	case w.other:
		return &verdict{said: ours("%s was stopped by somebody else %v after its %s", w.unit, span(w.gone), w.verb)}
	case w.verb == Start:
		return &verdict{said: ours("%s ended %v after its start, without an error", w.unit, span(w.gone))}
	}
	return &verdict{failed: w.failure(now, w.gone, false)}
}

// farewell is said of a unit that is up, or may come up yet.
func (w *witness) farewell(now run) *verdict {
	switch {
	case w.died == "":
		return &verdict{}
	case now.active == "activating":
		return &verdict{failed: &Error{Reason: Failed, What: w.died + "; systemd starts it again", Figure: w.figure, Hints: look(w.unit)}}
	}
	return &verdict{said: ours("%s %s; systemd has started it again, with the new files", w.unit, w.died)}
}

// failure is the error of a unit that did not stay up.
func (w *witness) failure(now run, after time.Duration, again bool) *Error {
	what := w.how(now, after)
	if again {
		what += "; systemd starts it again"
	}
	e := &Error{Reason: Failed, What: what, Figure: figure(after), Hints: look(w.unit)}
	if !w.worst.bad() && !now.bad() && !again {
		switch w.verb {
		case Reload:
			e.Hints = append(e.Hints, "where the signal of ExecReload= ends it: restart: "+w.unit)
		case Restart:
			e.Hints = append(e.Hints, "of a program that is to end by itself: Type=oneshot in the unit, or start: "+w.unit)
		}
	}
	return e
}

// how says when and how it ended.
func (w *witness) how(now run, after time.Duration) string {
	d := now.death
	if !d.bad() && w.worst.bad() {
		d = w.worst
	}
	verb := "failed"
	if !d.bad() && now.active != "failed" {
		verb = "ended"
	}
	what := fmt.Sprintf("%s %v after its %s", verb, span(after), w.verb)
	if detail := d.detail(); detail != "" {
		what += ": " + detail
	}
	return what
}

// results say how a service failed, where its process does not.
var results = map[string]string{
	"timeout":         "it took longer than the unit allows",
	"watchdog":        "it did not answer its watchdog",
	"oom-kill":        "it took more memory than it may have",
	"start-limit-hit": "it was started too often in a short time",
	"protocol":        "it did not do what its Type= promises",
	"resources":       "systemd could not get it what the unit asks for",
}

// detail says how a service failed; "" where it is not known.
func (d death) detail() string {
	const exited, killed, dumped = 1, 2, 3 // CLD_EXITED, CLD_KILLED, CLD_DUMPED of sigaction(2)
	if what, ok := results[d.result]; ok || !d.bad() {
		return what
	}
	switch d.code {
	case exited:
		return fmt.Sprintf("exit status %d", d.status)
	case killed:
		return "killed by " + signalName(syscall.Signal(d.status))
	case dumped:
		return "killed by " + signalName(syscall.Signal(d.status)) + ", and left a core file"
	}
	return ""
}

// figure is the part of an error's text that says when.
func figure(after time.Duration) string { return span(after).String() + " after" }

// span rounds a time to what a person wants to know.
func span(d time.Duration) time.Duration {
	if d < time.Second {
		return max(d.Round(time.Millisecond), time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}

// look is where a person finds more about a unit.
func look(unit string) []string {
	return []string{"systemctl status " + unit, "journalctl -u " + unit}
}
