package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"
)

// rolled gives a world in which hosts have made a change, or are about to.
func rolled(hosts int, until time.Duration) *world {
	w := newWorld(1, small(hosts, 1))
	w.want["web"] = "v1"
	for range hosts {
		w.addHost("web")
	}
	w.rolls("web", "v2")
	w.run(until)
	return w
}

// asTable asks the world's table at once.
type asTable struct{ *world }

func (t asTable) Update(u Update) Answer { return t.update(u) }
func (t asTable) Query(q Query) Answer   { return t.query(q) }

func see(t *testing.T, w *world) *Overview {
	t.Helper()
	o, err := See(asTable{w}, w.settings.Fleet, w.settings.Group)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// What an operator sees is what the members of a fleet have written.
func TestOverviewOfARollout(t *testing.T) {
	w := rolled(5, 30*time.Second)
	defer w.close()
	o := see(t, w)
	if len(o.Changes) == 0 || o.Changes[0].First == "" || !o.Changes[0].OK.IsZero() || len(o.Slots) != 1 || o.Slots[0].Host != o.Changes[0].First || o.Slots[0].Kept {
		t.Fatalf("while the first host makes it: %+v", o)
	}
	if left := o.Slots[0].Until.Sub(o.At); left < 0 || left > w.settings.lease()+time.Second {
		t.Errorf("its slot is free in %v", left)
	}
	w.run(3 * time.Hour)
	w.judgeEnd()
	o = see(t, w)
	if len(o.Slots) != 0 || len(o.Hosts) != 5 || o.Counted == 0 {
		t.Errorf("in the end: %+v", o)
	}
	for _, h := range o.Hosts {
		if s := h.Services["web"]; s.Change == "" || s.Phase != "current" || !s.Has() || o.Unseen(h) || s.Change != o.Hosts[0].Services["web"].Change {
			t.Errorf("%+v", h)
		}
	}
	if c := o.Changes[0]; c.ID != o.Hosts[0].Services["web"].Change || c.Service != "web" || c.OK.IsZero() || c.First != "" || c.Halted != "" || c.Begun.After(c.OK) {
		t.Errorf("%+v", c)
	}
	if len(w.broken) > 0 {
		t.Error(w.broken)
	}
}

// A change that was halted is tried again once somebody resumes it, by one host first or by all.
func TestOverviewResumes(t *testing.T) {
	for _, skips := range []bool{false, true} {
		w := newWorld(7, small(4, 1))
		defer w.close()
		w.want["web"] = "v1"
		for range 4 {
			w.addHost("web")
		}
		w.bad["v2"] = true
		w.rolls("web", "v2")
		w.run(time.Hour)
		o := see(t, w)
		at := slices.IndexFunc(o.Changes, func(c Change) bool { return c.Halted != "" })
		if at < 0 || o.Changes[at].HaltedBy == "" || o.Changes[at].HaltedAt.IsZero() || o.Changes[at].Begun.IsZero() {
			t.Fatalf("nothing is halted: %+v", o)
		}
		c := o.Changes[at]
		var ok time.Time
		if skips {
			ok = o.At
		}
		u := o.Resume(c, ok)
		delete(w.bad, "v2")
		delete(w.stopped, changeName(c.Service, c.ID))
		if a := w.update(u); a.Refused {
			t.Fatalf("refused: %v", a.Old)
		}
		if a := w.update(u); !a.Refused || a.Old.Text("halted") != "" {
			t.Errorf("a second time: %+v", a)
		}
		again := see(t, w).Changes[at]
		if again.Halted != "" || again.Resumes != 1 || again.OK.IsZero() == skips {
			t.Errorf("resumed, skips %v: %+v", skips, again)
		}
		w.run(3 * time.Hour)
		for _, h := range see(t, w).Hosts {
			if h.Services["web"].Change != c.ID {
				t.Errorf("skips %v: %s has %+v", skips, h.Name, h.Services["web"])
			}
		}
	}
}

// a table that holds items as others write them
type fixed map[Key]Item

func (f fixed) Update(Update) Answer { return Answer{Refused: true} }

func (f fixed) Query(q Query) Answer {
	a := Answer{Date: time.UnixMilli(epoch).Add(72 * time.Hour)}
	for k, item := range f {
		if k.Part == q.Part && k.Sort >= q.From {
			a.Items = append(a.Items, Stored{k.Sort, item})
		}
	}
	slices.SortFunc(a.Items, func(a, b Stored) int { return cmp.Compare(a.Sort, b.Sort) })
	return a
}

// What the table is to forget, and what nobody of ours has written, is not shown.
func TestOverviewOfStrangeItems(t *testing.T) {
	const hour = int64(time.Hour / time.Millisecond)
	now := epoch + 72*hour
	part, hosts := PartOf("prod", "web"), HostsOf("prod", "web")
	table := fixed{
		{part, "state"}:          {"frozen": "alice: deploy", "max_op": int64(7), "hosts": int64(12)},
		{part, "slot#000000"}:    {"lease": "a", "owner": "free", "until": int64(0)},
		{part, "slot#000001"}:    {"lease": "b", "owner": "dead", "until": now - 3000},
		{part, "slot#000002"}:    {"lease": "c", "owner": "ends", "until": now - 1000},
		{part, "slot#000011"}:    {"lease": "d", "owner": "ill", "until": now + 20*hour, "kept": int64(1)},
		{part, "slot#none"}:      {"lease": "e", "until": now + hour},
		{part, "svc#web#1:aa"}:   {"ttl": now/1000 - 1, "ok_at": now},
		{part, "svc#web#1:bb"}:   {"ttl": now/1000 + changeTTL - 60, "ok_at": now - hour},
		{part, "svc#web#1:cc"}:   {"ttl": now/1000 + changeTTL, "by": "h1", "seat": "x", "seat_until": now + hour},
		{part, "svc#broken"}:     {"ok_at": now},
		{hosts, "host#gone"}:     {"at": now - 80*hour, "ttl": now/1000 - 8*3600},
		{hosts, "host#old"}:      {"at": now - 49*hour, "ttl": now/1000 + 3600, "services": `{"web":{"change":"1:bb","phase":"current","versions":{"secret a":"1"}}}`},
		{hosts, "host#young"}:    {"at": now - 47*hour, "services": `{"web":{"change":"1:bb","phase":"owing"},"b":"{","c":1}`, "other": "x"},
		{hosts, "host#timeless"}: {"at": int64(0)},
		{"else", "host#x"}:       {},
	}
	o, err := See(table, "prod", "web")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range o.Hosts {
		got = append(got, fmt.Sprintf("%s unseen %v, %d services, has %v", h.Name, o.Unseen(h), len(h.Services), h.Services["web"].Has()))
	}
	for _, s := range o.Slots {
		got = append(got, fmt.Sprintf("slot %d of %s, kept %v", s.Number, s.Host, s.Kept))
	}
	for _, c := range o.Changes {
		got = append(got, fmt.Sprintf("change %s %s of %v, ok %v, first %q", c.Service, c.ID, o.At.Sub(c.Begun), !c.OK.IsZero(), c.First))
	}
	got = append(got, fmt.Sprint(o.Frozen, " ", o.Most, " ", o.Counted))
	want := []string{
		"old unseen true, 1 services, has true", "timeless unseen true, 0 services, has true", "young unseen false, 1 services, has false",
		"slot 2 of ends, kept false", "slot 11 of ill, kept true",
		`change web 1:cc of 0s, ok false, first "h1"`, `change web 1:bb of 1m0s, ok true, first ""`,
		"alice: deploy 7 12",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// halted gives a world of hosts in which v2 is halted.
func halted(hosts int) *world {
	w := newWorld(1, small(hosts, 1))
	w.want["web"] = "v1"
	for range hosts {
		w.addHost("web")
	}
	w.run(time.Minute)
	w.bad["v2"] = true
	w.rolls("web", "v2")
	w.run(20 * time.Minute)
	return w
}

// A halted change that hosts want again, after another, is the one that an operator sees first, and
// resumes.
func TestHaltedChangeIsWantedAgain(t *testing.T) {
	w := halted(5)
	defer w.close()
	w.rolls("web", "v3")
	w.run(time.Hour)
	if o := see(t, w); o.Changes[0].ID != "v3" || o.Changes[0].OK.IsZero() || o.Changes[1].Halted == "" {
		t.Fatalf("before: %+v", o.Changes)
	}
	w.bad["v2"] = false
	w.rolls("web", "v2")
	w.run(time.Hour + 10*time.Minute)
	asked := w.writes
	w.run(2 * time.Hour)
	o := see(t, w)
	if o.Changes[0].ID != "v2" || o.Changes[0].Halted == "" || w.writes != asked {
		t.Fatalf("wanted again, %d writes more: %+v", w.writes-asked, o.Changes)
	}
	w.update(o.Resume(o.Changes[0], time.Time{}))
	w.run(4 * time.Hour)
	for _, h := range w.hosts {
		if h.services["web"].has != "v2" {
			t.Errorf("%s has %s", h.name, h.services["web"].has)
		}
	}
	if len(w.broken) > 0 {
		t.Error(w.broken)
	}
}

// Where the table is made anew, and knows of no halt, the host that a change has failed on tries it
// as any other: nobody could resume it.
func TestTableMadeAnew(t *testing.T) {
	w := halted(3)
	defer w.close()
	if o := see(t, w); o.Changes[0].Halted == "" {
		t.Fatalf("%+v", o.Changes)
	}
	clear(w.table)
	clear(w.parts)
	clear(w.stopped)
	w.bad["v2"] = false
	w.run(2 * time.Hour)
	for _, h := range w.hosts {
		if s := h.services["web"]; s.has != "v2" {
			t.Errorf("%s has %s, tried %q", h.name, s.has, s.tried)
		}
	}
	if len(w.broken) > 0 {
		t.Error(w.broken)
	}
}
