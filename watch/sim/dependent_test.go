package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

// A dependent is a program that reads a service's files when it is told to. It outlives the daemon.
// Everything in it is guarded by the world's lock.
type dependent struct {
	world *world
	name  string
	fails int  // so many times more
	reads bool // it reads its files all the same when it fails
	hangs bool
	slow  bool
	saw   map[string]string // what it found when it last read, by path
	extra map[string]int    // how often it was told of nothing new since the trouble ceased, by path
	told  map[string]int    // when it last acknowledged, by world.order, by path
	acks  int               // how often it acknowledged
	busy  *life             // of the daemon that is telling it; nil: none is
}

// An action tells a program, on behalf of one life of the daemon.
type action struct {
	*dependent
	life *life
	of   self // the first of those in force that name it
	roll roll // in force
}

func (a action) Name() string { return a.of.notice(a.name) }

func (a action) Target() string { return a.name }

var errRefused = errors.New("refused")

// patience is how long an action waits for a program.
const patience = 30 * time.Second

func (a action) Do(ctx context.Context, c notify.Change) (notify.Output, error) {
	w, mends := a.world, a.mends()
	w.mu.Lock()
	a.untimely(mends)
	if a.busy == a.life {
		w.fail("%s is told twice at once", a.name)
	}
	a.busy = a.life
	defer func() { // the lock is held
		if a.busy == a.life {
			a.busy = nil
		}
	}()
	told := a.services(c)
	for _, s := range told {
		if w.isHeld(s.name()) && !a.life.dead {
			w.fail("%s is told of %s, which is paused", a.name, s.name())
		}
	}
	a.matching(told, "as it is told")
	least, most := time.Millisecond, 50*time.Millisecond
	if a.slow {
		least, most = 5*time.Second, 15*time.Second
	}
	hangs := a.hangs
	w.mu.Unlock()
	if hangs {
		least, most = patience, patience
	}
	late := time.NewTimer(w.span(a.name, least, most))
	defer late.Stop()
	select {
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		return notify.Output{}, ctx.Err()
	case <-late.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case a.life.dead:
		return notify.Output{}, errRefused
	case hangs:
		w.trace.note(w.began, "%s hangs", a.name)
		return notify.Output{}, context.DeadlineExceeded
	case a.fails > 0:
		a.fails--
		w.trace.note(w.began, "%s fails, reads %v", a.name, a.reads)
		if a.reads {
			a.read()
		}
		return notify.Output{}, errRefused
	}
	a.matching(told, "as it acknowledges")
	a.caused(c.Paths)
	if slices.Contains(c.Paths, allSites) { // nobody knows which of them
		for _, s := range siteSpecs() {
			c.Paths = append(c.Paths, s.path)
		}
	}
	w.order++
	for _, s := range told {
		for _, f := range w.outputs(s) {
			if f.must[a.Name()] && f.readers[a.Name()] && f.changed > a.told[f.path] && !slices.Contains(c.Paths, f.path) {
				w.fail("%s is told of %v, and not of %s", a.name, c.Paths, f.path)
			}
			if slices.Contains(c.Paths, f.path) {
				if known := !slices.Contains(c.Paths, allSites); known && !f.must[a.Name()] || known && f.changed <= a.told[f.path] {
					a.owed(f)
				}
				a.life.acknowledge(f, a.Name(), len(w.records))
			}
			delete(w.lost, f.path) // nobody is told before its files were looked at
			f.robbed = false
			f.known, a.told[f.path] = w.order, w.order
		}
	}
	a.read()
	a.acks++
	w.counts.told++
	w.trace.note(w.began, "%s told of %s", a.name, strings.Join(c.Paths, " "))
	return notify.Output{}, nil
}

// caused wants a reason for a notice: that a file changed since the last one. Where there is none
// the record may not say, after a crash or a fault, that it was told; and who reads a file that was
// moved, or takes another's place, is told of what somebody else was owed. Each may be once after
// the trouble has ceased, and not again.
func (a action) caused(paths []string) {
	w := a.world
	if slices.Contains(paths, allSites) { // nobody knows which of them
		return
	}
	if !w.ceased || slices.ContainsFunc(paths, func(path string) bool { return w.files[path].changed > a.told[path] }) {
		return
	}
	most := 2
	if w.rolls() { // who may not have taken a notice is told once more
		most = 5
	}
	for _, path := range paths {
		if a.extra[path]++; a.extra[path] > most {
			w.fail("%s is told of %v again, of which nothing changed", a.name, paths)
		}
	}
}

// read reads the files, whichever service told it to.
func (a action) read() {
	for path := range a.world.files {
		content, _, _, _ := a.world.disk.Look(path)
		a.saw[path] = string(content)
	}
}

// services gives those that it is told of.
func (a action) services(c notify.Change) (list []self) {
	for _, name := range c.Services {
		list = append(list, a.roll[name])
	}
	return list
}

// matching wants the files of each service that it is told of, but for those that somebody else has
// changed, to be of one config and of one version of each value.
func (a action) matching(told []self, when string) {
	if a.life.dead {
		return
	}
	for _, s := range told {
		if what := a.world.mismatch(s); what != "" {
			a.world.fail("%s of %s, %s, finds %s", a.name, s.name(), when, what)
		}
		if a.world.mismatchOf(a.world.outputs(s)) == "" {
			a.world.joined[s.group] = true
		}
	}
}

// mismatch says how a service's files do not match; "" where they do. Files that came to a service
// from another one were kept by both until then, each in its own time: they are to match from when
// they first do so while the service tells somebody, and what moves as a whole is to match all the
// time.
func (w *world) mismatch(s self) string {
	list := w.outputs(s)
	if w.joined[s.group] {
		return w.mismatchOf(list)
	}
	for _, u := range w.units {
		if what := w.mismatchOf(slices.DeleteFunc(slices.Clone(list), func(f *output) bool { return f.unit != u })); what != "" {
			return what
		}
	}
	return ""
}

// mismatchOf says how files do not match, but for those that somebody else has changed, and those
// that never were there.
func (w *world) mismatchOf(list []*output) string {
	var seen []view
	for _, f := range list {
		content, _, _, ok := w.disk.Look(f.path)
		if !f.drifted && !f.stray && (ok || f.content != "") {
			seen = append(seen, view{f, string(content)})
		}
	}
	if what := w.incomplete(list); what != "" {
		return what
	}
	return mismatchOf(seen)
}

// A view is what somebody finds in a file.
type view struct {
	*output
	found string
}

func mismatchOf(list []view) string {
	var text string
	values := make(map[string]string) // by ref
	for i, f := range list {
		t, v, whole := f.parse(f.found)
		if !whole {
			return f.path + " with " + f.found
		}
		if i == 0 {
			text = t
		}
		fits := t == text
		for n, r := range f.refs {
			if old, ok := values[r]; ok && old != v[n] {
				fits = false
			}
			values[r] = v[n]
		}
		if !fits {
			return list[0].path + " of " + text + ", " + f.path + " of " + t + " " + strings.Join(v, " ") + ", other values elsewhere"
		}
	}
	return ""
}
