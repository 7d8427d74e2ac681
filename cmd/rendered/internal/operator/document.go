package operator

import (
	"maps"
	"slices"
	"time"

	"github.com/rendered/rendered/watch/fleet"
)

// What status writes with --json. docs/fleet.md explains the fields, of which none goes away or
// gets another meaning.
type standing struct {
	Groups []*groupDoc `json:"groups"`
}

// A groupDoc is how a group stands.
type groupDoc struct {
	Fleet   string      `json:"fleet"`
	Group   string      `json:"group"`
	At      time.Time   `json:"at,omitzero"`      // by the table
	Frozen  string      `json:"frozen,omitempty"` // by whom, and why
	Most    int         `json:"most,omitempty"`   // hosts that may work at once; 0: that is not known here
	MostBy  string      `json:"most_by"`          // operator, config or unknown
	Settled bool        `json:"settled"`          // nothing is under way, halted, frozen or ill
	Hosts   []hostDoc   `json:"hosts"`
	Slots   []slotDoc   `json:"slots"`
	Changes []changeDoc `json:"changes"`
}

// A hostDoc is what a host has said of itself.
type hostDoc struct {
	Host     string       `json:"host"`
	Seen     time.Time    `json:"seen,omitzero"`
	Unseen   bool         `json:"unseen"` // for two days
	Services []serviceDoc `json:"services"`
}

type serviceDoc struct {
	Service  string       `json:"service"`
	Change   string       `json:"change"`
	State    string       `json:"state"`
	Versions []versionDoc `json:"versions"`
}

type versionDoc struct {
	Ref     string `json:"ref"`
	Version string `json:"version"`
}

// A slotDoc is a slot that a host has.
type slotDoc struct {
	Slot  int       `json:"slot"`
	Host  string    `json:"host"`
	Until time.Time `json:"until"`
	Kept  bool      `json:"kept"`
}

// A changeDoc is what is known of a change.
type changeDoc struct {
	Service    string    `json:"service"`
	Change     string    `json:"change"`
	Open       bool      `json:"open"` // hosts may still want it
	Begun      time.Time `json:"begun,omitzero"`
	First      string    `json:"first,omitempty"` // the host that goes first just now
	FirstUntil time.Time `json:"first_until,omitzero"`
	OK         time.Time `json:"ok,omitzero"` // since when it is known to be well
	Halted     string    `json:"halted,omitempty"`
	HaltedBy   string    `json:"halted_by,omitempty"`
	HaltedAt   time.Time `json:"halted_at,omitzero"`
	Resumes    int       `json:"resumes"`
}

// document gives how a group stands, of the refs that are asked about only; nil: of all.
func document(g group, v *fleet.Overview, about func(string) bool) *groupDoc {
	d := &groupDoc{Fleet: v.Fleet, Group: v.Group, At: v.At, Frozen: v.Frozen, Most: v.Most, MostBy: "operator"}
	if v.Most == 0 {
		d.MostBy = "unknown"
		if g.rollout != nil {
			d.Most = fleet.Amount{Number: g.rollout.Most, Percent: g.rollout.Percent}.Of(v.Counted)
			d.MostBy = "config"
		}
	}
	for _, h := range v.Hosts {
		if x := hostOf(v, h, about); about == nil || len(x.Services) > 0 {
			d.Hosts = append(d.Hosts, x)
		}
	}
	for _, s := range v.Slots {
		d.Slots = append(d.Slots, slotDoc{s.Number, s.Host, s.Until, s.Kept})
	}
	for _, c := range v.Changes {
		d.Changes = append(d.Changes, changeDoc{
			Service: c.Service, Change: c.ID, Open: isOpen(v, c), Begun: c.Begun, First: c.First, FirstUntil: c.FirstUntil, OK: c.OK,
			Halted: c.Halted, HaltedBy: c.HaltedBy, HaltedAt: c.HaltedAt, Resumes: c.Resumes,
		})
	}
	d.Settled = d.settled()
	return d
}

func hostOf(v *fleet.Overview, h fleet.Host, about func(string) bool) hostDoc {
	x := hostDoc{Host: h.Name, Seen: h.Seen, Unseen: v.Unseen(h)}
	for _, name := range slices.Sorted(maps.Keys(h.Services)) {
		says := h.Services[name]
		s := serviceDoc{Service: name, Change: says.Change, State: says.Phase}
		for _, ref := range slices.Sorted(maps.Keys(says.Versions)) {
			if about == nil || about(ref) {
				s.Versions = append(s.Versions, versionDoc{ref, says.Versions[ref]})
			}
		}
		if about == nil || len(s.Versions) > 0 {
			x.Services = append(x.Services, s)
		}
	}
	return x
}

// settled tells whether there are hosts, those that were seen have one change of each service, and
// nothing is under way, halted, frozen or ill.
func (d *groupDoc) settled() bool {
	has := make(map[string]string)
	for _, h := range d.Hosts {
		for _, s := range h.Services {
			if change, known := has[s.Service]; h.Unseen || s.State == fleet.Idle.String() && (!known || change == s.Change) {
				if !h.Unseen {
					has[s.Service] = s.Change
				}
				continue
			}
			return false
		}
	}
	under := func(c changeDoc) bool { return c.First != "" || c.Halted != "" && c.Open }
	return len(d.Hosts) > 0 && d.Frozen == "" && len(d.Slots) == 0 && !slices.ContainsFunc(d.Changes, under)
}
