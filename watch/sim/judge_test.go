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
	f := w.files[path]
	if f == nil {
		return
	}
	content, as, attributes, ok := w.disk.Look(path)
	if !ok {
		w.fail("%s is taken away", path)
		return
	}
	text := string(content)
	if f.torn && w.life != nil && w.life.dead {
		f.content = text // the rest of the last write
		return
	}
	if text != f.content {
		w.order++
		f.changed = w.order
		f.arises()
		w.counts.swaps++
	}
	if f.torn {
		_, _, whole := f.parse(text)
		f.torn = !whole
	}
	f.content, f.drifted = text, false
	w.trace.note(w.began, "%s now holds %s", path, text)
	w.whole(f)
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
func (w *world) powerCut() {
	w.counts.cuts++
	w.disk.Cut(w.chance)
	for _, s := range w.specs() {
		f := w.files[s.path]
		content, as, attributes, ok := w.disk.Look(s.path)
		if w.isKnown(f) && !f.torn && !volatile(s.path) && string(content) != f.content && f.content != "deleted" {
			w.fail("%s was told of, and a power cut makes %q of it", s.path, content)
		}
		if found, ok := w.look(f); ok && !f.hadOnce(found) {
			w.fail("%s has %v after a power cut, which it never had", s.path, found)
		}
		switch {
		case !ok && f.content != "":
			f.drifted, f.meta = true, meta{mode: f.fresh}
		case ok && f.keep:
			f.meta = meta{as.Mode, attributes}
		}
		f.content = string(content)
		f.drifted = f.drifted || strings.HasPrefix(f.content, foreign)
		if f.torn {
			_, _, whole := f.parse(f.content)
			f.torn = !whole
		}
		w.trace.note(w.began, "after the cut %s holds %q", s.path, content)
		w.whole(f)
	}
}

// volatile tells whether a path is on a file system that a power cut empties.
func volatile(path string) bool { return strings.HasPrefix(path, "/run/") }

// peace lets the trouble cease, and wants everything to come right: first without AWS, then with it.
func (w *world) peace() {
	w.await(0) // it may just have been killed
	w.mu.Lock()
	w.trace.note(w.began, "peace")
	w.full, w.fixed, w.ceased = false, false, true
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
	w.conf = conf{layout: w.conf.layout, text: w.conf.text, checks: w.conf.checks, often: time.Hour}
	w.mu.Unlock()
	if w.life == nil {
		w.start(faults{})
	} else {
		w.after(100 * time.Second) // what hangs gives up
		w.life.loop.Reload()
	}
	w.after(10 * time.Second)
	w.life.loop.Refresh()
	w.after(10 * time.Second)
	w.note("two quiet passes later")
	w.mu.Lock()
	for i := range services {
		isLost := func(f *output) bool { return w.lost[f.path] }
		if what := w.mismatch(w.conf, i); what != "" && !slices.ContainsFunc(w.outputs(w.conf, i), isLost) {
			w.fail("two quiet passes without AWS leave %s with %s", w.conf.name(i), what)
		}
	}
	for i := range services {
		if w.waiting(i) == "" {
			continue
		}
		w.mu.Unlock()
		w.after(backoffMost)
		w.mu.Lock()
		if what := w.waiting(i); what != "" {
			w.fail("%s waits for AWS", what)
		}
	}
	w.aws.away = false
	w.mu.Unlock()
	for _, name := range names {
		if w.aws.secrets[name].bad {
			w.aws.rotate(name, false, false, 0)
		}
	}
	w.life.loop.Refresh()
	w.after(12 * time.Minute)
	w.judge()

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

// backoffMost is how long a dependent that failed may have to wait.
const backoffMost = 5 * time.Minute

// waiting gives a notice that is owed and was not told. Where it is not known what the service's files were to be, or one of them is not what
// the daemon wrote, it waits for AWS; and where a record was damaged, which may have been about any file that is new to a service.
func (w *world) waiting(service int) string {
	if w.harmed > 0 {
		return ""
	}
	list := w.outputs(w.conf, service)
	if slices.ContainsFunc(list, func(f *output) bool { return w.lost[f.path] || f.drifted || f.content == "" }) {
		return ""
	}
	for _, f := range list {
		for _, program := range w.told(w.conf, service) {
			name := w.conf.notice(program)
			if f.must[name] && w.isPending(f, name) {
				return name + " of " + f.path
			}
		}
	}
	return ""
}

// after lets time pass. The driver's nanosecond is its own.
func (w *world) after(d time.Duration) { w.pause("driver", d, d) }

// judge wants all to be as it should be.
func (w *world) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.specs() {
		f := w.files[s.path]
		content, as, _, _ := w.disk.Look(s.path)
		if want := w.aws.current(s, w.conf.text); string(content) != want {
			w.fail("%s holds %q at last, want %q", s.path, content, want)
		}
		if uid, gid := f.owner(); as.Mode != f.mode || as.UID != uid || as.GID != gid {
			w.fail("%s has %v %d:%d at last, want %v %d:%d", s.path, as.Mode, as.UID, as.GID, f.mode, uid, gid)
		}
		for _, name := range w.told(w.conf, w.conf.home[s.unit]) {
			d := w.deps[name]
			if f.must[w.conf.notice(name)] && d.told < f.changed {
				w.fail("%s was not told since %s changed", name, s.path)
			}
			if d.told > f.changed && d.saw[s.path] != string(content) {
				w.fail("%s knows %s as %q, which holds %q", name, s.path, d.saw[s.path], content)
			}
		}
		dir := path.Dir(s.path)
		for _, name := range w.disk.List(dir) {
			if w.files[path.Join(dir, name)] == nil {
				w.fail("%s is left in %s", name, dir)
			}
		}
	}
	w.judgeRecords()
}
