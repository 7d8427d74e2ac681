// Package outcome says what looks at services came to, for people and as JSON.
package outcome

import (
	"fmt"
	"slices"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// An Outcome is what looks came to. It holds no value.
type Outcome struct {
	Services []Service `json:"services"`
	Notices  []Notice  `json:"notices"`
	Paused   []Paused  `json:"paused"`
	Health   []Health  `json:"health"` // of services that were to be seen to be well
}

// A Health is whether a service was seen to be well with its change.
type Health struct {
	Service string      `json:"service"`
	State   watch.State `json:"state"` // current, proving, rolled-back, unhealthy
	Failure string      `json:"failure,omitempty"`
	Hints   []string    `json:"hints"`
	Stays   string      `json:"stays,omitempty"`  // why the change stays all the same
	Output  string      `json:"output,omitempty"` // of a command, without secrets
	Took    float64     `json:"took_seconds,omitempty"`
	// After is why what is to be done after the change is not done: lines.
	After string `json:"after,omitempty"`
	// Unsaid is why a failure was not said to whoever is to hear of it: lines.
	Unsaid string `json:"unsaid,omitempty"`
}

// A Paused is a service that was not looked at.
type Paused struct {
	Service string `json:"service"`
	Text    string `json:"text"` // that it is paused, by whom, until when, and why
}

// A Service is what the look at one service came to.
type Service struct {
	Service  string    `json:"service"`
	Files    []File    `json:"files"` // none where it did not get as far as its files
	Failures []Failure `json:"failures"`
	// HeldUntil is before when files that differ are not written; absent: they are.
	HeldUntil time.Time `json:"held_until,omitzero"`
	Held      []string  `json:"held"` // their paths
	// Gate is why they are not written, where it is not for the time: lines.
	Gate string `json:"gate,omitempty"`
	// Fleet is what they wait for in the fleet.
	Fleet string `json:"fleet,omitempty"`
	// Halted is why they wait until somebody resumes or thaws them, and what to do: lines.
	Halted string `json:"halted,omitempty"`
}

// A File is what became of a file.
type File struct {
	Path   string `json:"path"`
	State  string `json:"state"`            // unchanged, repaired, changed, created, removed, kept
	Backup string `json:"backup,omitempty"` // where what somebody else had written there is backed up
}

// A Failure is why a file, or all of them, are not up to date.
type Failure struct {
	Path string `json:"path,omitempty"` // the file that stays as it was; "": all
	Text string `json:"text"`           // where, what, and what to do about it: lines
}

// A Notice is what telling a dependent came to.
type Notice struct {
	Services  []string `json:"services"`
	Dependent string   `json:"dependent"`
	State     string   `json:"state"` // told, refused, owed
	Failure   string   `json:"failure,omitempty"`
	Hints     []string `json:"hints"`
	Took      float64  `json:"took_seconds,omitempty"`
	Output    string   `json:"output,omitempty"` // without secrets
	// Unrecorded is why it is told once more after a restart.
	Unrecorded      string   `json:"unrecorded,omitempty"`
	UnrecordedHints []string `json:"unrecorded_hints"`
}

// States of a Notice.
const (
	Told    = "told"
	Refused = "refused" // it is still owed, and told again
	Owed    = "owed"    // it is not its time
)

// Of gives what a Result says.
func Of(r watch.Result) Outcome {
	o := Outcome{Services: []Service{}, Notices: []Notice{}}
	for _, out := range r.Outcomes {
		s := Service{Service: out.Service, Files: []File{}, Held: []string{}}
		for _, f := range out.Files {
			s.Files = append(s.Files, File{f.Path, string(f.State), f.Backup})
		}
		s.Failures = Failures(out.Service, out.Err)
		if out.Held != nil {
			s.HeldUntil, s.Held, s.Gate, s.Fleet, s.Halted = out.Held.Until, out.Held.Paths, gate(*out.Held), out.Held.Turn, halted(*out.Held)
		}
		o.Services = append(o.Services, s)
	}
	for _, n := range r.Notices {
		o.Notices = append(o.Notices, noticeOf(n))
	}
	for _, p := range r.Paused {
		o.Paused = append(o.Paused, Paused{p.Service, p.String()})
	}
	for _, h := range r.Health {
		o.Health = append(o.Health, healthOf(h))
	}
	return o
}

// gate says why a gate is shut, and what it printed, a line each; "" where none is.
func gate(h pass.Hold) string {
	if h.Gate == "" {
		return ""
	}
	return (&fault.Fault{What: h.Gate, Hints: h.Hints}).Text()
}

// halted says why a change is halted in the fleet, and what to do; "" where it is not.
func halted(h pass.Hold) string {
	if !h.Halted {
		return ""
	}
	return (&fault.Fault{What: h.Turn, Hints: h.Hints}).Text()
}

func healthOf(h watch.Health) Health {
	health := Health{Service: h.Service, State: h.State, Failure: h.Failure, Hints: h.Hints, Stays: h.Stays, Output: h.Output, Took: h.Took.Seconds()}
	if h.After != nil {
		health.After = h.After.Text()
	}
	if h.Unsaid != nil {
		health.Unsaid = h.Unsaid.Text()
	}
	return health
}

// Failed tells whether the service was not seen to be well, or is not as it is to be after a
// change.
func (h Health) Failed() bool { return h.State != watch.Current || h.After != "" || h.Unsaid != "" }

// Failures gives the parts of the error of a service's pass.
func Failures(service string, err error) (list []Failure) {
	for _, e := range pass.FileErrors(err) {
		about := ""
		if e.Fault.Place == (fault.Place{}) {
			about = service + ": "
		}
		list = append(list, Failure{e.Path, about + e.Fault.Text()})
	}
	return list
}

// Lines says what the failure is, and which file it keeps as it was.
func (f Failure) Lines() string {
	if f.Path == "" {
		return f.Text
	}
	return fmt.Sprintf("%s  %s stays as it was\n", f.Text, f.Path)
}

func noticeOf(n watch.NoticeOutcome) Notice {
	t := Notice{Services: n.Services, Dependent: n.Dependent, State: Told, Took: n.Took.Seconds(), Output: n.Output}
	switch {
	case n.Err != nil:
		t.State, t.Failure, t.Hints = Refused, n.Err.Error(), notify.Hints(n.Err)
	case n.Held:
		t.State = Owed
	}
	if n.Record != nil {
		t.Unrecorded, t.UnrecordedHints = n.Record.Error(), pass.Remedy(n.Record)
	}
	return t
}

// Failed tells whether anything is not as it should be. What is owed because it is not its time is
// as it should be.
func (o Outcome) Failed() bool {
	for _, s := range o.Services {
		if len(s.Failures) > 0 || s.Gate != "" || s.Halted != "" {
			return true
		}
	}
	for _, n := range o.Notices {
		if n.State == Refused || n.Unrecorded != "" {
			return true
		}
	}
	return slices.ContainsFunc(o.Health, Health.Failed)
}

// took gives how long telling took.
func (n Notice) took() time.Duration {
	return time.Duration(n.Took * float64(time.Second)).Round(time.Millisecond)
}
