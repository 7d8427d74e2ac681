package sim

import (
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// changed looks at what the daemon has done to a file, or to another name.
func (w *world) changed(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if path == recordPath {
		w.records = append(w.records, w.found(path))
		w.written[debts(w.found(path))] = true
		w.judgeSwaps(w.found(path))
		w.judgeRollouts(w.found(path))
		w.judgeAlarms(w.found(path))
	}
	f := w.files[path]
	if f == nil {
		return
	}
	if w.life != nil && !w.life.had[path] {
		w.fail("%s is changed, which no service in force has", path)
	}
	if w.restored(f) {
		return
	}
	content, as, attributes, ok := w.disk.Look(path)
	if w.life != nil && !w.life.dead {
		if s := w.keeper(f.spec); s != nil && w.isHeld(s.name()) && !w.life.late[path] {
			w.fail("%s is changed, whose service is paused", path)
		}
		delete(w.life.late, path)
	}
	if !ok {
		w.gone(f)
		return
	}
	text := string(content)
	if f.torn && w.life != nil && w.life.dead {
		f.content = text // the rest of the last write
		return
	}
	if text != f.content {
		w.judgeBackup(f)
		w.order++
		f.changed = w.order
		f.arises()
		w.counts.swaps++
	}
	if f.torn {
		_, _, whole := f.parse(text)
		f.torn = !whole
	}
	f.content, f.drifted, f.robbed, f.stray = text, false, false, false
	w.trace.note(w.began, "%s now holds %s", path, text)
	w.whole(f)
	if reverts, _ := w.reverts(path); !reverts && f.own != 0 {
		f.mode, f.own = f.own, 0
	}
	uid, gid := f.owner()
	found := meta{as.Mode, attributes}
	if f.was != nil && found.equal(*f.was) {
		f.meta = *f.was
	}
	f.was = nil
	if !found.equal(f.meta) || as.UID != uid || as.GID != gid {
		w.fail("%s has %v %d:%d %v, want %v %d:%d %v", path, as.Mode, as.UID, as.GID, attributes, f.mode, uid, gid, f.attributes)
	}
	w.stamp(f)
	_, values, _ := f.parse(text)
	for _, v := range values {
		if strings.HasPrefix(v, canary) && !w.aws.eligible[f.path+" "+v] {
			w.fail("%s holds %s, which no pass that passed its check has seen", path, v)
		}
	}
}

func (m meta) equal(o meta) bool {
	return m.mode == o.mode && maps.EqualFunc(m.attributes, o.attributes, slices.Equal)
}

// stamp notes the owner and the mode that a file has, which it may have again after a power cut.
func (w *world) stamp(f *output) {
	if s, ok := w.look(f); ok && !f.hadOnce(s) {
		f.had = append(f.had, s)
	}
}

func (w *world) look(f *output) (s stamp, ok bool) {
	_, as, attributes, ok := w.disk.Look(f.path)
	return stamp{meta{as.Mode, attributes}, as.UID, as.GID}, ok
}

func (f *output) hadOnce(s stamp) bool {
	return slices.ContainsFunc(f.had, func(o stamp) bool { return s.equal(o.meta) && s.uid == o.uid && s.gid == o.gid })
}

// isKnown tells whether a dependent was told of the file as the daemon left it.
func (w *world) isKnown(f *output) bool {
	return f.changed > 0 && f.known > f.changed
}

// whole wants a file to be what some config makes of values that there were.
func (w *world) whole(f *output) {
	content, _, _, ok := w.disk.Look(f.path)
	if !ok || f.torn || f.drifted {
		return
	}
	_, values, whole := f.parse(string(content))
	if !whole {
		w.fail("%s is not whole: %q", f.path, content)
	}
	for _, v := range values {
		if !w.aws.known[v] {
			w.fail("%s holds %s, which never was a value", f.path, v)
		}
	}
}

// powerCut takes what was not durable. The caller holds w.mu.
func (w *world) powerCut(inForce roll) {
	w.counts.cuts++
	said := w.said()
	for _, f := range w.files {
		if w.isKnown(f) && !f.torn && !volatile(f.path) && said.files[f.path] != f.content && f.content != "deleted" {
			w.fail("%s was told of, and a power cut may make %q of it", f.path, said.files[f.path])
		}
	}
	w.disk.Cut(w.chance)
	if said.lied {
		clear(w.held)
	}
	if w.trace.tell {
		w.trace.text.WriteString(logMark + "the ledger holds " + strings.ReplaceAll(w.found(recordPath), "\n", "\n"+logMark) + "\n")
	}
	if said.lied {
		w.robbed(said)
	}
	for _, s := range w.specs() {
		f := w.files[s.path]
		content, as, attributes, ok := w.disk.Look(s.path)
		if found, ok := w.look(f); ok && !f.hadOnce(found) && !(said.lied && len(content) == 0) {
			w.fail("%s has %v after a power cut, which it never had", s.path, found)
		}
		w.stamp(f)
		if before := f.meta; said.lied { // what is staged may have that
			f.was = &before
		}
		switch {
		case !ok && f.content != "":
			f.drifted, f.meta = true, meta{mode: f.fresh}
		case ok && f.keep:
			f.meta = meta{as.Mode, attributes}
		}
		f.content = string(content)
		f.drifted = f.drifted || strings.HasPrefix(f.content, foreign) || f.spoilt[f.content]
		if f.torn {
			_, _, whole := f.parse(f.content)
			f.torn = !whole
		}
		w.trace.note(w.began, "after the cut %s holds %q", s.path, content)
		w.whole(f)
	}
	for _, s := range inForce {
		list := w.outputs(s)
		halved := w.mismatchOf(list) != ""
		for _, f := range list {
			f.halved = halved
		}
	}
}

// volatile tells whether a path is on a file system that a power cut empties.
func volatile(path string) bool { return strings.HasPrefix(path, "/run/") }

// peace lets the trouble cease, and wants everything to come right: first without AWS, then with
// it.
func (w *world) peace() {
	w.await(0) // it may just have been killed
	w.mu.Lock()
	w.trace.note(w.began, "peace")
	w.full, w.fixed, w.lying, w.ceased = false, false, false, true
	if w.life != nil {
		w.life.faults = faults{}
	}
	for _, d := range w.deps {
		d.fails, d.hangs, d.slow = 0, false, false
	}
	for _, s := range w.aws.secrets {
		s.trouble, s.hangs = "", false
	}
	w.aws.away = true
	w.conf = conf{layout: w.conf.layout, text: w.conf.text, checks: w.conf.checks, often: time.Hour, flaws: w.conf.flaws, also: w.conf.also, proves: w.conf.proves, around: w.conf.around, alarm: w.conf.alarm}
	w.ward.mood, w.ward.refuses, w.sirens.mute, w.guards.shut = honest, 0, 0, 0
	if w.guarded() { // an old self may have windows
		w.setClock(untilReading(w.wall(), 5, 0))
	}
	flawed := w.conf.isFlawed() && w.chance.IntN(2) == 0
	if !flawed {
		w.mend()
	}
	w.mu.Unlock()
	if w.life == nil {
		w.start(faults{})
	} else {
		w.after(100 * time.Second) // what hangs gives up
		w.life.loop.Reload()
	}
	w.mu.Lock()
	clear(w.held)
	w.mu.Unlock()
	if _, err := w.life.loop.Resume(""); err != nil {
		w.note("they stay paused: %v", err)
	}
	w.withoutAWS()
	w.withAWS()
	if flawed {
		w.note("the config is mended")
		w.mu.Lock()
		w.aws.away = true
		w.mend()
		w.mu.Unlock()
		w.life.loop.Reload()
		w.withoutAWS()
		w.withAWS()
	}
	w.toldOnce()
	w.judge()
	w.epidemic()
	w.judge()
	w.curfew()

	w.mu.Lock()
	steps, told, lines := w.life.steps, w.counts.told, w.lines
	w.mu.Unlock()
	for range 2 {
		w.life.loop.Refresh()
		w.after(time.Minute)
	}
	w.mu.Lock()
	if w.life.steps != steps || w.counts.told != told || w.lines != lines {
		w.fail("two more passes take %d steps, tell %d times and log %d lines", w.life.steps-steps, w.counts.told-told, w.lines-lines)
	}
	w.mu.Unlock()
	w.stop()
	w.after(time.Hour)
	if n := w.disk.Held(); n != 0 {
		w.fail("%d descriptors are left", n)
	}
}

// withoutAWS wants two passes to leave every service in force whole, and whoever is owed a notice
// of what is there to get it.
func (w *world) withoutAWS() {
	w.after(10 * time.Second)
	w.life.loop.Refresh()
	w.after(10 * time.Second)
	w.note("two quiet passes later")
	w.mu.Lock()
	defer w.mu.Unlock()
	names := slices.Sorted(maps.Keys(w.life.roll))
	for _, name := range names {
		s := w.life.roll[name]
		isLost := func(f *output) bool { return w.lost[f.path] || f.robbed && f.halved }
		if what := w.mismatch(s); what != "" && !slices.ContainsFunc(w.outputs(s), isLost) {
			w.fail("two quiet passes without AWS leave %s with %s", name, what)
		}
	}
	for _, name := range names {
		if w.waiting(w.life.roll[name]) == "" {
			continue
		}
		w.mu.Unlock()
		w.after(backoffMost)
		w.mu.Lock()
		if what := w.waiting(w.life.roll[name]); what != "" {
			w.fail("%s waits for AWS", what)
		}
	}
}

// withAWS wants all to come right.
func (w *world) withAWS() {
	w.mu.Lock()
	w.aws.away = false
	w.mu.Unlock()
	for _, name := range names {
		if w.aws.secrets[name].bad {
			w.aws.rotate(name, false, false, 0)
		}
	}
	w.heal()
	w.life.loop.Refresh()
	w.after(12 * time.Minute)
	w.judge()
}

// toldOnce wants each dependent to be told once of what changes for all services together.
func (w *world) toldOnce() {
	w.mu.Lock()
	before := make(map[string]int)
	for name, d := range w.deps {
		before[name] = d.acks
	}
	w.mu.Unlock()
	for _, name := range names {
		w.aws.rotate(name, false, false, 0)
	}
	w.heal()
	w.life.loop.Refresh()
	w.after(time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, d := range w.deps {
		if n := d.acks - before[name]; n > 1 {
			w.fail("%s is told %d times of what changed at once", name, n)
		}
	}
}

// backoffMost is how long a dependent that failed may have to wait.
const backoffMost = 5 * time.Minute

// waiting gives a notice that is owed and was not told. Where it is not known what the service's
// files were to be, or one of them is not what the daemon wrote, it waits for AWS; and where a
// record was damaged, which may have been about any file that is new to a service.
func (w *world) waiting(s self) string {
	if w.harmed > 0 {
		return ""
	}
	list := w.outputs(s)
	if slices.ContainsFunc(list, func(f *output) bool { return w.lost[f.path] || f.robbed || f.drifted || f.content == "" && f.key == "" }) {
		return ""
	}
	for _, f := range list {
		for _, program := range w.told(s) {
			name := s.notice(program)
			if f.must[name] && w.isPending(f, name) {
				return name + " of " + f.path
			}
		}
	}
	return ""
}

// after lets time pass. The driver's nanosecond is its own.
func (w *world) after(d time.Duration) { w.pause("driver", d, d) }

// judge wants all to be as it should be, but for what no service in force has.
func (w *world) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	unkept := make(map[string]bool) // directories
	for _, s := range w.specs() {
		of := w.keeper(s)
		if of == nil {
			unkept[path.Dir(s.path)] = true
			continue
		}
		f := w.files[s.path]
		content, as, _, there := w.disk.Look(s.path)
		if !there && (f.drifted || f.content == "") && of.isRefused() {
			continue // it was taken away, or never there, and its check keeps it from its place
		}
		want := w.aws.current(s, of.text)
		if want == "" && (!there || f.stray) {
			continue
		}
		if string(content) != want && !of.isRefused() {
			w.fail("%s holds %q at last, want %q", s.path, content, want)
		}
		if uid, gid := f.owner(); as.Mode != f.mode || as.UID != uid || as.GID != gid {
			w.fail("%s has %v %d:%d at last, want %v %d:%d", s.path, as.Mode, as.UID, as.GID, f.mode, uid, gid)
		}
		for _, name := range w.told(*of) {
			d := w.deps[name]
			if f.must[of.notice(name)] && d.told[s.path] < f.changed {
				w.fail("%s was not told since %s changed", name, s.path)
			}
			foreign := f.drifted && of.isRefused() // its check keeps ours from the place of somebody else's
			if d.told[s.path] > f.changed && d.saw[s.path] != string(content) && !foreign {
				w.fail("%s knows %s as %q, which holds %q", name, s.path, d.saw[s.path], content)
			}
		}
	}
	w.judgeRecords(len(unkept) == 0)
	w.judgeWard()
	w.judgeSaid()
	for _, s := range w.specs() {
		dir := path.Dir(s.path)
		for _, name := range w.disk.List(dir) {
			if at := path.Join(dir, name); w.files[at] == nil && !unkept[dir] && !w.orphans[at] {
				w.fail("%s is left", plain(at))
			}
		}
	}
}
