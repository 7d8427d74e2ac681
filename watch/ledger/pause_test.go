package ledger

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// held says who is paused.
func (b *book) held() string {
	var names []string
	for _, p := range b.Pauses() {
		names = append(names, p.Service+" "+strings.Join(p.Paths, " "))
	}
	return strings.Join(names, ", ")
}

func (b *book) pause(until time.Time, names ...string) error {
	var list []Pause
	for _, name := range names {
		list = append(list, Pause{Service: name, Since: time.Unix(1, 0).UTC(), Until: until, Why: "test", Who: "root"})
	}
	return b.Pause(list)
}

// A pause is on record with its event, goes with its service, and ends once.
func TestPauses(t *testing.T) {
	b := newBook(t)
	b.Follow(map[string][]string{"app": {"/f", "/g"}, "web": {"/w"}, "db": {"/d"}}, false)
	if err := b.pause(time.Time{}, "app", "web"); err != nil {
		t.Fatal(err)
	}
	if err := b.pause(time.Unix(100, 0), "db"); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if got := b.held(); got != "app /f /g, db /d, web /w" || kinds(b.History()) != "paused , paused , paused " {
		t.Fatalf("%s; %s", got, kinds(b.History()))
	}
	if !b.Follow(map[string][]string{"left": {"/f"}, "right": {"/g", "/h"}, "db": {"/d", "/e"}}, false) {
		t.Error("there is nothing to write")
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if got := b.held(); got != "db /d /e, left /f, right /g /h, web /w" {
		t.Error(got)
	}
	if over := b.Expire(time.Unix(99, 0)); over != nil {
		t.Error(over)
	}
	for range 2 { // the record says it once, whenever the process ends
		if over := b.Expire(time.Unix(100, 0)); fmt.Sprint(over) != "[db]" {
			t.Error(over)
		}
		b.restart()
	}
	b.Expire(time.Unix(100, 0))
	if resumed, err := b.Resume([]string{"left", "nobody", "right"}, "root", time.Unix(200, 0)); err != nil || fmt.Sprint(resumed) != "[left right]" {
		t.Errorf("%v, %v", resumed, err)
	}
	b.restart()
	if got, events := b.held(), kinds(b.History()); got != "web /w" || strings.Count(events, "resumed") != 3 {
		t.Errorf("%s; %s", got, events)
	}
}

// What could not be put on record is not so, and the history says nothing of it.
func TestFailedPause(t *testing.T) {
	b := newBook(t)
	room := 1 << 30
	b.system = small{disk.Host, &room, unix.EIO}
	b.restart()
	if err := b.pause(time.Time{}, "app"); err != nil {
		t.Fatal(err)
	}
	room = 0
	if err := b.pause(time.Time{}, "web"); err == nil || b.held() != "app " {
		t.Errorf("%v; %s", err, b.held())
	}
	if _, err := b.Resume([]string{"app"}, "root", time.Unix(2, 0)); err == nil || b.held() != "app " || kinds(b.History()) != "paused " {
		t.Errorf("%v; %s; %s", err, b.held(), kinds(b.History()))
	}
}

// A pause whose line is damaged is lost, and nothing else is.
func TestDamagedPause(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	b.change("/f")
	if err := b.pause(time.Time{}, "app", "web"); err != nil {
		t.Fatal(err)
	}
	record := strings.Replace(b.record(), `{"service":"app"`, `{"service":"abb"`, 1)
	if err := os.WriteFile(b.path(), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.adopt("/f:a, /g:a")
	if b.held() != "web " || b.owed() != "a /f" || b.Unsure([]string{"/f", "/g"}) {
		t.Errorf("%s; owed %s", b.held(), b.owed())
	}
}
