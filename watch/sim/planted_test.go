package sim

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	planted = flag.Bool("planted", false, "run TestPlantedBugs, which builds the simulation once for each of them")
	rarest  = flag.Bool("rarest", false, "with -planted: those, too, that take thousands of seeds")
)

// A bug is a change of the source that the simulation must notice.
type bug struct {
	name  string
	seeds int // among which one at least must break a promise; more than rare where few do
	edits []edit
}

// An edit replaces a text that stands once in a file of the project.
type edit struct{ file, old, new string }

const (
	commit  = "render/swap/commit.go"
	rolling = "render/swap/recover.go"
	filling = "internal/disk/atomic.go"
	making  = "internal/disk/system.go"
	keeper  = "watch/keeper.go"
	record  = "watch/recover.go"
	tell    = "watch/tell.go"
	pass    = "watch/pass.go"
	ledger  = "watch/ledger/ledger.go"
	owing   = "watch/ledger/file.go"
	writing = "watch/ledger/write.go"
	store   = "watch/ledger/store.go"
)

var bugs = []bug{
	{"written in place", 2000, []edit{{commit, "	return f.dir.Rename(f.temp, f.name)\n", `
	if f.state == NotThere {
		return f.dir.Rename(f.temp, f.name)
	}
	return s.overwrite(f.dir, Rename{Temp: f.temp, Path: f.Path, Digest: s.Key.Digest(f.Path, f.Content)}, f.name)
`}}},
	{"temporaries never swept", 2000, []edit{{rolling, "		if err := dir.Remove(name); err != nil {\n", "		if err := error(nil); err != nil {\n"}}},
	{"no fsync of the temporary", 2000, []edit{{filling, "		err = f.Sync()\n", ""}}},
	{"fsync retried", 2000, []edit{{filling, "		err = f.Sync()\n", "		if err = f.Sync(); err != nil {\n			err = f.Sync()\n		}\n"}}},
	{"fsync error ignored", 2000, []edit{{filling, "		err = f.Sync()\n", "		_ = f.Sync()\n"}}},
	{"swapped as soon as staged", 2000, []edit{{commit, "	return disk.Fill(out, f.Content)\n", `
	if err := disk.Fill(out, f.Content); err != nil {
		return err
	}
	f.temp = ""
	return f.dir.Rename(temp, f.name)
`}}},
	{"told before the notice", 2000, []edit{
		{tell, "	output, err := d.Do(ctx, ", `
	if err := k.ledger.Acknowledge(d.Name(), owed, k.now()); err != nil {
		return err
	}
	output, err := d.Do(ctx, `},
		{tell, "	if err != nil {\n		a.failures++\n", "	if err != nil {\n		k.ledger.Forget(d.Name(), owed)\n		a.failures++\n"},
		{ledger, "// Told gives when", `// Forget takes an acknowledgement back.
func (l *Ledger) Forget(dependent string, owed map[string]uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for path, change := range owed {
		if f := l.files[path]; f != nil {
			f.told[dependent] = change - 1
		}
	}
}

// Told gives when`}}},
	{"owed after the rename", 2000, []edit{
		{keeper, "	if err := k.written(k.ledger.Begin(s.Renames(), s.Changed())); err != nil {\n", "	renames, changed := s.Renames(), s.Changed()\n	if err := s.Commit(); err != nil {\n		return err\n	}\n	if err := k.written(k.ledger.Begin(renames, changed)); err != nil {\n"},
		{keeper, "	if err := s.Commit(); err != nil {\n		k.half, k.loose = true, true\n		return err\n	}\n", ""}}},
	{"failed notice dropped", 2000, []edit{{tell, "		a.failures++\n", "		return k.ledger.Acknowledge(d.Name(), owed, k.now())\n"}}},
	{"ledger in memory", 2000, []edit{{writing, "	err := disk.Replace(l.dir, Name, data)\n", "	err, _ := error(nil), data\n"}}},
	{"acknowledged before the fsync", 2000, []edit{{writing, "	if err := l.writes.Wait(r, func", "	if b := l.begun[r]; len(b.swaps) == 0 {\n		go func() { _ = l.writes.Wait(r, func() error { return l.write(r) }) }()\n		return nil\n	}\n	if err := l.writes.Wait(r, func"}}},
	{"acknowledged digest instead of owed", 20000, []edit{
		{ledger, "		if slices.Contains(changed, s.Path) {\n", `		if f.known != "" && f.known == s.Digest {
			for name := range f.told {
				f.told[name] = f.change
			}
		} else if slices.Contains(changed, s.Path) {
`},
		{ledger, "			if !f.owes() {\n				f.swap = nil\n", "			if !f.owes() {\n				if f.swap != nil {\n					f.known = f.swap.Digest\n				}\n				f.swap = nil\n"},
		{owing, "	change uint64            // the last; 0: none\n", "	change uint64            // the last; 0: none\n	known  string            // the digest that was told last\n"}}},
	{"damaged ledger means told", 20000, []edit{{owing, "left: map[string]uint64{\"\": 0}, unsure: true}", "unsure: true}"}}},
	{"a torn record taken for whole", 20000, []edit{{store, "	l.lost = l.lost || lines != 0\n", ""}}},
	{"a damaged line taken for whole", 20000, []edit{{store, "	if string(whole) == sum(data) && bytes", "	if len(whole) == 8 && bytes"}}},
	{"no fsync of the directory", 2000, []edit{{commit, "			return err\n		}\n	}\n	return s.syncDirs()\n", "			return err\n		}\n	}\n	return nil\n"}}},
	{"directory not synced before the ledger", 20000, []edit{{commit, "		return err\n	}\n	return s.syncDirs()\n", "		return err\n	}\n	return nil\n"}}},
	{"no roll forward", 2000, []edit{{record, "	if len(todo) > 0 {\n", "	if k == nil {\n"}}},
	{"ledger written in place", 40000, []edit{{writing, "	err := disk.Replace(l.dir, Name, data)\n", `	there, _ := l.dir.Stat(Name)
	err := l.dir.Overwrite(Name, there, data, os.Geteuid(), os.Getegid(), 0o600, true)
	if errors.Is(err, fs.ErrNotExist) {
		err = disk.Replace(l.dir, Name, data)
	}
`}, {writing, "	\"errors\"\n", "	\"errors\"\n	\"io/fs\"\n	\"os\"\n"}}},
	{"ledger believed as read", 40000, []edit{{record, "	if err := k.confirm(); err != nil { // before it is acted on\n		return err\n	}\n", ""}}},
	{"names not synced after a commit that failed", 40000, []edit{{keeper, "k.half, k.loose = true, true", "k.half = true"}}},
	{"acknowledgement not recorded later", 2000, []edit{{record, "	if k.unsaved {", "	if false {"}, {pass, "	if !l.busy() {\n		go func", "	if l == nil {\n		go func"}}},
	{"a new file made in its place", 2000, []edit{
		{commit, "	temp := s.Key.tempName(f.dir.Real(), n)\n", "	temp := s.Key.tempName(f.dir.Real(), n)\n	if f.state == NotThere {\n		temp = f.name\n	}\n"}}},
	{"owner and mode after the fsync", 2000, []edit{
		{filling, "		err = f.Sync()\n", "		err = f.Sync()\n	}\n	if err == nil && own != nil {\n		err = own()\n"},
		{filling, "func Fill(f File, content []byte) error {\n", "func Fill(f File, content []byte) error { return FillAnd(f, content, nil) }\n\nfunc FillAnd(f File, content []byte, own func() error) error {\n"},
		{commit, "	if err := out.Own(f.UID, f.GID, f.Mode, f.attributes); err != nil {\n		return errors.Join(err, out.Close())\n	}\n	return disk.Fill(out, f.Content)\n",
			"	return disk.FillAnd(out, f.Content, func() error { return out.Own(f.UID, f.GID, f.Mode, f.attributes) })\n"}}},
	{"directories made and not synced", 20000, []edit{
		{making, "	return d.Sync()\n", "	return nil\n"},
		{commit, "	if err := s.syncAbove(); err != nil {\n		return err\n	}\n", ""}}},
	{"directories of a process that was killed not synced", 20000, []edit{{commit, "	if err := s.syncAbove(); err != nil {\n		return err\n	}\n", ""}}},
	{"names not synced where the record is lost", veryRare, []edit{{keeper, "		if err := s.SyncAll(); err != nil {\n			return err\n		}\n", ""}}},
	{"temporaries removed that may be on record", 40000, []edit{{keeper, "; uncertain {\n", "; uncertain && k == nil {\n"}}},
	{"a failed write not taken back", 20000, []edit{{writing, "	for _, undo := range slices.Backward(b.undo) {\n		undo()\n	}\n", ""}}},
	{"failed check ignored", 2000, []edit{{keeper, "	if err := k.check(ctx, s); err != nil {\n		return err\n	}\n", "	_ = k.check(ctx, s)\n"}}},
	{"the check of a service sees one of its new files", 2000, []edit{{keeper, "files = append(files, preview.File{Staged: r.Temp, Path: r.Destination()})", "files = []preview.File{{Staged: r.Temp, Path: r.Destination()}}"}}},
	{"only the last paths owed", 2000, []edit{{ledger, "			f.change = l.count()\n", `			f.change = l.count()
			for path, g := range l.files {
				if path != s.Path && !slices.Contains(changed, path) && g.swap == nil {
					for name := range g.told {
						g.told[name] = g.change
					}
				}
			}
`}}},
	{"who is new starts at the newest change", 20000, []edit{{owing, "			at, fresh = start, true\n", "			at, fresh = max(start, f.change), true\n"}}},
	{"who is new starts at zero", 20000, []edit{{owing, "			at, fresh = start, true\n", "			at, fresh = 0, true\n"}}},
	{"who leaves is owed nothing", 20000, []edit{{owing, "			f.left[name] = at\n", "			_ = name\n"}}},
	{"who is new while a swap is under way reads the old file", 40000, []edit{{owing, "	if f.swap != nil { // it may", "	if false { // it may"}}},
	{"told while half new", veryRare, []edit{{tell, "	if k.half {\n		return\n	}\n", ""}}},
}

// TestPlantedBugs plants each bug in the source and wants the simulation to notice. It prints how many seeds do.
func TestPlantedBugs(t *testing.T) {
	if !*planted {
		t.Skip("it takes minutes: -planted")
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			if b.seeds > rare && !*rarest {
				t.Skip("it may take thousands of seeds: -rarest")
			}
			t.Parallel()
			test := build(t, b.edits)
			caught, of := b.caught(t, test)
			t.Logf("%5d of %5d seeds  %s", caught, of, b.name)
			if caught == 0 {
				t.Errorf("%d seeds do not notice", of)
			}
		})
	}
}

// TestPlantedBugsFit wants each bug to have its place in the source, which changes.
func TestPlantedBugsFit(t *testing.T) {
	for _, b := range bugs {
		plant(t, b.edits)
	}
}

// plant gives the edited files, by the path of the original.
func plant(t *testing.T, edits []edit) map[string]string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	planted := make(map[string]string)
	for _, e := range edits {
		path := filepath.Join(root, e.file)
		source, again := planted[path]
		if !again {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			source = string(text)
		}
		if n := strings.Count(source, e.old); n != 1 {
			t.Fatalf("%s holds %d times what the bug replaces:\n%s", e.file, n, e.old)
		}
		planted[path] = strings.Replace(source, e.old, e.new, 1)
	}
	return planted
}

// build compiles the simulation over the edited source.
func build(t *testing.T, edits []edit) (path string) {
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for original, source := range plant(t, edits) {
		copied := filepath.Join(dir, fmt.Sprint(len(overlay.Replace), ".go"))
		if err := os.WriteFile(copied, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[original] = copied
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "sim.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return path
}

var tallied = regexp.MustCompile(`(?m)^(\d+) of (\d+) seeds break a promise$`)

// rare bugs are looked for until one seed has noticed, others until five have.
const rare = 2000

// veryRare take the most.
const veryRare = 50000

// caught runs seeds until enough have noticed, and gives how many of how many did.
func (b bug) caught(t *testing.T, test string) (caught, of int) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	enough := "5"
	if b.seeds > rare {
		enough = "1"
	}
	out, err := exec.CommandContext(ctx, test, "-test.run", "^TestSimulation$", "-enough", enough, "-seeds", fmt.Sprint(b.seeds)).CombinedOutput()
	found := tallied.FindSubmatch(out)
	if found == nil {
		t.Fatalf("%v:\n%s", err, out[max(0, len(out)-2000):])
	}
	fmt.Sscan(string(found[1]), &caught)
	fmt.Sscan(string(found[2]), &of)
	return caught, of
}
