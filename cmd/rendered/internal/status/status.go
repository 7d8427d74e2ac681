// Package status says how a daemon stands, for people and as JSON.
package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
	"github.com/rendered/rendered/watch/pass"
)

// A Status is how a daemon stands. It holds no value. Times are absent where they are not known:
// what was before the daemon began is not.
type Status struct {
	Version  string     `json:"version"` // of the daemon
	Started  time.Time  `json:"started"`
	Config   Config     `json:"config"`
	Services []*Service `json:"services"`
	// Absent are pauses of services that the config in force does not have.
	Absent []*Pause `json:"absent"`
}

// A Config is what the daemon's config is like.
type Config struct {
	Path  string    `json:"path"`
	Since time.Time `json:"since"` // when it came into force
	// Unusable is what is wrong with the config on disk, while an older one is in force.
	Unusable string   `json:"unusable,omitempty"`
	Faulty   []Faulty `json:"faulty"`
}

// A Faulty is a service, or a part of the config, that is not in force as the config has it.
type Faulty struct {
	Service string   `json:"service,omitempty"`
	Part    string   `json:"part,omitempty"` // path of the file
	OldSelf bool     `json:"old_self"`       // it is in force
	Fate    string   `json:"fate"`           // what becomes of it, in words
	Faults  []string `json:"faults"`
}

// A Service is how one service stands.
type Service struct {
	Name     string      `json:"name"`
	State    watch.State `json:"state"`
	Failure  string      `json:"failure,omitempty"`
	Hints    []string    `json:"hints"`
	Turn     string      `json:"turn,omitempty"` // whose it is to mend that
	Failing  time.Time   `json:"failing_since,omitzero"`
	Well     time.Time   `json:"well,omitzero"` // when its files were last up to date
	Schedule string      `json:"schedule"`
	Looked   time.Time   `json:"looked,omitzero"` // when the last look ended
	Next     time.Time   `json:"next,omitzero"`   // when the next is due
	Paused   *Pause      `json:"paused,omitempty"`
	Held     time.Time   `json:"held_until,omitzero"` // before which files that differ are not written
	Gate     string      `json:"gate,omitempty"`      // why they are not, where it is not for the time
	Fleet    string      `json:"fleet,omitempty"`     // what it waits for in its fleet
	Changed  time.Time   `json:"changed,omitzero"`    // when a file got new contents
	Files    []File      `json:"files"`
	Lookups  []Lookup    `json:"lookups"`
	// Computed is how many lookups there are beside these, whose names only the render knows.
	Computed   int         `json:"computed_lookups,omitempty"`
	Dependents []Dependent `json:"dependents"`
	// Unsaid is why a failure was not said to whoever is to hear of it: lines.
	Unsaid string `json:"unsaid,omitempty"`
	// Rollout is that a change has yet to be seen to be well, or was not.
	Rollout *Rollout `json:"rollout,omitempty"`
}

// A Rollout is how far a change has come that is to be seen to be well.
type Rollout struct {
	// Stage is unproven, retold, reverting, reverted, rejected or unwell; absent where what is to
	// be done after the change is all that is left.
	Stage   ledger.Stage `json:"stage,omitempty"`
	Since   time.Time    `json:"since,omitzero"`    // when the change was put in place
	Failure string       `json:"failure,omitempty"` // why it was not well
	Hints   []string     `json:"hints"`
	// Still is why it is not well with the old files, either, which are in place.
	Still string   `json:"still,omitempty"`
	Files []string `json:"files"` // that have new contents
	// Stays is why the new files stay where it is not well.
	Stays   string `json:"stays,omitempty"`
	Drained bool   `json:"drained,omitempty"` // before was begun, and after is yet to be done
	After   string `json:"after,omitempty"`   // why it is not done: lines
}

// A Pause is that nobody works on a service, as somebody asked.
type Pause struct {
	Service string    `json:"service"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // absent: until it is resumed
	Why     string    `json:"why"`
	Who     string    `json:"who,omitempty"`
}

// PauseOf gives what a pause says.
func PauseOf(p ledger.Pause) *Pause { return &Pause{p.Service, p.Since, p.Until, p.Why, p.Who} }

// String says by whom the service is paused, until when, and why.
func (p *Pause) String() string {
	return ledger.Pause{Since: p.Since, Until: p.Until, Why: p.Why, Who: p.Who}.String()
}

// Pauses are what a pause came to.
type Pauses struct {
	Paused []*Pause `json:"paused"`
}

// Resumed are the services whose pauses were ended.
type Resumed struct {
	Resumed []string `json:"resumed"`
}

// A File is one of a service.
type File struct {
	Path    string    `json:"path"`
	Changed time.Time `json:"changed,omitzero"`
	// Mode, UID and GID are those that it is written with; absent where it keeps its own.
	Mode string `json:"mode,omitempty"` // as 0640
	UID  *int   `json:"uid,omitempty"`
	GID  *int   `json:"gid,omitempty"`
	// Certificate is the first in it.
	Certificate *Certificate `json:"certificate,omitempty"`
	Gone        bool         `json:"gone,omitempty"` // its key is gone, and it stays
}

// A Certificate is one that a file holds.
type Certificate struct {
	Names    []string  `json:"names"`
	NotAfter time.Time `json:"not_after"`
}

// A Lookup is what a service's templates ask for.
type Lookup struct {
	Ref     string    `json:"ref"`               // "secret prod/db"
	Version string    `json:"version,omitempty"` // that was read last
	Live    string    `json:"live,omitempty"`    // the version that the files are of
	Since   time.Time `json:"since,omitzero"`    // when that was first read
	Read    time.Time `json:"read,omitzero"`     // when it was last read
}

// A Dependent is told of a service's files.
type Dependent struct {
	Name    string    `json:"name"`
	Owed    bool      `json:"owed"`
	Failure string    `json:"failure,omitempty"` // why it refused
	Told    time.Time `json:"told,omitzero"`     // when it last acknowledged a notice
	Next    time.Time `json:"next,omitzero"`     // not before which it is told what it is owed
	Window  bool      `json:"window,omitempty"`  // next is when its notify_window opens
}

// A Daemon is what a Status says beside what its loop knows.
type Daemon struct {
	Version string
	Started time.Time
	Config  string // path
}

// Of gives what a loop says of itself.
func Of(st watch.Status, d Daemon) Status {
	s := Status{Version: d.Version, Started: d.Started, Config: Config{Path: d.Config, Since: st.Since, Unusable: st.Unusable}, Services: []*Service{}}
	for _, f := range st.Faulty {
		faulty := Faulty{Service: f.Service, Part: f.Part, OldSelf: f.Instead == watch.OldSelf, Fate: f.Fate()}
		for _, e := range f.Faults {
			faulty.Faults = append(faulty.Faults, e.Error())
		}
		s.Config.Faulty = append(s.Config.Faulty, faulty)
	}
	for i, standing := range st.Services {
		s.Services = append(s.Services, service(standing, st.Details[i]))
	}
	for _, p := range st.Absent {
		s.Absent = append(s.Absent, PauseOf(p))
	}
	return s
}

func service(st watch.Standing, d watch.Detail) *Service {
	s := &Service{
		Name: st.Service, State: st.State(), Failure: st.Failure, Hints: d.Hints, Turn: d.Turn, Failing: d.Failing, Well: d.Well,
		Schedule: d.Schedule, Looked: d.Looked, Next: d.Next, Changed: d.Changed,
		Files: []File{}, Lookups: []Lookup{}, Dependents: []Dependent{},
	}
	if st.Held != nil {
		s.Held, s.Gate, s.Fleet, s.Hints = st.Held.Until, st.Held.Gate, st.Held.Turn, append(s.Hints, st.Held.Hints...)
	}
	if st.Paused != nil {
		s.Paused = PauseOf(*st.Paused)
	}
	for _, f := range d.Files {
		s.Files = append(s.Files, file(f))
	}
	if r := st.Rollout; r != nil {
		if r.Stage == ledger.Rejected {
			d.Unwell = append([]string{d.Retried}, d.Unwell...)
		}
		s.Rollout = &Rollout{r.Stage, r.Since, r.Failure, d.Unwell, r.Still, r.Paths, r.Stays, r.Drained, text(d.Undone)}
	}
	s.Unsaid = text(d.Unsaid)
	for _, l := range d.Lookups {
		s.Lookups = append(s.Lookups, Lookup{l.Ref.String(), l.Version, l.Live, l.Since, l.Read})
	}
	s.Computed = d.Computed
	for _, t := range d.Told {
		dependent := Dependent{Name: t.Dependent, Told: t.At}
		for _, o := range st.Owed {
			if o.Dependent == t.Dependent {
				dependent.Owed, dependent.Failure, dependent.Next = true, o.Failure, t.NotBefore
				dependent.Window = t.Held
			}
		}
		s.Dependents = append(s.Dependents, dependent)
	}
	return s
}

// text gives what a fault says, its hints too, a line each; "" of none.
func text(f *fault.Fault) string {
	if f == nil {
		return ""
	}
	return strings.TrimSuffix(f.Text(), "\n")
}

func file(d watch.FileDetail) File {
	f := File{Path: d.Path, Changed: d.Changed, Certificate: certificate(d.Certificate), Gone: d.Gone}
	if d.Mode != 0 {
		f.Mode = fmt.Sprintf("%04o", d.Mode)
	}
	if d.UID >= 0 {
		f.UID = &d.UID
	}
	if d.GID >= 0 {
		f.GID = &d.GID
	}
	return f
}

func certificate(c *pass.Certificate) *Certificate {
	if c == nil {
		return nil
	}
	return &Certificate{c.Names, c.NotAfter}
}

// Current tells whether everything is.
func (s Status) Current() bool {
	for _, svc := range s.Services {
		if svc.State != watch.Current {
			return false
		}
	}
	return s.Config.Unusable == "" && len(s.Config.Faulty) == 0
}

// Of gives what is to be said of one service, by its name or the path of a file: how it stands, and
// what is wrong with the config that concerns it.
func (s Status) Of(name string) Status {
	services := []*Service{}
	if one := s.Find(name); one != nil {
		services, name = append(services, one), one.Name
	}
	s.Services = services
	s.Config.Faulty = slices.DeleteFunc(slices.Clone(s.Config.Faulty), func(f Faulty) bool { return f.Service != name })
	return s
}

// LeavesOut tells whether a service is not in force because its config has a fault.
func (s Status) LeavesOut(name string) bool {
	return s.Find(name) == nil && slices.ContainsFunc(s.Config.Faulty, func(f Faulty) bool { return f.Service == name })
}

// Find gives the service of a name, or that of a file's path; nil where there is none.
func (s Status) Find(name string) *Service {
	for _, svc := range s.Services {
		if svc.Name == name {
			return svc
		}
		for _, f := range svc.Files {
			if f.Path == name {
				return svc
			}
		}
	}
	return nil
}

// Only leaves out the services but those of these names; none: it leaves out nothing.
func (s *Status) Only(names []string) {
	s.Services = slices.DeleteFunc(s.Services, func(svc *Service) bool { return len(names) > 0 && !slices.Contains(names, svc.Name) })
}

// Names gives the names of the services.
func (s Status) Names() []string {
	names := make([]string, len(s.Services))
	for i, svc := range s.Services {
		names[i] = svc.Name
	}
	return names
}

// NoService is the error of a name that no service in force has.
func (s Status) NoService(name string) error {
	if s.LeavesOut(name) {
		f := s.Of(name).Config.Faulty[0]
		return fmt.Errorf("%s: %s", f.Fate, strings.Join(f.Faults, "; "))
	}
	if one := s.Find(name); one != nil {
		return fmt.Errorf("%s is a file of service %s: name that", name, one.Name)
	}
	if near := fault.Near(name, s.Names()); near != "" {
		return fmt.Errorf("there is no service %q; did you mean %q?", name, near)
	}
	what := "service"
	if strings.Contains(name, "/") {
		what = "service or file"
	}
	return fmt.Errorf("there is no %s %q in the config in force", what, name)
}
