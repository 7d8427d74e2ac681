package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// A small system has room for files of so many bytes each.
type small struct {
	disk.System
	room *int
	why  error // of a write for which there is none
}

func (s small) Open(path string) (disk.Dir, error) {
	d, err := s.System.Open(path)
	return smallDir{d, s}, err
}

type smallDir struct {
	disk.Dir
	small
}

func (d smallDir) Create(name string) (disk.File, error) {
	f, err := d.Dir.Create(name)
	return smallFile{f, d.small}, err
}

type smallFile struct {
	disk.File
	small
}

func (f smallFile) Write(p []byte) (int, error) {
	if len(p) > *f.room {
		n, _ := f.File.Write(p[:*f.room])
		return n, f.why
	}
	return f.File.Write(p)
}

// Where the record finds no room the older half of the history is given up, again and again; what
// is owed is on record, the newest events are, and that older ones are not.
func TestHistoryGivesWay(t *testing.T) {
	for name, test := range map[string]struct {
		why  error
		room int
		most int // events that are left
	}{
		"a full disk":        {unix.ENOSPC, 20_000, 125},
		"a quota":            {unix.EDQUOT, 20_000, 125},
		"hardly any is left": {unix.ENOSPC, 1500, 8},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			room := 1 << 30
			b.system = small{disk.Host, &room, test.why}
			b.restart()
			b.adopt("/f:a")
			for i := range 1000 {
				b.Note(Event{At: time.Unix(int64(i), 0).UTC(), Kind: Told, Dependent: fmt.Sprint(i)})
			}
			if err := b.Flush(); err != nil {
				t.Fatal(err)
			}
			room = test.room
			if err := b.Begin(renames("/f"), []string{"/f"}, Event{Kind: Changed, Paths: []string{"/f"}}, nil); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				events := b.History()
				last := events[len(events)-1]
				if events[0].Kind != Forgotten || last.Kind != Changed || len(events) > test.most+2 || len(events) < 3 ||
					events[1].At.Sub(events[0].At) != time.Second || events[len(events)-2].Dependent != "999" || b.owed() != "a /f" {
					t.Fatalf("owed %s; %d events: %v … %v", b.owed(), len(events), events[0], last)
				}
				b.restart()
				b.adopt("/f:a")
			}
			for i := range 100 { // it goes on so
				if err := b.Acknowledge("a", b.Owed("a", []string{"/f"}), Event{At: time.Unix(int64(1000+i), 0).UTC(), Kind: Told, Dependent: fmt.Sprint(1000 + i)}); err != nil {
					t.Fatal(err)
				}
			}
			events := b.History()
			forgotten := func(e Event) bool { return e.Kind == Forgotten }
			if !forgotten(events[0]) || slices.ContainsFunc(events[1:], forgotten) || events[len(events)-1].Dependent != "1099" || b.owed() != "" {
				t.Errorf("owed %s; %v", b.owed(), events)
			}
		})
	}
}

// Where the disk has no room for anything the history is not given up in vain.
func TestHistoryStaysOnAFullDisk(t *testing.T) {
	b := newBook(t)
	room := 1 << 30
	b.system = small{disk.Host, &room, unix.ENOSPC}
	b.restart()
	b.adopt("/f:a")
	for i := range 10 {
		b.Note(Event{Kind: Told, Dependent: fmt.Sprint(i)})
	}
	room = 10
	if err := b.Begin(renames("/f"), []string{"/f"}, Event{Kind: Changed}, nil); err == nil || b.owed() != "" {
		t.Errorf("%v, owed %s", err, b.owed())
	}
	room = 1 << 30
	b.change("/f")
	b.restart()
	b.adopt("/f:a")
	if got := kinds(b.History()); got != "told 0, told 1, told 2, told 3, told 4, told 5, told 6, told 7, told 8, told 9" || b.owed() != "a /f" {
		t.Errorf("%s; owed %s", got, b.owed())
	}
}
