package ledger

import (
	"cmp"
	"maps"
	"slices"
)

// Rollouts are on record by service, whose name may change, and whose files may become others': who
// has the files has the rollout.

// followRollouts has the rollout of a service that is no more go to the one that has its files: its
// name has changed. Where there is none, and all services are known, it is forgotten. That of a
// service whose files have become others' is of those that are left.
func (l *Ledger) followRollouts(services map[string][]string, all bool) (differs bool) {
	for _, r := range l.sortedRollouts() {
		if paths, known := services[r.Service]; known {
			differs = l.keepOwn(r, paths) || differs
			continue
		}
		heir := l.heir(services, r.Paths)
		if heir == "" && !all {
			continue
		}
		delete(l.rollouts, r.Service)
		differs = true
		if heir == "" {
			continue
		}
		// Of two failures that have yet to be said the heir's own is.
		own := l.rollouts[heir]
		if own.Trouble == nil {
			own.Trouble = r.Trouble
		}
		if r.Trouble = own.Trouble; !own.Open() {
			own = r
		}
		own.Service = heir
		l.rollouts[heir] = own
	}
	return differs
}

// keepOwn has a rollout be of no files but its service's, and tells whether it was of others. Where
// none is left it is of those that the service has now. The caller holds the lock.
func (l *Ledger) keepOwn(r Rollout, paths []string) (differs bool) {
	own := make(map[string]bool)
	for _, path := range l.expand(paths) {
		own[path] = true
	}
	left := slices.DeleteFunc(slices.Clone(r.Paths), func(path string) bool { return !own[path] })
	if len(left) == 0 {
		left = paths
	}
	if slices.Equal(left, r.Paths) {
		return false
	}
	r.Paths = left
	l.rollouts[r.Service] = r
	return true
}

// nowCalled gives what a service is called that has these files: the plan may be another since its
// pass was begun. The caller holds the lock.
func (l *Ledger) nowCalled(service string, paths []string) string {
	if _, known := l.services[service]; known {
		return service
	}
	return cmp.Or(l.heir(l.services, paths), service)
}

// heir gives the service that has most of some files, the first of several; "": none has one.
func (l *Ledger) heir(services map[string][]string, paths []string) (heir string) {
	most := 0
	for _, name := range slices.Sorted(maps.Keys(services)) {
		has := 0
		for _, path := range l.expand(services[name]) {
			if slices.Contains(paths, path) {
				has++
			}
		}
		if has > most {
			heir, most = name, has
		}
	}
	return heir
}
