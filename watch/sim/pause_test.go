package sim

import (
	"context"
	"maps"
	"slices"
	"testing/synctest"
	"time"

	"github.com/rendered/rendered/watch/pass"
)

// A hold is that a service is paused, as far as the model is sure of it.
type hold struct {
	until time.Time // by the wall clock; zero: until it is resumed
	paths []string  // of the service when it was last in force
	loose bool      // the daemon has followed its service, and a crash may take that from the record
}

// pauseSome has nobody work on a service.
func (w *world) pauseSome() {
	w.mu.Lock()
	names := slices.Sorted(maps.Keys(w.life.roll))
	w.mu.Unlock()
	if len(names) == 0 {
		return
	}
	name := names[w.chance.IntN(len(names))]
	p := pass.Pause{Service: name, Since: w.wall().UTC(), Why: "the model"}
	if w.chance.IntN(2) == 0 {
		p.Until = p.Since.Add(time.Duration(w.chance.IntN(int(10 * time.Minute))))
	}
	w.mu.Lock()
	delete(w.held, name) // until it is on record again, nobody knows
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := w.life.loop.Pause(ctx, []pass.Pause{p})
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace.note(w.began, "%s is paused until %v: %v", name, p.Until, err)
	if err == nil && !w.life.dead {
		h := hold{until: p.Until}
		for _, f := range w.outputs(w.life.roll[name]) {
			h.paths = append(h.paths, f.path)
		}
		w.held[name] = h
	}
}

// resumeSome ends the pause of one service, or of all.
func (w *world) resumeSome() {
	var names []string
	w.mu.Lock()
	if held := slices.Sorted(maps.Keys(w.held)); len(held) > 0 && w.chance.IntN(2) == 0 {
		names = held[:1]
		delete(w.held, held[0])
	} else {
		clear(w.held)
	}
	w.mu.Unlock()
	resumed, err := w.life.loop.Resume("the model", names...)
	synctest.Wait()
	w.note("%v are resumed: %v", resumed, err)
}

// isHeld tells whether nobody may work on a service. The caller holds w.mu.
func (w *world) isHeld(name string) bool {
	h, held := w.held[name]
	return held && (h.until.IsZero() || w.wall().Before(h.until))
}

// clockSet forgets the pauses whose time may have been over. The caller holds w.mu.
func (w *world) clockSet() {
	maps.DeleteFunc(w.held, func(name string, _ hold) bool { return !w.isHeld(name) })
}

// crashed forgets the pauses of which the record may have what was before the daemon followed their
// services: after a crash others may have their files. The caller holds w.mu.
func (w *world) crashed() {
	maps.DeleteFunc(w.held, func(_ string, h hold) bool { return h.loose })
}

// hand notes who is paused now that other services are in force: one that is not there any more
// hands its pause on to those that have its files. The caller holds w.mu.
func (w *world) hand(r roll) {
	for _, name := range slices.Sorted(maps.Keys(w.held)) {
		h := w.held[name]
		s, there := r[name]
		if there {
			var paths []string
			for _, f := range w.of(s) {
				paths = append(paths, f.path)
			}
			w.held[name] = hold{h.until, paths, h.loose || !slices.Equal(paths, h.paths)}
			continue
		}
		for heir, s := range r {
			var paths []string
			for _, f := range w.of(s) {
				paths = append(paths, f.path)
			}
			if slices.ContainsFunc(paths, func(path string) bool { return slices.Contains(h.paths, path) }) {
				delete(w.held, name)
				w.held[heir] = hold{h.until, paths, true}
				for _, path := range paths { // the heir may be at work on its own
					w.life.late[path] = true
				}
			}
		}
	}
}
