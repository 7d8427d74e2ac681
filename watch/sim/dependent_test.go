package sim

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/watch/notify"
)

// A dependent is a program that reads a service's files when it is told to. It outlives the daemon. Everything in it is guarded by the
// world's lock.
type dependent struct {
	world   *world
	name    string
	service string
	fails   int  // so many times more
	reads   bool // it reads its files all the same when it fails
	hangs   bool
	slow    bool
	saw     map[string]string // what it found when it last read, by path
	told    int               // when it last acknowledged, by world.order
}

// An action tells a program, on behalf of one life of the daemon.
type action struct {
	*dependent
	life    *life
	restart bool
}

func (a action) Name() string {
	if a.restart {
		return "restart " + a.name
	}
	return "reload " + a.name
}

var errRefused = errors.New("refused")

// patience is how long an action waits for a program.
const patience = 30 * time.Second

func (a action) Do(ctx context.Context, c notify.Change) ([]byte, error) {
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
		return nil, ctx.Err()
	case <-late.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case a.life.dead:
		return nil, errRefused
	case hangs:
		w.trace.note(w.began, "%s hangs", a.name)
		return nil, context.DeadlineExceeded
	case a.fails > 0:
		a.fails--
		w.trace.note(w.began, "%s fails, reads %v", a.name, a.reads)
		if a.reads {
			a.read()
		}
		return nil, errRefused
	}
	a.matching("as it acknowledges")
	for _, f := range w.outputs(a.service) {
		if f.changed > a.told && !slices.Contains(c.Paths, f.path) {
			w.fail("%s is told of %v, and not of %s", a.name, c.Paths, f.path)
		}
	}
	delete(w.lost, a.service) // nobody is told before its files were looked at
	a.read()
	w.order++
	a.told = w.order
	w.counts.told++
	w.trace.note(w.began, "%s told of %s", a.name, strings.Join(c.Paths, " "))
	return nil, nil
}

// read reads the files.
func (a action) read() {
	for _, f := range a.world.outputs(a.service) {
		content, _, _, _ := a.world.disk.Look(f.path)
		a.saw[f.path] = string(content)
	}
}

// matching wants the files, but for those that somebody else has changed, to be of one config and of one version of each value.
func (a action) matching(when string) {
	if a.life.dead {
		return
	}
	if what := a.world.mismatch(a.service); what != "" {
		a.world.fail("%s of %s, %s, finds %s", a.name, a.service, when, what)
	}
}

// outputs gives a service's files. The caller holds w.mu.
func (w *world) outputs(service string) (list []*output) {
	for _, s := range specs {
		if s.service == service {
			list = append(list, w.files[s.path])
		}
	}
	return list
}

// mismatch says how a service's files do not match; "" where they do.
func (w *world) mismatch(service string) string {
	var first *output
	var text string
	var values []string
	for _, f := range w.outputs(service) {
		if f.drifted {
			continue
		}
		content, _, _, ok := w.disk.Look(f.path)
		t, v, whole := f.parse(string(content))
		switch {
		case !ok && f.content == "":
			continue // it never was there
		case !ok || !whole:
			return f.path + " with " + string(content)
		case first == nil:
			first, text, values = f, t, v
		case t != text || !slices.Equal(v, values):
			return first.path + " of " + text + " " + strings.Join(values, " ") + ", " + f.path + " of " + t + " " + strings.Join(v, " ")
		}
	}
	return ""
}
