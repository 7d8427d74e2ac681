package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// TestAsTheHost does the same things, which chance chooses, to the disk in memory and to this
// machine's, and wants the same answers.
func TestAsTheHost(t *testing.T) {
	for seed := range uint64(200) {
		below := t.TempDir()
		memory := New()
		memory.Mkdir("/d", 0o700)
		a := hand{t: t, chance: rand.New(rand.NewPCG(seed, 1)), system: disk.Host, root: below}
		b := hand{t: t, chance: rand.New(rand.NewPCG(seed, 1)), system: memory.Start(), root: "/d"}
		if err := os.Chmod(below, 0o700); err != nil {
			t.Fatal(err)
		}
		for step := range 60 {
			if x, y := a.step(), b.step(); x != y {
				t.Fatalf("seed %d, step %d: the host gives\n%s\nand the memory\n%s", seed, step, x, y)
			}
		}
		if n := memory.Held(); n != 0 {
			t.Fatalf("seed %d: %d descriptors are left", seed, n)
		}
	}
}

// A hand does one thing after the other to a disk.
type hand struct {
	t      *testing.T
	chance *rand.Rand
	system disk.System
	root   string
}

// step does something, and says what came of it.
func (h hand) step() string {
	names := []string{"a", "b", "c", "sub"}
	pick := func() string { return names[h.chance.IntN(len(names))] }
	name, other, n := pick(), pick(), h.chance.IntN(5)
	modes := []fs.FileMode{0o600, 0o640, 0o700}
	mode := modes[h.chance.IntN(len(modes))]
	// The mode is a directory's: an ordinary user enters no other, and the memory knows no users.
	open := mode | 0o100
	at := h.root
	if h.chance.IntN(3) == 0 {
		at = filepath.Join(at, "sub")
	}
	what := h.chance.IntN(11)
	d, err := h.system.Open(at)
	if err != nil {
		return h.say("open", err)
	}
	defer d.Close()
	content := []byte(strings.Repeat("x", n))
	switch what {
	case 0, 1:
		f, err := d.Create(name)
		if err != nil {
			return h.say("create "+name, err)
		}
		return h.say("fill", errors.Join(f.Own(os.Geteuid(), os.Getegid(), mode, nil), disk.Fill(f, content)))
	case 2:
		if info, _ := d.Stat(name); info.Type == fs.ModeDir && name != other {
			return "" // a directory over a file: nobody does that
		}
		if info, _ := d.Stat(other); info.Type == fs.ModeDir {
			return ""
		}
		return h.say("rename "+name+" "+other, d.Rename(name, other))
	case 3:
		if info, _ := d.Stat(name); info.Type == fs.ModeDir {
			return ""
		}
		return h.say("remove "+name, d.Remove(name))
	case 4:
		return h.say("mkdir", errors.Join(d.Mkdir("sub", open), d.Sync()))
	case 5:
		data, err := d.Read(name, int64(n))
		return h.say(fmt.Sprintf("read %s %q", name, data), err)
	case 6:
		info, err := d.Stat(name)
		if info.Type == fs.ModeDir {
			info.Size = 0
		}
		info.ID, info.Links = disk.ID{}, 0 // of each disk's own
		return h.say(fmt.Sprintf("stat %s %+v", name, info), err)
	case 7:
		if name == "sub" {
			return "" // refused in other words
		}
		there, err := d.Stat(name)
		if err != nil {
			return h.say("overwrite "+name, err)
		}
		return h.say("overwrite "+name, d.Overwrite(name, there, content, os.Geteuid(), os.Getegid(), mode, true))
	case 8:
		list, err := d.Names()
		slices.Sort(list)
		return h.say(fmt.Sprint("list ", list), err)
	case 9:
		return h.say("make", disk.MakeAll(h.system, filepath.Join(at, "sub", "deep"), open))
	}
	if name == "sub" {
		return ""
	}
	lock, _, err := d.Lock(name, "me")
	if err != nil {
		return h.say("lock "+name, err)
	}
	_, holder, again := d.Lock(name, "you")
	return h.say("lock twice "+holder, errors.Join(again, lock.Close()))
}

// say gives what was done with the kind of error that it gave.
func (h hand) say(what string, err error) string {
	for _, kind := range []error{unix.EEXIST, unix.ENOENT, unix.ENOTDIR, unix.EFBIG, unix.EWOULDBLOCK, unix.EISDIR} {
		if errors.Is(err, kind) {
			return fmt.Sprint(what, ": ", kind)
		}
	}
	if err != nil {
		return what + ": an error"
	}
	return what
}

// write makes a file; it fails the test where that fails.
func write(t *testing.T, d disk.Dir, name, content string, sync bool) {
	t.Helper()
	f, err := d.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte(content))
	if sync {
		err = errors.Join(err, f.Sync())
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A power cut leaves what was synced, and of the rest at times nothing, at times all, and at times
// a part.
func TestCut(t *testing.T) {
	outcomes := make(map[string]int)
	for seed := range uint64(300) {
		disks := New()
		disks.Mkdir("/d", 0o700)
		p := disks.Start()
		d, _ := p.Open("/d")
		write(t, d, "safe", "safe", true)
		if err := d.Sync(); err != nil {
			t.Fatal(err)
		}
		write(t, d, "named", "content", false)
		if err := errors.Join(d.Sync(), d.Rename("safe", "moved")); err != nil {
			t.Fatal(err)
		}
		write(t, d, "new", "new", true)
		p.Kill(false)
		disks.Cut(rand.New(rand.NewPCG(seed, 1)))
		if _, err := d.Names(); !errors.Is(err, ErrDead) {
			t.Fatalf("a killed process goes on: %v", err)
		}
		names := disks.List("/d")
		if safe, moved := slices.Contains(names, "safe"), slices.Contains(names, "moved"); safe == moved {
			t.Fatalf("a rename is done by half: %v", names)
		}
		content, _, _, ok := disks.Look("/d/named")
		if !ok || !strings.HasPrefix("content", string(content)) {
			t.Fatalf("what was not synced is %q", content)
		}
		slices.Sort(names)
		outcomes[fmt.Sprintf("%v %d", names, min(len(content), 1))]++
	}
	if len(outcomes) != 8 {
		t.Errorf("%d kinds of outcome, want 8: %v", len(outcomes), outcomes)
	}
}

// After an fsync that failed the next one says yes, and the content is not there after a power cut.
func TestFailedSync(t *testing.T) {
	disks := New()
	disks.Mkdir("/d", 0o700)
	p := disks.Start()
	d, _ := p.Open("/d")
	f, err := d.Create("f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("content")); err != nil {
		t.Fatal(err)
	}
	f.(interface{ FailSync() }).FailSync()
	if err := errors.Join(f.Sync(), f.Close(), d.Sync(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if content, _, _, _ := disks.Look("/d/f"); string(content) != "content" {
		t.Errorf("before the power cut it holds %q", content)
	}
	p.Kill(false)
	disks.Cut(rand.New(rand.NewPCG(1, 1)))
	if content, _, _, _ := disks.Look("/d/f"); len(content) != 0 {
		t.Errorf("after the power cut it holds %q", content)
	}
}

// An fsync that lies says yes, and a power cut may take what it was to keep, in part or whole. What
// is in the disk's cache is safe with the next honest fsync, what was dropped is not.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		lie   Lie
		of    string // what is lied about
		later bool   // something else is written and synced, honestly
		safe  bool
	}{
		{Cached, "content", false, false}, {Cached, "content", true, true}, {Dropped, "content", false, false}, {Dropped, "content", true, false},
		{Cached, "name", false, false}, {Cached, "name", true, true}, {Dropped, "name", false, false},
		{Dropped, "name", true, true}, // it is another change of the directory
	} {
		outcomes := make(map[string]int)
		for seed := range uint64(100) {
			disks := New()
			disks.Mkdir("/d", 0o700)
			lies := map[string]Lie{"/d": c.lie}
			if c.of == "content" {
				lies["/d/f"] = c.lie
			}
			disks.Lies = func(path string) Lie { return lies[path] }
			p := disks.Start()
			d, _ := p.Open("/d")
			write(t, d, "f", "content", true)
			if err := d.Sync(); err != nil {
				t.Fatal(err)
			}
			lies = nil
			if said, ok := disks.Said("/d/f"); !ok || string(said) != "content" {
				t.Fatalf("it said that %q is durable", said)
			}
			if c.later {
				write(t, d, "other", "", true)
				if err := d.Sync(); err != nil {
					t.Fatal(err)
				}
			}
			p.Kill(false)
			if disks.Lied() == c.safe {
				t.Fatalf("%+v: lied: %v", c, disks.Lied())
			}
			disks.Cut(rand.New(rand.NewPCG(seed, 1)))
			content, _, _, ok := disks.Look("/d/f")
			outcomes[fmt.Sprintf("%v %d", ok, len(content))]++
			if disks.Lied() {
				t.Fatal("what was cut is as it is")
			}
		}
		if whole := outcomes["true 7"]; c.safe != (whole == 100) || whole == 0 {
			t.Errorf("%+v: %v", c, outcomes)
		}
	}
}

// What is on a file system in memory does not outlive a power cut, and a lock does not outlive its
// process.
func TestVolatileAndLocks(t *testing.T) {
	disks := New()
	disks.Mkdir("/run", 0o700)
	disks.Volatile("/run")
	p := disks.Start()
	d, _ := p.Open("/run")
	write(t, d, "f", "content", true)
	if _, _, err := d.Lock("lock", "first"); err != nil {
		t.Fatal(err)
	}
	q := disks.Start()
	e, _ := q.Open("/run")
	if _, holder, err := e.Lock("lock", "second"); !errors.Is(err, unix.EWOULDBLOCK) || holder != "first" {
		t.Errorf("%q, %v", holder, err)
	}
	p.Kill(false)
	if _, _, err := e.Lock("lock", "second"); err != nil {
		t.Error(err)
	}
	q.Kill(false)
	disks.Cut(rand.New(rand.NewPCG(1, 1)))
	if names := disks.List("/run"); len(names) != 0 {
		t.Errorf("left are %v", names)
	}
}
