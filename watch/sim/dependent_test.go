package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

// A dependent is a program that reads a service's files when it is told to. It outlives the daemon. Everything in it is guarded by the
// world's lock.
type dependent struct {
	world *world
	name  string
	fails int  // so many times more
	reads bool // it reads its files all the same when it fails
	hangs bool
	slow  bool
	saw   map[string]string // what it found when it last read, by path
	extra int               // how often it was told of nothing new since the trouble ceased
	told  int               // when it last acknowledged, by world.order, whichever service told it
}

// An action tells a program, on behalf of one life of the daemon.
type action struct {
	*dependent
	life    *life
	conf    conf
	service int
}

func (a action) Name() string { return a.conf.notice(a.name) }

var errRefused = errors.New("refused")

// patience is how long an action waits for a program.
const patience = 30 * time.Second

func (a action) Do(ctx context.Context, c notify.Change) (notify.Output, error) {
	w := a.world
	w.mu.Lock()
	a.matching("as it is told")
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
	a.matching("as it acknowledges")
	w.order++
	for _, f := range w.outputs(a.conf, a.service) {
		if f.must[a.Name()] && f.readers[a.Name()] && f.changed > a.told && !slices.Contains(c.Paths, f.path) {
			w.fail("%s is told of %v, and not of %s", a.name, c.Paths, f.path)
		}
		delete(w.lost, f.path) // nobody is told before its files were looked at
		f.known = w.order
	}
	a.caused(c.Paths)
	a.read()
	a.told = w.order
	w.counts.told++
	w.trace.note(w.began, "%s told of %s", a.name, strings.Join(c.Paths, " "))
	return notify.Output{}, nil
}

// caused wants a reason for a notice: that a file changed since the last one. Where there is none the record may not say, after a crash or a
// fault, that it was told; and who reads a file that was moved, or takes another's place, is told of what somebody else was owed. Each may be
// once after the trouble has ceased, and not again.
func (a action) caused(paths []string) {
	w := a.world
	if !w.ceased || slices.ContainsFunc(paths, func(path string) bool { return w.files[path].changed > a.told }) {
		return
	}
	if a.extra++; a.extra > 2 {
		w.fail("%s is told of %v again, of which nothing changed", a.name, paths)
	}
}

// read reads the files, whichever service told it to.
func (a action) read() {
	for path := range a.world.files {
		content, _, _, _ := a.world.disk.Look(path)
		a.saw[path] = string(content)
	}
}

// matching wants the files, but for those that somebody else has changed, to be of one config and of one version of each value.
func (a action) matching(when string) {
	if a.life.dead {
		return
	}
	if what := a.world.mismatch(a.conf, a.service); what != "" {
		a.world.fail("%s of %s, %s, finds %s", a.name, a.conf.name(a.service), when, what)
	}
	if a.world.mismatchOf(a.world.outputs(a.conf, a.service)) == "" {
		a.world.joined[a.conf.group(a.service)] = true
	}
}

// outputs gives a service's files. The caller holds w.mu.
func (w *world) outputs(c conf, service int) (list []*output) {
	for _, s := range w.of(c, service) {
		list = append(list, w.files[s.path])
	}
	return list
}

// mismatch says how a service's files do not match; "" where they do. Files that came to a service from another one were kept by both until
// then, each in its own time: they are to match from when they first do so while the service tells somebody, and what moves as a whole is to
// match all the time.
func (w *world) mismatch(c conf, service int) string {
	list := w.outputs(c, service)
	if w.joined[c.group(service)] || !slices.ContainsFunc(list, func(f *output) bool { return c.moved[f.unit] > 0 }) {
		return w.mismatchOf(list)
	}
	for _, u := range w.units {
		if what := w.mismatchOf(slices.DeleteFunc(slices.Clone(list), func(f *output) bool { return f.unit != u })); what != "" {
			return what
		}
	}
	return ""
}

// group tells apart what a service has at different times.
func (l layout) group(service int) string {
	var text []byte
	for u, home := range l.home {
		if home == service {
			text = fmt.Append(text, " ", u, l.moved[u])
		}
	}
	return string(text)
}

// mismatchOf says how files do not match, but for those that somebody else has changed, and those that never were there.
func (w *world) mismatchOf(list []*output) string {
	var seen []view
	for _, f := range list {
		content, _, _, ok := w.disk.Look(f.path)
		if !f.drifted && (ok || f.content != "") {
			seen = append(seen, view{f, string(content)})
		}
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
