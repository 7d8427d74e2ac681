package ledger

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/disk/faulty"
	"github.com/rendered/rendered/render/swap"
)

// A book is a ledger in a directory, which a test opens again and again.
type book struct {
	*Ledger
	t      *testing.T
	dir    string
	system disk.System
}

func newBook(t *testing.T) *book {
	b := &book{t: t, dir: t.TempDir(), system: disk.Host}
	b.open(false)
	t.Cleanup(func() { b.Close() })
	return b
}

func (b *book) open(foreign bool) {
	b.t.Helper()
	dir, err := b.system.Open(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.Ledger, err = Open(b.system, dir, foreign, nil); err != nil {
		b.t.Fatal(err)
	}
}

// restart opens the ledger anew, as after a kill.
func (b *book) restart() {
	b.t.Helper()
	b.Close()
	b.open(false)
}

func (b *book) path() string { return filepath.Join(b.dir, Name) }

func (b *book) record() string {
	data, err := os.ReadFile(b.path())
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	return string(data)
}

// change begins a swap of files that all get new content.
func (b *book) change(paths ...string) {
	b.t.Helper()
	if err := b.Begin(renames(paths...), paths, Event{}, nil); err != nil {
		b.t.Fatal(err)
	}
}

func renames(paths ...string) (list []swap.Rename) {
	for _, path := range paths {
		list = append(list, swap.Rename{Temp: filepath.Join(filepath.Dir(path), ".new"), Path: path, Digest: "d"})
	}
	return list
}

func (b *book) acknowledge(dependent string, paths ...string) {
	b.t.Helper()
	if err := b.Acknowledge(dependent, b.Owed(dependent, paths), Event{At: time.Unix(1, 0)}); err != nil {
		b.t.Fatal(err)
	}
}

// adopt takes a config as "path: dependent dependent, path: dependent".
func (b *book) adopt(config string) {
	readers := make(map[string][]string)
	for part := range strings.SplitSeq(config, ", ") {
		if path, names, ok := strings.Cut(part, ":"); ok {
			readers[path] = strings.Fields(names)
		}
	}
	b.Adopt(readers, true)
}

// owed says who is owed what, as "dependent path path; dependent path".
func (b *book) owed() string {
	b.mu.Lock()
	all, names := slices.Sorted(maps.Keys(b.files)), make(map[string]bool)
	for _, f := range b.files {
		for name := range f.told {
			names[name] = true
		}
	}
	b.mu.Unlock()
	var list []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if paths := slices.Sorted(maps.Keys(b.Owed(name, all))); len(paths) > 0 {
			list = append(list, name+" "+strings.Join(paths, " "))
		}
	}
	return strings.Join(list, "; ")
}

// Every way in which files, services and dependents may move between two configs. A service's name
// is in none of it. Each is tried as it is and with a kill after each step.
func TestMoves(t *testing.T) {
	for name, move := range map[string]struct {
		steps []string // a config, "change PATH…", "told DEPENDENT PATH…"
		want  string
	}{
		"nothing happens":                                {[]string{"/f:a"}, ""},
		"a file changes":                                 {[]string{"/f:a", "change /f"}, "a /f"},
		"it is told":                                     {[]string{"/f:a", "change /f", "told a /f"}, ""},
		"it changes and changes back":                    {[]string{"/f:a", "change /f", "told a /f", "change /f", "change /f"}, "a /f"},
		"one of two was told":                            {[]string{"/f:a b", "change /f", "told a /f"}, "b /f"},
		"a service is renamed":                           {[]string{"/f:a", "change /f", "/f:a"}, "a /f"},
		"a service is renamed and its file changes":      {[]string{"/f:a", "change /f", "told a /f", "/f:a", "change /f"}, "a /f"},
		"a file and its dependent go to another service": {[]string{"/f:a, /g:b", "change /f", "/f:a b, /g:a b"}, "a /f; b /f"},
		"a file goes to another service without it":      {[]string{"/f:a, /g:b", "change /f", "/f:b, /g:b"}, "b /f"},
		"and comes back":                                 {[]string{"/f:a, /g:b", "change /f", "/f:b, /g:b", "/f:a, /g:b"}, "a /f"},
		"and comes back when the other one was told":     {[]string{"/f:a, /g:b", "change /f", "/f:b, /g:b", "told b /f", "/f:a, /g:b"}, ""},
		"a dependent replaces another that is owed":      {[]string{"/f:a", "change /f", "/f:b"}, "b /f"},
		"one replaces another that is owed nothing":      {[]string{"/f:a", "change /f", "told a /f", "/f:b"}, ""},
		"the other one comes back":                       {[]string{"/f:a", "change /f", "/f:b", "/f:a"}, "a /f"},
		"the other one comes back in vain":               {[]string{"/f:a", "change /f", "/f:b", "told b /f", "/f:a"}, ""},
		"one joins one that is owed":                     {[]string{"/f:a", "change /f", "/f:a b"}, "a /f; b /f"},
		"one joins one that is owed nothing":             {[]string{"/f:a", "change /f", "told a /f", "/f:a b"}, ""},
		"one that is owed leaves":                        {[]string{"/f:a b", "change /f", "told b /f", "/f:b"}, ""},
		"one that is owed leaves, and comes back":        {[]string{"/f:a b", "change /f", "told b /f", "/f:b", "/f:a b"}, "a /f"},
		"one that is owed leaves, and another comes":     {[]string{"/f:a b", "change /f", "told b /f", "/f:b", "/f:b c"}, "c /f"},
		"one that left is replaced once":                 {[]string{"/f:a b", "change /f", "told b /f", "/f:b", "/f:b c", "told c /f", "/f:b c d"}, ""},
		"all leave while owed, another comes later":      {[]string{"/f:a", "change /f", "/f:", "/f:b"}, "b /f"},
		"all leave while owed, it changes, one comes":    {[]string{"/f:a", "change /f", "/f:", "change /f", "/f:b"}, "b /f"},
		"nobody was told of a change, as nobody was":     {[]string{"/f:", "change /f", "done /f", "/f:a"}, ""},
		"two leave while owed, and come back in turn":    {[]string{"/f:a b", "change /f", "/f:", "/f:a", "told a /f", "/f:a b"}, "b /f"},
		"the file leaves while owed, and comes back":     {[]string{"/f:a", "change /f", "", "/f:a"}, "a /f"},
		"the file leaves, and comes back to another":     {[]string{"/f:a", "change /f", "", "/f:b"}, "b /f"},
		"a settled file leaves, and comes back":          {[]string{"/f:a", "change /f", "told a /f", "", "/f:a"}, ""},
		"a job of an older plan changes the file":        {[]string{"/f:a", "/f:b", "change /f"}, "b /f"},
		"a job of an older plan has begun":               {[]string{"/f:", "change /f", "/f:b"}, "b /f"},
		"a job of an older plan changes what is no more": {[]string{"/f:a", "", "change /f", "done /f", "/f:a"}, ""},
		"two files, one is told":                         {[]string{"/f:a, /g:a", "change /f /g", "told a /f"}, "a /g"},
		"two files part":                                 {[]string{"/f:a, /g:a", "change /f /g", "/f:a, /g:b"}, "a /f; b /g"},
		"two files come together":                        {[]string{"/f:a, /g:b", "change /f /g", "/f:a b, /g:a b"}, "a /f /g; b /f /g"},
	} {
		for _, killed := range []bool{false, true} {
			b := newBook(t)
			config := ""
			for _, step := range move.steps {
				words := strings.Fields(step)
				switch {
				case strings.HasPrefix(step, "change "):
					b.change(words[1:]...)
				case strings.HasPrefix(step, "done "):
					b.Finished(words[1:])
					if err := b.Flush(); err != nil {
						t.Fatal(err)
					}
				case strings.HasPrefix(step, "told "):
					b.acknowledge(words[1], words[2:]...)
				default:
					config = step
					b.adopt(config)
					if err := b.Flush(); err != nil { // or it would be as if it had not been
						t.Fatal(err)
					}
				}
				if killed {
					b.restart()
					b.adopt(config)
				}
			}
			if got := b.owed(); got != move.want {
				t.Errorf("%s, killed: %v: owed %q, want %q\n%s", name, killed, got, move.want, b.record())
			}
		}
	}
}

// What was begun is known by the path alone, until it is done and everybody told.
func TestUnfinished(t *testing.T) {
	b := newBook(t)
	b.adopt("/d/f:a, /e/g:")
	b.change("/d/f", "/e/g")
	b.restart()
	b.adopt("/d/f:b, /e/g:")
	if got := b.Unfinished([]string{"/e/g", "/d/f", "/other"}); len(got) != 2 || got[0].Path != "/e/g" || got[1] != renames("/d/f")[0] {
		t.Errorf("unfinished: %+v", got)
	}
	if got := slices.Sorted(maps.Keys(b.Temps())); fmt.Sprint(got) != "[/d/.new /e/.new]" {
		t.Errorf("temporaries: %v", got)
	}
	b.Finished([]string{"/d/f", "/e/g"})
	if got := b.Unfinished([]string{"/d/f", "/e/g"}); len(got) != 1 || got[0].Path != "/d/f" {
		t.Errorf("of what is owed it is known what it should hold: %+v", got)
	}
	b.acknowledge("b", "/d/f")
	if got := b.record(); len(b.Temps()) != 0 || strings.Contains(got, "path") {
		t.Errorf("all is done: %s", got)
	}
}

// A damaged line means that its file counts as owed, after it was compared; and all files that are
// not on record do where the line does not even give its path, or lines are missing.
func TestDamage(t *testing.T) {
	config := "/f:a, /g:a, /h:a"
	flip := func(s, at string) string {
		i := strings.Index(s, at)
		return s[:i] + string(s[i]^1) + s[i+1:]
	}
	lines := func(s string) []string { return strings.SplitAfter(s, "\n") }
	for name, c := range map[string]struct {
		damage       func(record string) string
		owed, unsure string
	}{
		"not damaged":        {func(s string) string { return s }, "a /g /h", ""},
		"a number":           {func(s string) string { return flip(s, `2,"told"`) }, "a /g /h", "/g"},
		"a checksum":         {func(s string) string { return flip(s, lines(s)[1]) }, "a /g /h", "/g"},
		"a brace":            {func(s string) string { return strings.Replace(s, "}", "(", 2) }, "a /f /g /h", "/f /g"},
		"the swap's place":   {func(s string) string { return strings.Replace(s, `"/.new"`, `"/etc/n"`, 1) }, "a /g /h", "/g"},
		"a path":             {func(s string) string { return flip(s, "g\",\"change") }, "a /f /g /h", "/f /g"},
		"a line's end":       {func(s string) string { return flip(s, "\n") }, "a /f /g /h", "/f /g"},
		"two lines made one": {func(s string) string { return lines(s)[0] + flip(lines(s)[1], "\n") + lines(s)[2] }, "a /f /g /h", "/f /g /h"},
		"a line is missing":  {func(s string) string { return lines(s)[0] + lines(s)[2] }, "a /f /g /h", "/f /g"},
		"the head":           {func(s string) string { return flip(s, "version") }, "a /f /g /h", "/f"},
		"the head is gone":   {func(s string) string { return strings.Join(lines(s)[1:], "") }, "a /f /g /h", "/f"},
		"it is cut off":      {func(s string) string { return s[:strings.IndexByte(s, ownMark)-3] }, "a /f /g /h", "/f"},
		"it is empty":        {func(string) string { return "" }, "a /f /g /h", "/f /g /h"},
		"it is another's":    {func(string) string { return strings.Repeat("x", 1000) }, "a /f /g /h", "/f /g /h"},
	} {
		b := newBook(t)
		b.adopt(config)
		b.change("/f", "/g", "/h")
		b.acknowledge("a", "/f")
		if err := os.WriteFile(b.path(), []byte(c.damage(b.record())), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the damage is not forgotten when the record is written anew
			b.restart()
			b.adopt(config)
			var unsure []string
			for _, path := range []string{"/f", "/g", "/h"} {
				if b.Unsure([]string{path}) {
					unsure = append(unsure, path)
				}
			}
			if got := strings.Join(unsure, " "); b.owed() != c.owed || got != c.unsure {
				t.Errorf("%s: owed %q, unsure %q, want %q, %q\n%s", name, b.owed(), got, c.owed, c.unsure, b.record())
			}
			if err := b.flush(func() bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
		b.Compared([]string{"/f", "/g", "/h"})
		b.acknowledge("a", "/f", "/g", "/h")
		b.restart()
		b.adopt(config + ", /new:a")
		if b.owed() != "" || b.Unsure([]string{"/f", "/g", "/h", "/new"}) {
			t.Errorf("%s: in the end owed %q\n%s", name, b.owed(), b.record())
		}
	}
}

// With another key nothing can be compared: what is owed stays so.
func TestForeignKey(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a, /g:a")
	b.change("/f", "/g")
	b.acknowledge("a", "/g")
	b.Close()
	b.open(true)
	b.adopt("/f:a, /g:a")
	if b.owed() != "a /f" || !b.Unsure([]string{"/f"}) || b.Unsure([]string{"/g"}) || len(b.Unfinished([]string{"/f"})) != 0 {
		t.Errorf("owed %q: %s", b.owed(), b.record())
	}
}

// Several who come while a write is under way are made durable by one write; a failed write is a
// failure of all of them, of what they began nothing stays, and who comes later goes on.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.Close()
		var writes, fail atomic.Int32
		b.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Op == "fsync" {
				n := writes.Add(1)
				<-time.After(time.Second)
				if n == fail.Load() {
					return unix.EIO
				}
			}
			return nil
		})
		b.open(false)
		config := ""
		for i := range 100 {
			config += fmt.Sprintf(", /%02d:a", i)
		}
		b.adopt(config)
		begin := func(from, to int) (errs []error) {
			list := make([]error, to)
			var all sync.WaitGroup
			for i := from; i < to; i++ {
				all.Go(func() {
					path := fmt.Sprintf("/%02d", i)
					list[i] = b.Begin(renames(path), []string{path}, Event{}, nil)
				})
				if i == from {
					synctest.Wait() // it writes, and can no more be joined
				}
			}
			all.Wait()
			return slices.DeleteFunc(list, func(err error) bool { return err == nil })
		}
		begun := time.Now()
		if errs := begin(0, 50); len(errs) > 0 || writes.Load() != 2 || time.Since(begun) != 2*time.Second {
			t.Errorf("%v; %d writes in %v", errs, writes.Load(), time.Since(begun))
		}
		fail.Store(4) // the first of them goes alone, the others together
		errs := begin(50, 100)
		if len(errs) != 49 || writes.Load() != 4 || !errors.Is(errs[0], unix.EIO) {
			t.Errorf("%d errors, %d writes: %v", len(errs), writes.Load(), errs)
		}
		b.restart()
		b.adopt(config)
		if n := len(strings.Fields(b.owed())) - 1; n != 51 || len(b.Temps()) != 1 {
			t.Errorf("%d files are owed", n)
		}
		if errs := begin(50, 100); len(errs) > 0 {
			t.Error(errs)
		}
	})
}

// Where nobody knows whether a failed write is on disk it is written again without what it began;
// where that fails as well, what it began may be on record, and says so.
func TestUncertain(t *testing.T) {
	for _, certain := range []bool{true, false} {
		b := newBook(t)
		b.adopt("/f:a")
		b.Close()
		n := -1
		b.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Op == "sync" && n >= 0 {
				if n++; n == 1 || !certain && n == 2 {
					return unix.EIO
				}
			}
			return nil
		})
		b.open(false)
		n = 0
		b.adopt("/f:a")
		err := b.Begin(renames("/f"), []string{"/f"}, Event{}, nil)
		_, uncertain := errors.AsType[Uncertain](err)
		if !errors.Is(err, unix.EIO) || uncertain == certain || len(b.Temps()) == 0 != certain || b.owed() != "" {
			t.Errorf("certain: %v: %v, temporaries %v, owed %q", certain, err, b.Temps(), b.owed())
		}
		if err := b.Confirm(); err != nil || len(b.Temps()) != 0 || strings.Contains(b.record(), "/f") {
			t.Errorf("certain: %v: %v: %s", certain, err, b.record())
		}
	}
}

// A write has what later ones are to make durable, too: where one of those fails, though nobody can
// doubt that, what it began may be on record all the same.
func TestUncertainByAnEarlierWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.adopt("/d/f:a, /e/g:a")
		b.change("/d/f")
		b.acknowledge("a", "/d/f")
		b.Close()
		creates, syncs := 0, 0
		b.system = faulty.System(disk.Host, func(s faulty.Step) error {
			switch s.Op {
			case "fsync":
				<-time.After(time.Second)
			case "sync":
				if syncs++; syncs == 1 {
					return unix.EIO
				}
			case "create":
				if creates++; creates > 2 {
					return unix.ENOSPC
				}
			}
			return nil
		})
		b.open(false)
		b.adopt("/d/f:a, /e/g:a")
		var first, second error
		go func() { first = b.Begin(renames("/d/f"), []string{"/d/f"}, Event{}, nil) }()
		synctest.Wait()
		second = b.Begin(renames("/e/g"), []string{"/e/g"}, Event{}, nil)
		synctest.Wait()
		_, uncertain := errors.AsType[Uncertain](second)
		if !errors.Is(first, unix.EIO) || !errors.Is(second, unix.ENOSPC) || !uncertain || !b.Temps()["/e/.new"] || !strings.Contains(b.record(), "/e/.new") {
			t.Errorf("%v; %v; temporaries %v; %s", first, second, b.Temps(), b.record())
		}
	})
}

// Where lines were lost and the config has no files yet, those that come later are owed as well.
func TestDamageBeforeTheFirstFile(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	b.change("/f")
	if err := os.WriteFile(b.path(), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.adopt("")
	if err := b.flush(func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.adopt("/f:a")
	if b.owed() != "a /f" || !b.Unsure([]string{"/f"}) {
		t.Errorf("owed %q: %s", b.owed(), b.record())
	}
}

// A record that the disk cannot read keeps nobody from starting.
func TestUnreadableRecord(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a")
	b.system = faulty.System(disk.Host, func(s faulty.Step) error {
		if s.Op == "read" && filepath.Base(s.Path) == Name {
			return unix.EIO
		}
		return nil
	})
	b.restart()
	b.adopt("/f:a")
	if b.owed() != "a /f" || !b.Unsure([]string{"/f"}) {
		t.Errorf("owed %q: %s", b.owed(), b.record())
	}
}

// Where lines were lost and not all services are known, those that come later are owed as well.
func TestDamageBeforeAllServicesAreKnown(t *testing.T) {
	b := newBook(t)
	b.adopt("/f:a, /g:b")
	b.change("/f", "/g")
	if err := os.WriteFile(b.path(), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	b.Adopt(map[string][]string{"/f": {"a"}}, false)
	b.acknowledge("a", "/f")
	b.Adopt(map[string][]string{"/f": {"a"}}, false)
	if b.owed() != "" {
		t.Errorf("told, and owed again: %s", b.owed())
	}
	b.adopt("/f:a, /g:b")
	if b.owed() != "b /g" || !b.Unsure([]string{"/g"}) {
		t.Errorf("owed %q: %s", b.owed(), b.record())
	}
}

// What is closed is not written to any more, and a write that is under way comes to its end.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.Close()
		b.system = faulty.System(disk.Host, func(s faulty.Step) error {
			if s.Op == "fsync" {
				<-time.After(time.Second)
			}
			return nil
		})
		b.open(false)
		b.adopt("/f:a, /g:a")
		var first, second error
		go func() { first = b.Begin(renames("/f"), []string{"/f"}, Event{}, nil) }()
		synctest.Wait()
		go func() { second = b.Begin(renames("/g"), []string{"/g"}, Event{}, nil) }()
		synctest.Wait()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		late := b.Acknowledge("a", nil, Event{At: time.Now()})
		if first != nil || second != nil && !errors.Is(second, errClosed) || !errors.Is(late, errClosed) {
			t.Errorf("%v, %v, %v", first, second, late)
		}
		b.open(false)
		b.adopt("/f:a, /g:a")
		if want := map[bool]string{true: "a /f /g", false: "a /f"}[second == nil]; b.owed() != want {
			t.Errorf("owed %q, want %q", b.owed(), want)
		}
	})
}

// When a dependent was told is on record, for a day at least, and as now where the clock was ahead.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t)
		b.adopt("/f:a b")
		now := time.Now()
		for name, at := range map[string]time.Time{"a": now, "b": now.Add(time.Hour), "gone": now} {
			if err := b.Acknowledge(name, nil, Event{At: at}); err != nil {
				t.Fatal(err)
			}
		}
		b.restart()
		b.adopt("/f:a b")
		if !b.Told("a", now).Equal(now) || !b.Told("b", now).Equal(now) || !b.Told("gone", now).Equal(now) || !b.Told("c", now).IsZero() {
			t.Error(b.record())
		}
		<-time.After(25 * time.Hour)
		b.adopt("/f:a b")
		if b.Told("a", now).IsZero() || !b.Told("gone", now).IsZero() {
			t.Error("who is named stays, who is named by nobody does not")
		}
	})
}
