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

	"github.com/rendered/rendered/internal/long"
)

var rarest = flag.Bool("rarest", false, "TestPlantedBugs plants those, too, that take thousands of seeds, and TestPairsOfFaults tries all pairs")

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
	stages  = "watch/pass/pass.go"
	record  = "watch/pass/finish.go"
	keeping = "watch/pass/preserve.go"
	telling = "watch/tell/tell.go"
	turn    = "watch/tell/dependent.go"
	rounds  = "watch/round.go"
	plan    = "watch/plan.go"
	flush   = "watch/record.go"
	ledger  = "watch/ledger/ledger.go"
	owing   = "watch/ledger/file.go"
	owning  = "watch/ledger/own.go"
	writing = "watch/ledger/write.go"
	store   = "watch/ledger/store.go"
	pausing = "watch/pause.go"
	holding = "watch/ledger/pause.go"
	proving = "watch/pass/prove.go"
	backing = "watch/pass/rollout.go"
	judging = "watch/ledger/rollout.go"
	calling = "watch/pass/alarm.go"
	hearing = "watch/ledger/alarm.go"
	barring = "watch/pass/hold.go"
	sets    = "watch/ledger/set.go"
	leaving = "watch/pass/expand.go"
)

var bugs = []bug{
	{"written in place", 2000, []edit{{commit, "	return f.dir.Rename(f.temp, f.name)\n", `
	if f.state == NotThere {
		return f.dir.Rename(f.temp, f.name)
	}
	return s.overwrite(f.dir, Rename{Temp: f.temp, Path: f.Path, Digest: s.Key.Digest(f.Path, f.Content)}, f.name)
`}}},
	{"temporaries never swept", 2000, []edit{{rolling, "		if err := s.discard(dir, name); err != nil {\n", "		if err := error(nil); err != nil {\n"}}},
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
		{telling, "	n.Err = caught(", `
	if n.Err = t.Ledger.Acknowledge(n.Dependent, owed, ledger.Event{At: t.now()}); n.Err != nil {
		return n
	}
	n.Err = caught(`},
		{telling, "	if n.Err == nil {\n", "	if n.Err != nil {\n		t.Ledger.Forget(n.Dependent, owed)\n	} else {\n"},
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
		{stages, "		err := p.written(p.ledger.Begin(p.swap.Renames(), p.changed, p.out.Event, rollout))\n", "		renames := p.swap.Renames()\n		if err := p.swap.Commit(); err != nil {\n			return err\n		}\n		err := p.written(p.ledger.Begin(renames, p.changed, p.out.Event, rollout))\n"},
		{stages, "	if err := p.swap.Commit(); err != nil {\n		p.matched, p.leftovers = false, min(p.leftovers, loose)\n		return err\n	}\n", ""}}},
	{"failed notice dropped", 2000, []edit{{telling, "	if n.Err == nil {\n", "	{\n"}}},
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
		{owing, "	change uint64 // the last; 0: none\n", "	change uint64 // the last; 0: none\n	known  string            // the digest that was told last\n"}}},
	{"damaged ledger means told", 20000, []edit{{owing, "left: map[string]uint64{\"\": 0}, unsure: true}", "unsure: true}"}}},
	{"a torn record taken for whole", 20000, []edit{{store, "	l.lost = l.lost || missing != 0\n", ""}}},
	{"a damaged line taken for whole", 20000, []edit{{store, "	if string(whole) == sum(data) && bytes", "	if len(whole) == 8 && bytes"}}},
	{"no fsync of the directory", 2000, []edit{{commit, "			return err\n		}\n	}\n	return s.syncDirs()\n", "			return err\n		}\n	}\n	return nil\n"}}},
	{"directory not synced before the ledger", 20000, []edit{{commit, "		return err\n	}\n	return s.syncDirs()\n", "		return err\n	}\n	return nil\n"}}},
	{"no roll forward", 2000, []edit{{record, "	if len(todo) == 0 {\n", "	if p != nil {\n"}}},
	{"ledger written in place", 40000, []edit{{writing, "	err := disk.Replace(l.dir, Name, data)\n", `	there, _ := l.dir.Stat(Name)
	err := l.dir.Overwrite(Name, there, data, os.Geteuid(), os.Getegid(), 0o600, true)
	if errors.Is(err, fs.ErrNotExist) {
		err = disk.Replace(l.dir, Name, data)
	}
`}, {writing, "	\"errors\"\n", "	\"errors\"\n	\"io/fs\"\n	\"os\"\n"}}},
	{"ledger believed as read", 40000, []edit{{record, "	if err := p.confirm(); err != nil { // before it is acted on\n		return err\n	}\n", ""}}},
	{"names not synced after a commit that failed", 40000, []edit{{stages, "p.matched, p.leftovers = false, min(p.leftovers, loose)", "p.matched = false"}}},
	{"acknowledgement not recorded later", 2000, []edit{{flush, "			err = l.Pass.State.Ledger.Flush()\n", ""}}},
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
	{"names not synced where the record is lost", veryRare, []edit{{"watch/pass/uphold.go", "	if err := p.swap.SyncAll(); err != nil {\n		return err\n	}\n", ""}}},
	{"a failed write not taken back", 20000, []edit{{writing, "	for _, undo := range slices.Backward(b.undo) {\n		undo()\n", "	for range slices.Backward(b.undo) {\n"}}},
	{"failed check ignored", 2000, []edit{{stages, "through(p.verify, p.contested, p.held, p.gated, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)", "through(p.verify, p.contested, p.held, p.gated, p.turn, p.stage, func() error { _ = p.check(); return nil }, p.preserve, p.rollOut, p.drain, p.begin, p.commit)"}}},
	{"what was there is not backed up", 2000, []edit{{stages, "p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)", "p.check, p.rollOut, p.drain, p.begin, p.commit)"}}},
	{"what was there is backed up when the swap is on record", 2000, []edit{
		{stages, "p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)", "p.check, p.rollOut, p.drain, p.begin, p.preserve, p.commit)"},
		{owning, "	return l.own.has(path) || f != nil && (f.change > 0 && !f.unsure || f.swap != nil)\n", "	_ = f\n	return l.own.has(path)\n"},
		{ledger, "noted, taken := l.events.add(event), l.take(paths)", "noted, taken := l.events.add(event), []string(nil)"}}},
	{"what was there is backed up in the page cache", 2000, []edit{{keeping, "		case !found.Exists:\n			return numbered, disk.Replace(d, numbered, content)\n", `
		case !found.Exists:
			f, err := d.Create(numbered)
			if err == nil {
				_, err = f.Write(content)
				err = errors.Join(err, f.Close())
			}
			return numbered, err
`}}},
	{"the check of a service sees one of its new files", 2000, []edit{{stages, "files = append(files, preview.File{Staged: r.Temp, Path: r.Destination()})", "files = []preview.File{{Staged: r.Temp, Path: r.Destination()}}"}}},
	{"only the last paths owed", 2000, []edit{{ledger, "		if slices.Contains(changed, s.Path) {\n			f.change = l.count()\n", `		if slices.Contains(changed, s.Path) {
			f.change = l.count()
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
	{"told while half new", veryRare, []edit{
		{rounds, "	s.matching = o.Matched && s.current()\n", "	s.matching = s.current()\n"},
		{stages, "	if p.matched {\n		p.turns.Matched()\n	}\n", "	p.turns.Matched()\n"}}},
	{"a service that keeps its old self is owed nothing", 2000, []edit{{plan, "	services := make([]*pass.Service, len(p.Services))\n	for i, s := range p.Services {\n		services[i] = &s.Service\n	}\n", `
	var services []*pass.Service
	for _, s := range p.Services {
		if !slices.ContainsFunc(p.Faulty, func(f Faulty) bool { return f.Service == s.Name }) {
			services = append(services, &s.Service)
		}
	}
`}}},
	{"a service that is left out is owed nothing", 2000, []edit{{ledger, "		if _, known := readers[path]; !known {\n", "		if _, known := readers[path]; !known && !all {\n			delete(l.files, path)\n		} else if !known {\n"}}},
	{"temporaries of a service that is left out are swept", 20000, []edit{{ledger, "		if f.swap != nil {\n			temps[", "		if f.swap != nil && len(f.told) > 0 {\n			temps["}}},
	{"lost lines are all of services that are not left out", veryRare, []edit{{ledger, "	if all && len(readers) > 0 {", "	if len(readers) > 0 {"}}},
	{"what is not there to be renamed counts as renamed", veryRare, []edit{{rolling, "		unsure, begun = unsure || !done, begun || done\n", "		begun = begun || done\n"}}},
	{"told twice at once", 2000, []edit{{turn, "	if t.busy[d.Target()] != nil {\n		return nil, nil\n	}\n", ""}}},
	{"told before a sister service has swapped", 2000, []edit{{turn, "|| s.phase == Working && !impatient ||", "||"}}},
	{"told of files that are being swapped", 20000, []edit{{turn, "if s.phase == Swapping || s.phase", "if s.phase"}}},
	{"a temporary on record that is not what was staged stays", 20000, []edit{{record, "		if err := p.machine.Discard(swaps); err != nil {\n			return err\n		}\n", ""}}},
	{"who knows what is renamed again is told of nothing", veryRare, []edit{{ledger, "f != nil && f.acknowledged() {\n", "f != nil && f.acknowledged() && l.closed {\n"}}},
	{"swapped by a service that has left while a dependent reads", veryRare, []edit{{telling, "if d.reads(w.paths) ||", "if t.services[w.service] != nil && d.reads(w.paths) ||"}}},
	{"a paused service is looked at", 2000, []edit{{rounds, "func (s *state) rests() bool { return s.engaged() || s.paused != nil }\n", "func (s *state) rests() bool { return s.engaged() }\n"}}},
	{"a paused service is told of", 2000, []edit{
		{rounds, "	case s.paused != nil:\n		return tell.Unsettled\n", ""},
		{rounds, "	settle(l.teller, o, s.matching && s.paused == nil, now)\n", "	settle(l.teller, o, s.matching, now)\n"},
		{pausing, "			if !s.busy {\n				l.teller.Set(name, tell.Unsettled, now)\n			}\n", "			_ = tell.Unsettled\n"}}},
	{"a pause is not on record", 2000, []edit{{store, "	for _, p := range l.sortedPauses() {\n		b.Write(p.encode())\n	}\n", ""}}},
	{"a pause ends with the name of its service", 20000, []edit{{holding, "				heir := p\n				heir.Service, heir.Paths = name, paths\n				l.pauses[name], differs = heir, true\n", "				_, differs = name, true\n"}}},
	{"a verdict is on whatever change there is", 2000, []edit{{judging, "	if !now.Of(was) {\n", "	if l.closed {\n"}}},
	{"a change that overtook a verdict is not begun anew", 20000, []edit{{judging, "	return now.Of(s.Was)\n", "	return true\n"}}},
	{"looked at before it is in place", 20000, []edit{{"watch/prove.go", " || l.teller.IsSwapping(svc.Name)", ""}}},
	{"what was before is gone before the verdict is on record", 20000, []edit{{proving, "	e := event(p)\n", `	e := event(p)
	if p.Is.Stage == ledger.Settled || p.Is.Stage == ledger.Rejected {
		if d, err := o.State.Swap.Disk.Open(o.State.Path + "/" + former); err == nil {
			for _, old := range p.Was.Old {
				_ = d.Remove(old.Name)
			}
			_ = d.Close()
		}
	}
`}}},
	{"who reads what is put back is owed nothing", 2000, []edit{{stages, "Begin(p.swap.Renames(), p.changed, p.out.Event, rollout))\n", "Begin(p.swap.Renames(), map[bool][]string{false: p.changed}[p.reverting], p.out.Event, rollout))\n"}}},
	{"what was rolled back is tried again", 2000, []edit{{backing, "	if p.turns.Again || r.Change != p.change() || p.again() {\n", "	if r.Change != \"\" {\n"}}},
	{"what somebody else makes of old files stays", 2000, []edit{{"watch/pass/uphold.go", "	if p.swap.Idle() {\n", "	if !p.turns.Again {\n"}}},
	{"what was never well is put back", 2000, []edit{{backing, "		r.Old = slices.Clone(was.Old)\n", "		r.Old = nil\n"}}},
	{"that a change is made ready for is not on record", 2000, []edit{{judging, "	if is.Drained == !over {\n", "	if is.Drained == !over || !over {\n"}}},
	{"after is on record before it is done", veryRare, []edit{{proving, "		output, err := o.runner()(", "		_ = o.State.Ledger.Drain(s.Name, nil, true)\n		output, err := o.runner()("}}},
	{"told once more for ever", 2000, []edit{{proving, "	case was.Stage == ledger.Unproven && len(s.Dependents) > 0:\n", "	case was.Stage != ledger.Reverted && len(s.Dependents) > 0:\n"}}},
	{"told once more of nothing", 20000, []edit{{judging, "	if again {\n", "	if again && l.closed {\n"}}},
	{"what a pass keeps another sweeps", veryRare, []edit{{"watch/pass/former.go", "needed[name] || s.held[name] > 0", "needed[name]"}}},
	{"a failed verdict takes back what came after it", veryRare, []edit{{judging, "there != stays || !reflect.DeepEqual(now, set) {\n", "there && l.closed && reflect.DeepEqual(now, set) == stays {\n"}}},
	{"a look that waits does not follow the clock", 20000, []edit{{"watch/loop.go", "			s.after.at, s.after.alarm.at = shifted(s.after.at, d), shifted(s.after.alarm.at, d)\n", ""}}},
	{"a failure is on record, and owed to nobody", 2000, []edit{{ledger, "l.succeed(rollout), l.alarm(event))", "l.succeed(rollout))"}}},
	{"a change that is not well is on record, and owed to nobody", 2000, []edit{{judging, "	b.undo = append(b.undo, l.alarm(e))\n", ""}}},
	{"a failure that could not be said counts as said", 20000, []edit{{calling, "		if a.Fault = o.say(ctx, s, e, party); a.Fault != nil {\n			return\n		}\n", "		a.Fault = o.say(ctx, s, e, party)\n"}}},
	{"a failure is said again and again", 20000, []edit{{hearing, "	r.Trouble = nil\n	w := l.change()\n", "	w := l.change()\n"}}},
	{"a change that is told once more counts as a failure", 2000, []edit{{hearing, "e.Kind == Unhealthy && e.Stays\n", "e.Kind == Unhealthy\n"}}},
	{"a failure is forgotten with the next verdict", 20000, []edit{{judging, "	is.Drained, is.Undone, is.Trouble = now.Drained, now.Undone, now.Trouble\n", "	is.Drained, is.Undone = now.Drained, now.Undone\n"}}},
	{"a failure is forgotten with the next change", 2000, []edit{{judging, "	is.Trouble = l.rollouts[is.Service].Trouble\n", ""}}},
	{"a gate is not asked", 2000, []edit{{stages, "p.held, p.gated, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)", "p.held, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)"}}},
	{"a gate is asked, and not heard", 2000, []edit{{barring, "Hints: shut.Hints, Paths: p.swap.Changed()}\n	return errHeld\n", "Hints: shut.Hints, Paths: p.swap.Changed()}\n	return nil\n"}}},
	{"a gate is asked after the swap is on record", 2000, []edit{{stages, "p.held, p.gated, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.commit)", "p.held, p.turn, p.stage, p.check, p.preserve, p.rollOut, p.drain, p.begin, p.gated, p.commit)"}}},
	{"a gate that is shut is not asked again", 2000, []edit{{rounds, "shut := o.Held != nil && o.Held.Gate != \"\"; !shut", "shut := false; !shut"}}},
	{"held files are written at any time", 2000, []edit{{stages, "p.contested, p.held, p.gated, p.turn, p.stage, p.check, p.preserve,", "p.contested, p.gated, p.turn, p.stage, p.check, p.preserve,"}}},
	{"held files wait for the next look", 2000, []edit{{rounds, "		s.due(o.Held.Until, Schedule)\n", ""}}},
	{"a window is for those who are not interrupted, too, or for nobody", 20000, []edit{{turn, "len(s.Windows) > 0 && notify.Interrupts(a) {", "len(s.Windows) > 0 && !notify.Interrupts(a) {"}}},
	{"what waits for a window is forgotten", 20000, []edit{{turn, "t.owes(d) {\n			d.at = at\n", "t.owes(d) && len(d.windows) == 0 {\n			d.at = at\n"}}},
	{"a file whose key is gone stays", 20000, []edit{{leaving, "		if f.Each.Remove {\n", "		if f.Each.Remove && p.reverting {\n"}}},
	{"which files a set has is not on record", 20000, []edit{{sets, "		if len(s.members) == 0 {\n			continue\n", "		if !s.adopted || s.adopted {\n			continue\n"}}},
	{"nobody is told of what is taken away", 20000, []edit{{stages, "Begin(p.swap.Renames(), p.changed, p.out.Event, rollout))\n", "Begin(p.swap.Renames(), slices.DeleteFunc(slices.Clone(p.changed), func(path string) bool { return slices.Contains(p.removed(), path) }), p.out.Event, rollout))\n"}}},
	{"what a crash left to be taken away stays", 20000, []edit{{rolling, "			if begun = begun || !anything; it {\n", "			if begun = begun || !anything; it && m.Disk == nil {\n"}}},
	{"what a change took away does not come back", 2000, []edit{{sets, "!s.wants[path] && !l.restorable(path) {\n", "!s.wants[path] {\n"}}},
	{"who reads a set is owed nothing of a file that was nobody's", veryRare, []edit{{sets, "	if !is { // the file", "	if l.files[path].told == nil { // the file"}}},
	{"swapped while a dependent reads", 20000, []edit{{telling, "		if t.hinders(w, now) {\n", "		if false {\n"}}},
}

// TestPlantedBugs plants each bug in the source and wants the simulation to notice. It prints how
// many seeds do.
func TestPlantedBugs(t *testing.T) {
	long.Test(t)
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

// rare bugs are looked for until one seed has noticed, others until two have, or five with -rarest.
const rare = 2000

// veryRare take the most.
const veryRare = 50000

// caught runs seeds until enough have noticed, and gives how many of how many did.
func (b bug) caught(t *testing.T, test string) (caught, of int) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	enough := "2"
	switch {
	case b.seeds > rare:
		enough = "1"
	case *rarest:
		enough = "5"
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
