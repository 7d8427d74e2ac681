// Package operator asks the table of a fleet what people want to know of its rollouts, and has them
// halted, resumed and let go on. It asks no daemon: any machine with the policy will do.
package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/connect"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/fleet"
)

// An Operator is somebody who asks. Its methods report whether all is good; what is not was
// printed. An error is ErrUnanswered, which was printed, too, a fault.List, or a mistake in how it
// is asked.
type Operator struct {
	Out, Err io.Writer
	JSON     bool // what is said is JSON
	Where    Where
	Config   plan.Options // of the config that names the fleet; where Where.Table does, its Version alone counts

	open func(context.Context, *config.Config) (fleet.Table, error) // nil: what the config says
}

// ErrUnanswered is that the table does not answer, or AWS does not.
var ErrUnanswered = errors.New("no answer")

// Where says which groups of which fleet are meant.
type Where struct {
	Group string // "": all, or the only one
	// Table is asked without a config; "": the config says which. Name is that of the fleet, and
	// Region that of the table, "" being where AWS is asked else.
	Table, Name, Region string
}

// check finds what is wrong with that.
func (w Where) check() error {
	switch {
	case w.Table == "" && w.Name != "":
		return errors.New("--name is for --table: the config has the name of its fleet")
	case w.Table == "" && w.Region != "":
		return errors.New("--region is for --table: the config has that of its fleet")
	case w.Table != "" && (w.Name == "" || w.Group == ""):
		return errors.New("--table wants the --name of the fleet and a --group besides")
	case strings.Contains(w.Name+w.Group, "#"):
		return errors.New("names of fleets and groups have no #")
	}
	return nil
}

// A scope is what was opened: the groups that are meant, and where they meet.
type scope struct {
	*Operator
	cfg     *config.Config
	sources *connect.Sources
	table   fleet.Table
	groups  []group
	whole   bool // no service of the config is unknown for a fault
}

// A group is one that is meant.
type group struct {
	name     string
	services []string        // of the config
	rollout  *config.Rollout // nil: without a config it is not known
}

// begin opens the table. A config with faults in services is good for the others.
func (o *Operator) begin(ctx context.Context) (*scope, error) {
	if err := o.Where.check(); err != nil {
		return nil, err
	}
	s := &scope{Operator: o, sources: new(connect.Sources), whole: true}
	s.sources.Version, s.sources.EnvironmentFile = o.Config.Version, o.Config.EnvironmentFile
	if o.Where.Table != "" {
		s.cfg = new(config.Config)
		s.cfg.AWS.Region = o.Where.Region
		s.cfg.Fleet = config.Fleet{Table: o.Where.Table, Name: o.Where.Name}
		s.groups = []group{{name: o.Where.Group}}
	} else if err := s.readConfig(); err != nil {
		return nil, err
	}
	open := o.open
	if open == nil {
		open = s.sources.Table
	}
	table, err := open(ctx, s.cfg)
	if err != nil {
		return nil, o.unanswered(err)
	}
	s.table = table
	return s, nil
}

// readConfig has the config say which table and which groups there are.
func (s *scope) readConfig() error {
	cfg := s.Config.ReadConfig(s.Config.Source())
	if len(cfg.Faults) > 0 {
		return cfg.Faults
	}
	s.cfg = cfg
	missing := func(what string, hints ...string) error {
		return fault.List{{Place: fault.Place{File: cfg.Path}, What: what, Hints: hints}}
	}
	switch {
	case cfg.Fleet.FleetLock != "":
		return missing("fleetlock: is where the hosts of this fleet meet, and its server alone says who has a turn")
	case cfg.Fleet.Table == "":
		return missing("there is no fleet: in the config", "fleet: {table: rendered, name: prod}", "or name it: --table rendered --name prod --group web")
	}
	for i := range cfg.Services {
		s.addService(&cfg.Services[i])
	}
	for _, part := range cfg.Parts {
		s.notKnown(part.Faults)
	}
	switch {
	case len(s.groups) == 0:
		return missing("no service has a rollout:")
	case s.Where.Group == "":
		return nil
	}
	named := s.named()
	s.groups = slices.DeleteFunc(s.groups, func(g group) bool { return g.name != s.Where.Group })
	if len(s.groups) == 0 {
		return fmt.Errorf("the config has no group %s; it has %s", s.Where.Group, strings.Join(named, ", "))
	}
	return nil
}

func (s *scope) addService(of *config.Service) {
	r := of.Rollout
	if r.Group == "" {
		s.notKnown(of.Faults)
		return
	}
	at := slices.IndexFunc(s.groups, func(g group) bool { return g.name == r.Group })
	if at < 0 {
		at = len(s.groups)
		s.groups = append(s.groups, group{name: r.Group, rollout: &r})
	}
	s.groups[at].services = append(s.groups[at].services, of.Name)
}

// notKnown says that somebody's group is not known for a fault.
func (s *scope) notKnown(faults fault.List) {
	if len(faults) > 0 {
		console.Warnings(s.Err, faults)
		s.whole = false
	}
}

func (s *scope) named() (list []string) {
	for _, g := range s.groups {
		list = append(list, g.name)
	}
	return list
}

// one has a verb be about one group.
func (s *scope) one() error {
	if len(s.groups) > 1 {
		return fmt.Errorf("the config has several groups: %s; say which by --group", strings.Join(s.named(), ", "))
	}
	return nil
}

// of has a verb be about the groups of a service: the config knows its own.
func (s *scope) of(service string) error {
	if s.Where.Table != "" {
		return nil
	}
	var known []string
	for _, g := range s.groups {
		known = append(known, g.services...)
	}
	s.groups = slices.DeleteFunc(s.groups, func(g group) bool { return !slices.Contains(g.services, service) })
	if len(s.groups) == 0 {
		text := fmt.Sprintf("no service %s takes its turns in a fleet; these do: %s", service, strings.Join(known, ", "))
		if near := fault.Near(service, known); near != "" {
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		return errors.New(text)
	}
	return nil
}

// unanswered prints why there is no answer.
func (o *Operator) unanswered(err error) error {
	console.Faults(console.ForJournal(o.Err), err)
	return ErrUnanswered
}

// tries is how often a table is asked that does not answer, or has too much to do.
const tries = 3

// again does something until it gives no error that may pass, at growing intervals; not for ever.
func again(ctx context.Context, do func() error) (err error) {
	for n := range tries {
		if err = do(); err == nil || n == tries-1 || !passes(err) {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second << n):
		}
	}
	return err
}

// passes tells whether an error may be gone a moment later.
func passes(err error) bool {
	e, of := errors.AsType[*sources.Error](err)
	return !of || e.Reason == sources.Throttled || e.Reason == sources.Unavailable
}

// see asks how a group stands.
func (s *scope) see(ctx context.Context, g group) (o *fleet.Overview, err error) {
	err = again(ctx, func() error {
		o, err = fleet.See(s.table, s.cfg.Fleet.Name, g.name)
		return err
	})
	if err != nil {
		return nil, s.unanswered(err)
	}
	return o, nil
}

// update has the table obey. Each of an operator's updates does the same where it is obeyed twice.
func (s *scope) update(ctx context.Context, u fleet.Update) (a fleet.Answer, err error) {
	err = again(ctx, func() error {
		a = s.table.Update(u)
		return a.Err
	})
	if err != nil {
		return a, s.unanswered(fmt.Errorf("it is not known whether it was done: %w", err))
	}
	return a, nil
}
