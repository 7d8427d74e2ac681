package sim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A debt is who must be told of a file's last change: who was to be told of the file when it changed, and, where the config was changed
// before they were told, who took their place by the rules of docs/notices.md. It claims no more than the rules do, whether or not the daemon
// came to do anything between two changes of the config.
type debt struct {
	home    string              // the service that had the file in the last config that was in force and named it
	readers map[string]bool     // and whom that one told
	before  map[string]bool     // whom the config before it did
	at      time.Time           // when the file changed
	homes   []string            // since the file changed
	must    map[string][]string // whom by the dependent's name, each with those in whose place, if any
}

// notice gives a program's name as a dependent of a config.
func (c conf) notice(program string) string {
	if c.restarts {
		return "restart " + program
	}
	return "reload " + program
}

// isPending tells whether the program of a dependent was not told since the file changed.
func (w *world) isPending(f *output, dependent string) bool {
	_, program, _ := strings.Cut(dependent, " ")
	return f.changed > 0 && w.deps[program].told < f.changed
}

// arises begins the debt of a change.
func (f *output) arises() {
	f.homes, f.must, f.at = []string{f.home}, make(map[string][]string), time.Now()
	for name := range f.readers {
		f.must[name] = nil
	}
}

// forgiven is how soon after each other a config, a change by a job that was begun before it, and a crash lose the debt to whom that config is
// the first to name: what the job owes to the next config is on record before the change only if the config came before the record.
const forgiven = time.Second

// crashed notes that the daemon was killed.
func (f *output) crashed(loaded time.Time) {
	if f.at.Sub(loaded) < forgiven && time.Since(f.at) < forgiven {
		maps.DeleteFunc(f.must, func(name string, _ []string) bool { return !f.before[name] })
	}
}

// toldBefore notes that a service which had the file, or does by an older config, has told a dependent before the one that has it now came to
// take that over. Nobody will be told in its place.
func (f *output) toldBefore(dependent string) {
	maps.DeleteFunc(f.must, func(_ string, of []string) bool { return slices.Contains(of, dependent) })
}

// inForce notes the config that a life has read, and hands debts on as its services are to.
func (w *world) inForce(l *life, c conf) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.conf, l.loaded = c, time.Now()
	for i := range services {
		readers := make(map[string]bool)
		for _, name := range w.told(c, i) {
			readers[c.notice(name)] = true
		}
		for _, f := range w.outputs(c, i) {
			w.handOn(f, c.name(i), readers)
		}
	}
}

// handOn hands on what is owed for a file that a service of that name has now, which tells these.
func (w *world) handOn(f *output, home string, readers map[string]bool) {
	isOwed := func(name string, _ []string) bool { return w.isPending(f, name) }
	switch {
	case f.home == home:
		// Where somebody in whose place another is told comes back before the service has handed anything on, that other one is owed nothing.
		maps.DeleteFunc(f.must, func(name string, of []string) bool {
			return readers[name] && isOwed(name, of) && slices.ContainsFunc(of, func(o string) bool { return readers[o] })
		})
		fresh := maps.Clone(readers)
		maps.DeleteFunc(fresh, func(name string, _ bool) bool { return f.readers[name] })
		gone := maps.Clone(f.must)
		maps.DeleteFunc(gone, func(name string, of []string) bool { return readers[name] || !isOwed(name, of) })
		switch { // else they are still owed it when they come back
		case len(gone) > 0 && len(fresh) > 0:
			f.pass(gone, fresh)
		case w.lost[f.path]: // with the record: it is owed to those who are there
			f.pass(gone, nil)
		}
	case slices.Contains(f.homes, home):
		// It may be that nothing was taken over meanwhile, and it may be that all was told.
		maps.DeleteFunc(f.must, func(name string, of []string) bool { return isOwed(name, of) && (len(of) > 0 || !readers[name]) })
	default:
		owed := maps.Clone(f.must)
		maps.DeleteFunc(owed, func(name string, of []string) bool { return !isOwed(name, of) })
		f.homes = append(f.homes, home)
		if len(owed) > 0 {
			f.pass(owed, readers)
		}
	}
	f.home, f.readers, f.before = home, readers, f.readers
}

// pass has some take the place of others.
func (f *output) pass(from map[string][]string, to map[string]bool) {
	for name := range from {
		if !to[name] {
			delete(f.must, name)
		}
	}
	for name := range to {
		if _, known := f.must[name]; !known {
			f.must[name] = slices.Sorted(maps.Keys(from))
		}
	}
}
