package check

import (
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
)

// A Report is what a check comes to, for programs. docs/check.md explains the fields, of which none
// goes away or gets another meaning. It holds no value.
type Report struct {
	Good       bool       `json:"good"`
	Findings   []Finding  `json:"findings"`
	Services   []Service  `json:"services"` // those without a fault
	Faulty     []string   `json:"faulty"`   // services, or parts of the config, with a fault
	Lookups    int        `json:"lookups"`  // in templates, as the verb lookups lists them
	Refs       int        `json:"refs"`     // that they are of
	Calls      []Calls    `json:"calls"`
	Identities []Identity `json:"identities"`      // that ask AWS; none where it is not asked
	Queue      *Queue     `json:"queue,omitempty"` // absent: it was not asked for
	Stage      *Stage     `json:"stage,omitempty"` // absent: it was not asked for
}

// A Service is what the config means for one service.
type Service struct {
	Service    string      `json:"service"`
	File       string      `json:"file"` // path of the config, or of its part
	Line       int         `json:"line"`
	Schedule   string      `json:"schedule"`
	Splay      float64     `json:"splay_seconds"` // of this host
	Next       []time.Time `json:"next"`          // three
	Files      []File      `json:"files"`
	Dependents []string    `json:"dependents"`
}

// A File is one of a service's, with what it looks up.
type File struct {
	Path string   `json:"path"`
	Refs []string `json:"refs"` // "secret prod/db"
	// Computed is how many lookups there are beside these, whose refs only the render can tell.
	Computed int `json:"computed_lookups"`
}

// Calls are those of one service of AWS.
type Calls struct {
	Of      string  `json:"of"`
	PerDay  float64 `json:"per_day"`
	Dollars float64 `json:"dollars_per_month"`
}

// An Identity is who asks AWS.
type Identity struct {
	Account string `json:"account"` // of aws.accounts; "": the daemon's own
	Region  string `json:"region"`
	ID      string `json:"id,omitempty"` // of the account; absent: STS does not say
	ARN     string `json:"arn,omitempty"`
}

// A Stage is a staging label, and the secrets that have a version with it beside the current one.
type Stage struct {
	Label   string   `json:"label"`
	Secrets []Staged `json:"secrets"`
}

// A Staged is a secret that was checked with the version that has a staging label.
type Staged struct {
	Ref     string `json:"ref"` // "secret prod/db"
	Version string `json:"version,omitempty"`
}

// A Queue is that of change notices.
type Queue struct {
	Name    string `json:"name"`
	Region  string `json:"region"`
	Waiting int    `json:"waiting"` // messages, about
}

// summarize puts into the report what the config means.
func (c *checker) summarize(now time.Time) {
	r := &c.report
	r.Services, r.Faulty, r.Calls = []Service{}, []string{}, []Calls{}
	r.Findings, r.Identities = append([]Finding{}, r.Findings...), append([]Identity{}, r.Identities...)
	for _, f := range c.plan.Faulty {
		r.Faulty = append(r.Faulty, f.Name())
	}
	places := make(map[string]*config.Service)
	for i := range c.cfg.Services {
		places[c.cfg.Services[i].Name] = &c.cfg.Services[i]
	}
	for _, s := range c.plan.Services {
		at := places[s.Name].Place
		out := Service{
			Service: s.Name, File: at.File, Line: at.Line, Schedule: s.Schedule.String(), Splay: s.Splay.Seconds(),
			Next: nextTimes(s, now), Files: []File{}, Dependents: names(s),
		}
		for i, f := range s.Files {
			refs, computed := lookupsOf(s, i)
			out.Files = append(out.Files, File{f.Path, refs, computed})
		}
		r.Services = append(r.Services, out)
	}
	if len(c.plan.Services) == 0 {
		return
	}
	n := lookedUp(c.plan)
	r.Lookups, r.Refs = n.lookups, n.refs
	if c.cfg.Values == "" {
		for _, u := range usageOf(c.plan) {
			r.Calls = append(r.Calls, Calls{string(u.service), u.perDay, u.perMonth()})
		}
	}
}

// lookupsOf gives what the template of a service's file looks up, each ref once, and how many
// lookups there are of which only the render can tell the ref.
func lookupsOf(s *watch.Service, file int) (refs []string, computed int) {
	refs = []string{}
	seen := make(map[sources.Ref]bool)
	for _, l := range s.Files[file].Lookups() {
		switch {
		case l.Ref == (sources.Ref{}):
			computed++
		case !seen[l.Ref]:
			seen[l.Ref] = true
			refs = append(refs, l.Ref.String())
		}
	}
	return refs, computed
}

// names gives the dependents of a service.
func names(s *watch.Service) []string {
	list := []string{}
	for _, d := range s.Dependents {
		list = append(list, d.Name())
	}
	return list
}
