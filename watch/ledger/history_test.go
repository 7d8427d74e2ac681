package ledger

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
)

func kinds(events []Event) string {
	var list []string
	for _, e := range events {
		list = append(list, string(e.Kind)+" "+e.Dependent+strings.Join(e.Paths, " "))
	}
	return strings.Join(list, ", ")
}

// What is begun and acknowledged is in the history, in one record with it; what was noted comes
// with the next. The versions before are those of the event before.
func TestHistory(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	versions := func(v string) map[string]string { return map[string]string{"secret s": v, "param /p": "1"} }
	change := func(v string) Event {
		return Event{At: time.Unix(1, 0).UTC(), Kind: Changed, Services: []string{"app"}, Refs: b.Renewals("app", versions(v)), Paths: []string{"/f"}}
	}
	for _, v := range []string{"v1", "v2"} {
		if err := b.Begin(renames("/f"), []string{"/f"}, change(v), nil); err != nil {
			t.Fatal(err)
		}
		if err := b.Acknowledge("a", b.Owed("a", []string{"/f"}), Event{At: time.Unix(2, 0).UTC(), Kind: Told, Dependent: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	b.Note(Event{Kind: Failed, Failure: "no"})
	if got := kinds(b.History()); got != "changed /f, told a, changed /f, told a, failed " {
		t.Error(got)
	}
	b.restart()
	events := b.History()
	if got := kinds(events); got != "changed /f, told a, changed /f, told a" {
		t.Errorf("after a restart: %s", got)
	}
	if got := fmt.Sprint(events[0].Refs, events[2].Refs); got != "[{param /p  1} {secret s  v1}] [{secret s v1 v2}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(b.Renewals("app", versions("v3")), b.Renewals("other", map[string]string{"secret s": "v2"})); got != "[{secret s v2 v3}] [{secret s  v2}]" {
		t.Error(got)
	}
}

// A damaged event is lost, and nothing else is.
func TestDamagedHistory(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	for i := range 3 {
		b.Note(Event{Kind: Told, Dependent: fmt.Sprint(i)})
	}
	b.change("/f")
	record := strings.Replace(b.record(), `"dependent":"1"`, `"dependent":"7"`, 1)
	if err := os.WriteFile(b.path(), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.adopt("/f:a, /g:a")
	if got := kinds(b.History()); got != "told 0, told 2" || b.owed() != "a /f" || b.Unsure([]string{"/f", "/g"}) {
		t.Errorf("%s; owed %s", got, b.owed())
	}
}

// The history has a bound, in entries and in bytes.
func TestHistoryIsBounded(t *testing.T) {
	b := newBook(t)
	for i := range 3000 {
		b.Note(Event{Kind: Told, Dependent: fmt.Sprint(i)})
	}
	events := b.History()
	if len(events) != mostEvents || events[0].Dependent != "2000" {
		t.Errorf("%d events from %s on", len(events), events[0].Dependent)
	}
	for range 100 {
		b.Note(Event{Kind: Failed, Failure: strings.Repeat("x", 50_000)})
	}
	size := 0
	for _, e := range b.events.list {
		size += len(e.line)
	}
	if size > mostEventBytes || size != b.events.bytes {
		t.Errorf("%d bytes, said to be %d", size, b.events.bytes)
	}
}

// What could not be begun did not happen.
func TestEventOfAFailedBegin(t *testing.T) {
	b := newBook(t)
	full := false
	b.system = faulty.System(disk.Host, func(s faulty.Step) error {
		if full && s.Op == "create" {
			return unix.ENOSPC
		}
		return nil
	})
	b.restart()
	b.adopt("/f:a")
	full = true
	err := b.Begin(renames("/f"), []string{"/f"}, Event{Kind: Changed, Services: []string{"app"}, Refs: []Renewal{{"secret s", "v1", "v2"}}}, nil)
	if err == nil || slices.ContainsFunc(b.History(), func(e Event) bool { return e.Kind == Changed }) {
		t.Errorf("%v: %v", err, b.History())
	}
	if got := b.Renewals("app", map[string]string{"secret s": "v2"}); fmt.Sprint(got) != "[{secret s v1 v2}]" {
		t.Error(got)
	}
}
