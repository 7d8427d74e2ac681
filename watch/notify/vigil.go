package notify

import (
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
	active     string // as in unit
	invocation string // names the run: each start begins another (InvocationID in org.freedesktop.systemd1(5))
	kind       string // the Type= of a service; "" of other units
	restarts   uint32 // by systemd itself, since somebody last started it
	reload     string // how its last reload ended, as death.result
	death
}

// A death is how the main process of a service ended.
type death struct {
	result       string // success, exit-code, signal, core-dump, timeout, watchdog, oom-kill, start-limit-hit, resources …
	code, status int32  // si_code and si_status of waitid(2)
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
	before run                                // when systemd had not been asked yet
	look   func(context.Context) (run, error) // what the unit is like now
	news   <-chan news                        // may be nil
}

// keep gives what there is to say of a unit that is up, or has done its work, and an error of one
// that failed. The end of ctx ends it: what systemd said counts then.
func (v vigil) keep(ctx context.Context) (Output, error) {
	w := witness{vigil: v, base: v.before}
	begun := time.Now()
	over := time.NewTimer(vigils[v.verb])
	defer over.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := false; ; {
		now, err := v.look(ctx)
		if ctx.Err() != nil {
			return Output{}, nil
		}
		if err == nil {
			if said, failed, done := w.judge(now, time.Since(begun), last); done {
				return said, failed
			}
		}
		if last {
			return w.farewell(), nil
		}
		select {
		case <-ctx.Done():
			return Output{}, nil
		case <-tick.C:
		case n := <-v.news:
			w.hear(n)
		case <-over.C:
			// One that systemd has started again after a reload gets as long as one that we
			// started.
			if left := vigils[Restart] - time.Since(begun); w.died != "" && left > 0 {
				over.Reset(left)
			} else {
				last = true
			}
		}
	}
}

// A witness remembers what was seen during a vigil.
type witness struct {
	vigil
	base   run           // what a run that stays up is like
	looked bool          // at least once
	worst  death         // the last bad one that a signal told of: the next start of the unit clears it
	other  bool          // somebody else did something with the unit
	gone   time.Duration // when it was first seen to have ended; 0 where it has not
	died   string        // how a reload ended it, after which systemd has started it again
	figure string        // in died, as Error.Figure
}

// restedFor is how long a unit has ended, and not only until systemd starts it again: systemd 254
// and newer call it inactive or failed between the two, for a moment.
const restedFor = 200 * time.Millisecond

func (w *witness) hear(n news) {
	if n.bad() {
		w.worst = n.death
	}
	w.other = w.other || n.other
}

// judge decides what a look allows to decide. The last one decides about what is on its way, too.
func (w *witness) judge(now run, after time.Duration, last bool) (said Output, failed error, done bool) {
	if !w.looked && w.verb == Start && now.active == "active" && now.invocation == w.before.invocation {
		return Output{}, nil, true // it ran already
	}
	if !w.looked && w.verb != Reload {
		w.base = run{invocation: now.invocation} // ours, unless systemd has started it again meanwhile
	}
	w.looked = true
	if now.kind == "oneshot" || now.kind == "" && now.active != "failed" {
		return Output{}, nil, true // its work is done when its job is; what is no service has no process to look at
	}
	again := now.restarts > w.base.restarts || now.active == "activating" && w.base.active != "activating" && now.invocation == w.base.invocation
	switch {
	case again && w.verb == Reload && w.died == "":
		// It comes back with the new files, and to reload it once more would end it once more.
		w.died, w.figure = w.how(now, after), figure(after)
		w.base = run{active: "activating", restarts: max(now.restarts, w.base.restarts+1)}
		return Output{}, nil, false
	case again, now.active == "failed" && w.verb != Reload:
		return Output{}, w.failure(now, after, again), true
	case now.active == "active" && w.base.active == "activating":
		w.base.active, w.base.invocation = now.active, now.invocation
	case now.invocation != w.base.invocation && now.invocation != "" && w.base.invocation != "":
		// Somebody else has restarted it.
		w.base, w.other, w.worst = run{active: now.active, invocation: now.invocation, restarts: now.restarts}, true, death{}
	}
	if now.active != "inactive" && now.active != "failed" && !(last && now.active == "deactivating") {
		w.gone = 0
		if last && w.died != "" && now.active == "activating" {
			return Output{}, &Error{Reason: Failed, What: w.died + "; systemd starts it again", Figure: w.figure, Hints: look(w.unit)}, true
		}
		return Output{}, nil, false
	}
	if w.gone == 0 {
		w.gone = max(after, 1)
	}
	if !last && after-w.gone < restedFor {
		return Output{}, nil, false
	}
	switch {
	case now.active == "failed":
	case w.other:
		return ours("%s was stopped by somebody else %v after its %s", w.unit, span(w.gone), w.verb), nil, true
	case w.verb == Start:
		return ours("%s ended %v after its start, without an error", w.unit, span(w.gone)), nil, true
	}
	return Output{}, w.failure(now, w.gone, false), true
}

// farewell is said of a unit that is up.
func (w *witness) farewell() Output {
	if w.died == "" {
		return Output{}
	}
	return ours("%s %s; systemd has started it again, with the new files", w.unit, w.died)
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

// detail says how a service failed; "" where it is not known.
func (d death) detail() string {
	const exited, killed, dumped = 1, 2, 3 // CLD_EXITED, CLD_KILLED, CLD_DUMPED of sigaction(2)
	switch d.result {
	case "timeout":
		return "it took longer than the unit allows"
	case "watchdog":
		return "it did not answer its watchdog"
	case "oom-kill":
		return "it took more memory than it may have"
	case "start-limit-hit":
		return "it was started too often in a short time"
	case "protocol":
		return "it did not do what its Type= promises"
	case "resources":
		return "systemd could not get it what the unit asks for"
	}
	switch {
	case d.code == exited && d.bad():
		return fmt.Sprintf("exit status %d", d.status)
	case d.code == killed && d.bad():
		return "killed by " + signalName(syscall.Signal(d.status))
	case d.code == dumped && d.bad():
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
