package operator

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/printable"
	"github.com/rendered/rendered/cmd/rendered/internal/status"
	"github.com/rendered/rendered/watch/fleet"
)

// Status prints how the groups stand, or what their hosts have of a ref; no words: of everything.
// It reports whether all are settled.
func (o *Operator) Status(ctx context.Context, words []string) (bool, error) {
	var about func(string) bool
	if len(words) > 0 {
		q, err := ask(words)
		if err != nil {
			return false, err
		}
		about = q.means
	}
	s, err := o.begin(ctx)
	if err != nil {
		return false, err
	}
	var all standing
	good := s.whole
	for _, g := range s.groups {
		v, err := s.see(ctx, g)
		if err != nil {
			return false, err
		}
		d := document(g, v, about)
		all.Groups = append(all.Groups, d)
		good = good && d.Settled
	}
	if s.JSON {
		console.JSON(s.Out, all)
		return good, nil
	}
	for i, d := range all.Groups {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		d.print(s.Out, about != nil)
	}
	return good, nil
}

// print prints a group: what its hosts have, then who works, then what keeps others from it.
func (d *groupDoc) print(w io.Writer, ref bool) {
	console.Table{{d.headline()}}.Print(w)
	if d.Frozen != "" {
		console.Table{{"frozen by " + d.Frozen + "; it ends by  rendered fleet thaw"}}.Print(w)
	}
	if len(d.Hosts) > 0 {
		d.table(ref).PrintColored(w, colorOf)
	}
	for _, t := range []console.Table{d.slots(), d.changes()} {
		if len(t) > 1 {
			t.Print(w)
		}
	}
}

// now is the time of the table, or else of this machine.
func (d *groupDoc) now() time.Time {
	if d.At.IsZero() {
		return time.Now()
	}
	return d.At
}

func (d *groupDoc) headline() string {
	working := len(slices.DeleteFunc(slices.Clone(d.Slots), func(s slotDoc) bool { return s.Kept }))
	kept := len(d.Slots) - working
	text := fmt.Sprintf("group %s of fleet %s: %s, %d at work", d.Group, d.Fleet, console.Count(len(d.Hosts), "host"), working)
	if d.Most > 0 {
		text += fmt.Sprintf(" of at most %d", d.Most)
	}
	if d.MostBy == "operator" {
		text += ", as an operator has it"
	}
	if kept > 0 {
		text += fmt.Sprintf(", %d kept", kept)
	}
	return text
}

// colorOf gives the color of a state.
func colorOf(column int, cell string) printable.Color {
	switch {
	case column != 2:
	case cell == fleet.Idle.String():
		return printable.Green
	case cell == fleet.Ill.String(), cell == fleet.Back.String():
		return printable.Red
	}
	return printable.Plain
}

// A row is what hosts have in common.
type row struct {
	service, has, state string
	hosts               []string
}

const (
	mostNamed   = 3 // hosts of a row
	mostOfState = 5 // changes of a service in one state, beyond which they are counted
)

// order is how states are listed: what needs somebody stands last.
var order = []string{fleet.Idle.String(), fleet.Waiting.String(), fleet.Working.String(), fleet.Owing.String(), fleet.Failing.String(), fleet.Back.String(), fleet.Ill.String()}

// table groups hosts that say the same of a service: by their change, or by the version of a ref.
func (d *groupDoc) table(ref bool) console.Table {
	var rows []*row
	at := make(map[[3]string]*row)
	for _, h := range d.Hosts {
		for _, s := range h.Services {
			has, brief := []string{s.Change}, short
			if ref {
				has, brief = versions(s), console.Version
			}
			state := s.State
			if h.Unseen {
				state += ", unseen"
			}
			for _, what := range has {
				key := [3]string{s.Service, what, state}
				if at[key] == nil {
					at[key] = &row{service: s.Service, has: brief(what), state: state}
					rows = append(rows, at[key])
				}
				at[key].hosts = append(at[key].hosts, h.Host)
			}
		}
	}
	urgency := func(state string) int {
		word, unseen, _ := strings.Cut(state, ",")
		return 2*slices.Index(order, word) + min(1, len(unseen))
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.service, b.service), urgency(a.state)-urgency(b.state), len(b.hosts)-len(a.hosts), cmp.Compare(a.has, b.has))
	})
	return listed(rows, ref)
}

// listed gives the rows, of which those are one that are too many.
func listed(rows []*row, ref bool) console.Table {
	heads, noun := "CHANGE", "change"
	if ref {
		heads, noun = "VERSION", "version"
	}
	t := console.Table{{"SERVICE", heads, "STATE", "HOSTS"}}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].service == rows[0].service && rows[n].state == rows[0].state {
			n++
		}
		same := rows[:n]
		rows = rows[n:]
		if n > mostOfState {
			all := row{service: same[0].service, has: console.Count(n, noun), state: same[0].state}
			for _, r := range same {
				all.hosts = append(all.hosts, r.hosts...)
			}
			slices.Sort(all.hosts)
			same = []*row{&all}
		}
		for _, r := range same {
			t = append(t, []string{r.service, r.has, r.state, fmt.Sprintf("%d: %s", len(r.hosts), some(r.hosts, mostNamed))})
		}
	}
	return t
}

// versions gives those of a service, each once.
func versions(s serviceDoc) (list []string) {
	for _, v := range s.Versions {
		list = append(list, v.Version)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// mostSlots is how many slots a screen lists.
const mostSlots = 20

// slots lists who works, and who has a slot and is not well.
func (d *groupDoc) slots() console.Table {
	t := console.Table{{"SLOT", "HOST", "UNTIL"}}
	// What needs somebody stands last.
	list := slices.SortedStableFunc(slices.Values(d.Slots), func(a, b slotDoc) int {
		kept := map[bool]int{true: 1}
		return kept[a.Kept] - kept[b.Kept]
	})
	for i, s := range list {
		if i == mostSlots && len(list) > mostSlots+1 {
			return append(t, []string{fmt.Sprintf("and %d more; --json has them", len(list)-i)})
		}
		until := status.Moment(s.Until) + ", " + status.Until(d.now(), s.Until) + ", where it does not renew it"
		if s.Kept {
			until = "kept, as the host is not well: until " + status.Moment(s.Until) + ", or  rendered fleet release " + s.Host
		}
		t = append(t, []string{fmt.Sprint(s.Slot), s.Host, until})
	}
	return t
}

// changes lists what keeps hosts from a change, or lets them.
func (d *groupDoc) changes() console.Table {
	t := console.Table{{"SERVICE", "CHANGE", "STANDS"}}
	for _, c := range d.Changes {
		if c.Open {
			t = append(t, []string{c.Service, short(c.Change), d.stands(c)})
		}
	}
	return t
}

func (d *groupDoc) stands(c changeDoc) string {
	var have, other int
	for _, h := range d.Hosts {
		for _, s := range h.Services {
			switch {
			case s.Service != c.Service:
			case s.Change == c.Change:
				have++
			default:
				other++
			}
		}
	}
	hosts := fmt.Sprintf("; %s it, %d another", map[bool]string{true: "1 has", false: fmt.Sprintf("%d have", have)}[have == 1], other)
	switch {
	case c.Halted != "":
		return fmt.Sprintf("halted by %s %s: %s\nrendered fleet resume %s", c.HaltedBy, status.Since(d.now(), c.HaltedAt), c.Halted, c.Service)
	case c.First != "":
		return fmt.Sprintf("%s goes first, the others wait for it, until %s at the latest%s", c.First, status.Moment(c.FirstUntil), hosts)
	case !c.OK.IsZero():
		return "well since " + status.Moment(c.OK) + hosts
	case have > 0: // they went without a turn, or the first one died
		return "no host that goes first was seen to be well" + hosts
	}
	return "waits for a host that goes first" + hosts
}
