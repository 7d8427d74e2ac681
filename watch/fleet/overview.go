package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// An Overview is how a group stands, by its table alone: hosts say what they have when they have
// made a change, and once a day.
type Overview struct {
	Fleet, Group string
	At           time.Time // when the table said so, in whole seconds; zero: it did not say
	Hosts        []Host    // by name
	Slots        []Slot    // that somebody has, by number
	Changes      []Change  // by service, and the one that was begun last first
	Frozen       string    // by whom, and why; "": by nobody
	Most         int       // hosts that may work at once, as an operator has it; 0: as the config has
	Counted      int       // hosts that there were when somebody went first, last time
}

// A Host is what one has said of itself.
type Host struct {
	Name     string
	Seen     time.Time              // when it said so; zero: it did not know
	Services map[string]HostService // by name
}

// A Slot is one that a host has.
type Slot struct {
	Number int
	Lease  string
	Host   string
	Until  time.Time // when it is free, where its host does not renew it
	Kept   bool      // its host is not well, and does not renew it
}

// A Change is what is known of one of a service: nothing is, where no host goes first and none has
// failed.
type Change struct {
	Service, ID string
	Begun       time.Time // when a host went first with it, halted it, or found it halted, last
	First       string    // the host that goes first with it; "": none does
	FirstUntil  time.Time // when another may
	OK          time.Time // since when it is known to be well; zero: it is not
	Halted      string    // why nobody begins it; "": it is not halted
	HaltedBy    string    // the host
	HaltedAt    time.Time
	Resumes     int // how often somebody had it tried again

	name string // of its item
	item Item
}

// See asks a table how a group stands. All that was acknowledged before is in it, and nothing whose
// time is over. The error is the table's.
func See(t Table, fleet, group string) (*Overview, error) {
	of := t.Query(Query{Part: PartOf(fleet, group), Consistent: true})
	if of.Err != nil {
		return nil, of.Err
	}
	hosts := t.Query(Query{Part: HostsOf(fleet, group), From: hostSort, Consistent: true})
	if hosts.Err != nil {
		return nil, hosts.Err
	}
	o := &Overview{Fleet: fleet, Group: group, At: hosts.Date}
	now := o.At.UnixMilli()
	if o.At.IsZero() {
		now = 0 // nothing is over, for all that is known
	}
	l := read(0, 0, of.Items)
	o.Frozen, o.Most, o.Counted = l.state.Text("frozen"), int(l.state.Number("max_op")), int(l.state.Number("hosts"))
	for number, item := range l.slots {
		if until := item.Number("until"); until > 0 && until+ms(margin) >= now {
			o.Slots = append(o.Slots, Slot{number, item.Text("lease"), item.Text("owner"), timeOf(until), item.Number("kept") > 0})
		}
	}
	for name, item := range l.changes {
		if c, is := changeOf(name, item, now); is && !over(item, now) {
			o.Changes = append(o.Changes, c)
		}
	}
	for _, s := range hosts.Items {
		if !over(s.Item, now) {
			o.Hosts = append(o.Hosts, hostOf(s))
		}
	}
	o.sort()
	return o, nil
}

func (o *Overview) sort() {
	slices.SortFunc(o.Hosts, func(a, b Host) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(o.Slots, func(a, b Slot) int { return a.Number - b.Number })
	slices.SortFunc(o.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), b.Begun.Compare(a.Begun), cmp.Compare(a.ID, b.ID))
	})
}

// over tells whether the table is to forget an item, which it does within days.
func over(item Item, now int64) bool {
	ttl := item.Number("ttl")
	return ttl > 0 && ttl*1000 < now
}

func changeOf(name string, item Item, now int64) (c Change, is bool) {
	service, id, is := strings.Cut(strings.TrimPrefix(name, changeSort), "#")
	c = Change{
		Service: service, ID: id, OK: timeOf(item.Number("ok_at")), Resumes: int(item.Number("resumes")),
		Halted: item.Text("halted"), HaltedBy: item.Text("halted_by"), HaltedAt: timeOf(item.Number("halted_at")), name: name, item: item,
	}
	if ttl := item.Number("ttl"); ttl > 0 {
		c.Begun = timeOf((ttl - changeTTL) * 1000)
	}
	if until := item.Number("seat_until"); until > 0 && until+ms(margin) >= now {
		c.First, c.FirstUntil = item.Text("by"), timeOf(until)
	}
	return c, is
}

// hostOf reads what a host has said.
func hostOf(s Stored) Host {
	return Host{Name: strings.TrimPrefix(s.Sort, hostSort), Seen: timeOf(s.Item.Number("at")), Services: heardOf(s.Item)}
}

// timeOf gives a time of the table; zero for 0.
func timeOf(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMilli(at)
}

// unseenAfter is how long a host is silent that may be dead: it says once a day that it is there.
const unseenAfter = 2 * beatEach

// Unseen tells whether a host was not seen for two days, or cannot say when it was.
func (o *Overview) Unseen(h Host) bool {
	return h.Seen.IsZero() || !o.At.IsZero() && o.At.Sub(h.Seen) > unseenAfter
}

// Has tells whether whoever reads the files of the service has what its versions say: nobody is yet
// to be told, and nothing is, or is about to be, put back.
func (s HostService) Has() bool {
	return !slices.Contains([]string{Owing.String(), Working.String(), Failing.String(), Back.String()}, s.Phase)
}

// Resume has a change of the group that was halted be tried again: by one host first, or, as an
// operator knows that it is well from a time on, by all; zero: by one first.
func (o *Overview) Resume(c Change, ok time.Time) Update {
	u := Resume(o.Fleet, o.Group, c.name, c.item)
	if !ok.IsZero() {
		u.Set = Item{"ok_at": ok.UnixMilli()}
	}
	return u
}
