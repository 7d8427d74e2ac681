package sim

import (
	"maps"
	"strings"
)

// A debt is who must be told of a file's last change: who was to be told of the file when it
// changed, and who took their place since, as docs/notices.md has it.
type debt struct {
	readers map[string]bool // whom the config in force tells
	must    map[string]bool // whom by the dependent's name
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
	return f.changed > 0 && w.deps[program].told[f.path] < f.changed
}

// arises begins the debt of a change.
func (f *output) arises() { f.must = maps.Clone(f.readers) }

// handOn notes who reads a file now. Whoever is new must be told where anybody was to be who was
// not. Where the ledger was damaged it is not known who has left.
func (w *world) handOn(f *output, readers map[string]bool) {
	fresh := maps.Clone(readers)
	maps.DeleteFunc(fresh, func(name string, _ bool) bool { return f.readers[name] })
	owed := maps.Clone(f.must)
	maps.DeleteFunc(owed, func(name string, _ bool) bool { return !w.isPending(f, name) })
	f.must = make(map[string]bool)
	for name := range owed {
		// Otherwise somebody has taken its place.
		if readers[name] || len(fresh) == 0 && !w.lost[f.path] {
			f.must[name] = true
		}
	}
	if len(owed) > 0 {
		maps.Copy(f.must, fresh)
	}
	f.readers = readers
}
