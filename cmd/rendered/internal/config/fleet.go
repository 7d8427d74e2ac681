package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Fleet says where the hosts of a fleet meet.
type Fleet struct {
	Name      string // of the fleet; "": this host is in none
	Table     string // of DynamoDB; "": FleetLock has
	FleetLock string // the URL of a server of the FleetLock protocol
}

// Rollout says how many hosts make a change of a service at once.
type Rollout struct {
	Group   string // "": the service waits for no other host
	Most    int    // hosts; 0: Percent
	Percent int
	Canary  bool // one host goes first
	Bake    time.Duration
	MaxWait time.Duration
	Hold    bool // no host goes without its turn after MaxWait
}

const (
	defaultBake    = 2 * time.Minute
	defaultMaxWait = 15 * time.Minute
	holdAfterWait  = "hold"

	fleetHint = "fleet: {table: rendered, name: prod}"
)

var (
	// tableName is that of a table of DynamoDB (its "Naming rules").
	tableName = newForm(`^[A-Za-z0-9_.-]{3,255}$`)
	// fleetName has no # in it, which keeps names apart in the table.
	fleetName = newForm(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

	// lockGroup is what FleetLock takes for a group (its "Body").
	lockGroup = newForm(`^[a-zA-Z0-9.-]+$`)

	amountPattern = newForm(`^([1-9][0-9]{0,5}|([1-9][0-9]?|100)%)$`)
	asAmount      = "write a number of hosts, as 2, or a share of them, as 10%"
)

// An amount is so many hosts, or so many of a hundred.
type amount struct{ number, percent int }

// parseAmount parses how many hosts may work at once.
func parseAmount(text string) (amount, *refusal) {
	if !amountPattern.MatchString(text) {
		return amount{}, refuse(fmt.Sprintf("%q is not so many hosts", short(text)), asAmount)
	}
	digits, share := strings.CutSuffix(text, "%")
	n, _ := strconv.Atoi(digits)
	if share {
		return amount{percent: n}, nil
	}
	return amount{number: n}, nil
}

func (l *loader) readFleet(r *reader, n *yaml.Node, where string) {
	f := &l.cfg.Fleet
	if !r.mapping(n, where, &ofFleet, fields{"name": &f.Name, "table": &f.Table, "fleetlock": &f.FleetLock}) {
		return
	}
	switch table, lock := hasKey(n, "table"), hasKey(n, "fleetlock"); {
	case table && lock:
		r.fault(n, where, "table: and fleetlock: are two places to meet: one of them", fleetHint)
	case !table && !lock:
		r.fault(n, where, "here is neither table: nor fleetlock:, so hosts have no place to meet", fleetHint)
	case !hasKey(n, "name"):
		r.fault(n, where, "name: is missing: fleets may share a table, as staging and production do", fleetHint)
	}
}

// rolloutOf reads how a change of a service goes through the fleet.
func (r *reader) rolloutOf(n *yaml.Node, where string, s *Service) {
	o := Rollout{Group: s.Name, Most: 1, Canary: true, Bake: defaultBake, MaxWait: defaultMaxWait}
	most, after := amount{number: 1}, ""
	if !r.mapping(n, where, &ofRollout, fields{
		"group": &o.Group, "max_unavailable": &most, "canary": &o.Canary, "bake": &o.Bake, "max_wait": &o.MaxWait, "after_max_wait": &after,
	}) {
		return
	}
	o.Most, o.Percent, o.Hold = most.number, most.percent, after == holdAfterWait
	if hasKey(n, "bake") && !o.Canary {
		r.fault(n, where, "bake: is for how long the host that goes first is to stay well, and with  canary: false  none does")
	}
	s.Rollout, s.RolloutAt = o, r.place(n)
	s.wantsMost, s.wantsFirst = hasKey(n, "max_unavailable"), hasKey(n, "canary") && o.Canary || hasKey(n, "bake")
}

// fleets finds what is wrong between the services and their fleet.
func (c *Config) fleets() {
	first := make(map[string]*Service)
	for i := range c.Services {
		s := &c.Services[i]
		if s.Rollout.Group == "" {
			continue
		}
		where := "services." + s.Name + ".rollout"
		fault := func(what string, hints ...string) { c.faulty(s, s.RolloutAt, where, what, hints...) }
		if c.Fleet == (Fleet{}) {
			fault("no fleet: at the top says where the hosts meet", fleetHint)
			continue
		}
		locks := c.Fleet.FleetLock != "" && c.Fleet.Table == ""
		if locks && s.wantsMost {
			fault("with fleetlock: the server says how many hosts may work at once; max_unavailable: is for a table")
		}
		if locks && s.wantsFirst {
			fault("with fleetlock: no host goes first; canary: and bake: are for a table")
		}
		if locks && !lockGroup.MatchString(c.Fleet.Name+"."+s.Rollout.Group) {
			fault(fmt.Sprintf("FleetLock has no group %q: letters, digits, points and hyphens stand in one", c.Fleet.Name+"."+s.Rollout.Group), "rollout: {group: web}")
		}
		other := first[s.Rollout.Group]
		if other == nil {
			first[s.Rollout.Group] = s
		} else if other.Rollout != s.Rollout {
			fault(fmt.Sprintf("it is not that of service %s (%s), and services of one group share their turns", other.Name, other.RolloutAt),
				"write the same, or give them groups of their own")
		}
	}
}

// as gives the service with how it is written, where other hosts are to name it the same. How a
// change goes through the fleet is no part of what it is: what is halted stays so where that is
// another.
func (s Service) as(n *yaml.Node) Service {
	if s.Rollout.Group != "" {
		what := *n
		what.Content = nil
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value != "rollout" {
				what.Content = append(what.Content, n.Content[i], n.Content[i+1])
			}
		}
		s.Written = canonical(&what)
	}
	return s
}

// canonical gives a node as it is written, whatever its style, its order and its place.
func canonical(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		var pairs []string
		for i := 0; i+1 < len(n.Content); i += 2 {
			pairs = append(pairs, canonical(n.Content[i])+": "+canonical(n.Content[i+1]))
		}
		slices.Sort(pairs)
		return "{" + strings.Join(pairs, ", ") + "}"
	case yaml.SequenceNode:
		var list []string
		for _, one := range n.Content {
			list = append(list, canonical(one))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return strconv.Quote(n.Value)
}
