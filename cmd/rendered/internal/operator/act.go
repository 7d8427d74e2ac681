package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/watch/fleet"
)

// What the verbs that change something write with --json. docs/fleet.md explains the fields, of
// which none goes away or gets another meaning.
type deeds struct {
	Done []deed `json:"done"`
}

// A deed is what was done to one group.
type deed struct {
	Group   string `json:"group"`
	Service string `json:"service,omitempty"` // resume
	Change  string `json:"change,omitempty"`  // resume
	Host    string `json:"host,omitempty"`    // release: whose slot it was
	Slot    *int   `json:"slot,omitempty"`    // release
	Most    *int   `json:"most,omitempty"`    // set-max
	Frozen  string `json:"frozen,omitempty"`  // freeze, thaw: by whom, and why
	Already bool   `json:"already"`           // it was so before
	says    string
}

// tell prints what was done.
func (s *scope) tell(list []deed) {
	if s.JSON {
		console.JSON(s.Out, deeds{list})
		return
	}
	for _, d := range list {
		console.Say(s.Out, d.Group+": "+d.says)
	}
}

// Resume has the changes of a service that are halted be tried again: by one host first, or, where
// skips says that they are well, by all.
func (o *Operator) Resume(ctx context.Context, service string, skips bool) (bool, error) {
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	if err := s.of(service); err != nil {
		return false, err
	}
	var done []deed
	for _, g := range s.groups {
		v, err := s.see(ctx, g)
		if err != nil {
			return false, err
		}
		for _, c := range v.Changes {
			if c.Service != service || c.Halted == "" || !isOpen(v, c) {
				continue
			}
			d, err := s.resume(ctx, v, c, skips)
			if err != nil {
				return false, err
			}
			done = append(done, d)
		}
	}
	s.tell(done)
	if len(done) == 0 {
		console.Say(s.Err, fmt.Sprintf("no change of %s is halted", service))
	}
	return len(done) > 0, nil
}

func (s *scope) resume(ctx context.Context, v *fleet.Overview, c fleet.Change, skips bool) (deed, error) {
	var ok time.Time
	then := "one host goes first"
	if skips {
		if ok = v.At; ok.IsZero() {
			return deed{}, s.unanswered(errNoTime)
		}
		then = "no host needs to go first"
	}
	a, err := s.update(ctx, v.Resume(c, ok))
	if err != nil {
		return deed{}, err
	}
	d := deed{Group: v.Group, Service: c.Service, Change: c.ID, Already: a.Refused}
	d.says = fmt.Sprintf("change %s of %s, halted by %s, is tried again; %s", short(c.ID), c.Service, c.HaltedBy, then)
	if d.Already {
		d.says = fmt.Sprintf("change %s of %s is tried again, as somebody has resumed it just now", short(c.ID), c.Service)
	}
	return d, nil
}

var errNoTime = errors.New("the table does not say what time it is: its answer came through somebody who changes it")

// isOpen tells whether hosts may still want a change: one has tried it, or does, or none was begun
// since.
func isOpen(v *fleet.Overview, c fleet.Change) bool {
	if c.First != "" {
		return true
	}
	first := slices.IndexFunc(v.Changes, func(x fleet.Change) bool { return x.Service == c.Service })
	return v.Changes[first].ID == c.ID || slices.ContainsFunc(v.Hosts, func(h fleet.Host) bool { return h.Services[c.Service].Change == c.ID })
}

// Release takes the slots of a host, which does not give them back, for others.
func (o *Operator) Release(ctx context.Context, host string) (bool, error) {
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	var done []deed
	var others []string
	for _, g := range s.groups {
		v, err := s.see(ctx, g)
		if err != nil {
			return false, err
		}
		for _, slot := range v.Slots {
			if others = append(others, slot.Host); slot.Host != host {
				continue
			}
			a, err := s.update(ctx, fleet.Release(v.Fleet, v.Group, slot.Number, slot.Lease))
			if err != nil {
				return false, err
			}
			d := deed{Group: v.Group, Host: host, Slot: &slot.Number, Already: a.Refused, says: fmt.Sprintf("slot %d of %s is free", slot.Number, host)}
			if d.Already {
				d.says = fmt.Sprintf("%s has given slot %d back just now", host, slot.Number)
			}
			done = append(done, d)
		}
	}
	s.tell(done)
	if len(done) == 0 {
		slices.Sort(others)
		console.Say(s.Err, fmt.Sprintf("%s has no slot; who has one: %s", host, cmp.Or(some(slices.Compact(others), 10), "nobody")))
	}
	return len(done) > 0, nil
}

// SetMost has so many hosts work at once, whatever the config says; 0: as that says.
func (o *Operator) SetMost(ctx context.Context, most int) (bool, error) {
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	if err := s.one(); err != nil {
		return false, err
	}
	g := s.groups[0]
	if _, err := s.update(ctx, fleet.SetMost(s.cfg.Fleet.Name, g.name, most)); err != nil {
		return false, err
	}
	d := deed{Group: g.name, Most: &most, says: "at most " + console.Count(most, "host") + " at once, whatever the config says"}
	if most == 0 {
		d.says = "as many hosts at once as the config says"
	}
	s.tell([]deed{d})
	return true, nil
}

// mostWhy bounds a reason, in characters.
const mostWhy = 200

// Freeze has nobody begin anything.
func (o *Operator) Freeze(ctx context.Context, why string) (bool, error) {
	if utf8.RuneCountInString(why) > mostWhy || strings.ContainsFunc(why, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return false, fmt.Errorf("the reason must be a line of printable characters, %d at most", mostWhy)
	}
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	by := who()
	if why != "" {
		by += ": " + why
	}
	var done []deed
	for _, g := range s.groups {
		a, err := s.update(ctx, fleet.Freeze(s.cfg.Fleet.Name, g.name, by))
		if err != nil {
			return false, err
		}
		d := deed{Group: g.name, Frozen: by, says: "frozen; no host begins a change until  rendered fleet thaw"}
		if was := a.Old.Text("frozen"); a.Refused && was != by {
			d.Frozen, d.Already, d.says = was, true, "it was frozen before, by "+was
		}
		done = append(done, d)
	}
	s.tell(done)
	return true, nil
}

// Thaw takes that back.
func (o *Operator) Thaw(ctx context.Context) (bool, error) {
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	var done []deed
	for _, g := range s.groups {
		v, err := s.see(ctx, g)
		if err != nil {
			return false, err
		}
		d := deed{Group: g.name, Frozen: v.Frozen, says: "hosts go on; it was frozen by " + v.Frozen}
		if v.Frozen == "" {
			d.Already, d.says = true, "it is not frozen"
			done = append(done, d)
			continue
		}
		a, err := s.update(ctx, fleet.Thaw(v.Fleet, v.Group, v.Frozen))
		if err != nil {
			return false, err
		}
		if by := a.Old.Text("frozen"); a.Refused && by != "" {
			s.tell(done)
			console.Say(s.Err, fmt.Sprintf("%s: frozen anew just now, by %s", g.name, by))
			return false, nil
		}
		done = append(done, d)
	}
	s.tell(done)
	return true, nil
}

// who names the person who asks, and the machine.
func who() string {
	name := os.Getenv("SUDO_USER")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	host, _ := os.Hostname()
	return cmp.Or(name, "somebody") + "@" + cmp.Or(host, "unknown")
}

// short gives what of a change's name a person needs to tell it from others.
func short(id string) string {
	if algorithm, digits, is := strings.Cut(id, ":"); is && len(digits) > 8 {
		return algorithm + ":" + digits[:8]
	}
	return id
}

// some lists the first of many names; "" where there is none.
func some(names []string, most int) string {
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
