package watch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/render/swap"
)

// former gives the records of other services that speak of files that the service has: all of them where the config no longer has that
// service, or not by this name; and of the files that are new to this one where it goes on without them. Each path belongs to one service at a
// time. What the records say of the new ones is not known, which unsure tells, where one cannot be read or is damaged, or was when this
// process came.
func (l *Ledger) former(service string, paths, fresh []string, first bool) (list []record, unsure bool, _ error) {
	others, err := l.others(service)
	if err != nil {
		return nil, false, err
	}
	for _, other := range others {
		of := fresh
		if !l.keeps(other) {
			of = paths
		}
		if len(of) == 0 {
			continue
		}
		r, err := l.load(other)
		if err != nil || first && l.wasDamaged(other) {
			unsure = unsure || len(fresh) > 0
		}
		if r = r.about(of); len(r.Swaps) > 0 || len(r.Notices) > 0 || len(r.Paths) > 0 {
			list = append(list, r)
		}
	}
	return list, unsure, nil
}

// others gives the services that have a record, but for one, in order.
func (l *Ledger) others(service string) (list []string, _ error) {
	names, err := l.dir.Names()
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	for _, name := range names {
		if other, ok := strings.CutSuffix(name, ".json"); ok && other != service {
			list = append(list, other)
		}
	}
	slices.Sort(list)
	return list, nil
}

// about gives what of a record is about these paths and not done, and which of them it had.
func (r record) about(paths []string) record {
	other := func(path string) bool { return !slices.Contains(paths, path) }
	notices := make(map[string]notice)
	for name, n := range r.Notices {
		if owed := slices.DeleteFunc(slices.Clone(n.Owed), other); len(owed) > 0 {
			notices[name] = notice{Owed: owed}
		}
	}
	r.Notices = notices
	r.Paths = slices.DeleteFunc(slices.Clone(r.Paths), other)
	r.Swaps = slices.DeleteFunc(slices.Clone(r.Swaps), func(s swap.Rename) bool { return other(s.Path) })
	return r
}

// without gives what of a record is about other paths.
func (r record) without(paths []string) record {
	same := func(path string) bool { return slices.Contains(paths, path) }
	notices := make(map[string]notice)
	for name, n := range r.Notices {
		n.Owed = slices.DeleteFunc(slices.Clone(n.Owed), same)
		notices[name] = n
	}
	r.Notices = notices
	r.Paths = slices.DeleteFunc(slices.Clone(r.Paths), same)
	r.Swaps = slices.DeleteFunc(slices.Clone(r.Swaps), func(s swap.Rename) bool { return same(s.Path) })
	return r
}

// done tells whether a record says of nothing that it is to be done.
func (r record) done() bool {
	for _, n := range r.Notices {
		if len(n.Owed) > 0 {
			return false
		}
	}
	return len(r.Swaps) == 0
}

// succeed has a service take over what is on record elsewhere for the files that are new to it: another service had them, which goes on
// without them, or under this name. Its dependents would not be told otherwise: the files are as they should be. What a service that is no
// more has on record of any of its files it takes over when it is first looked at, too: a crash may have come between the two records.
func (k *keeper) succeed() error {
	paths := k.service.paths()
	first := !k.succeeded
	if !first && slices.Equal(paths, k.rec.Paths) {
		return nil
	}
	fresh, lost := minus(paths, k.rec.Paths), minus(k.rec.Paths, paths)
	former, unsure, err := k.ledger.former(k.service.Name, paths, fresh, first)
	if err != nil {
		return err
	}
	if unsure { // as where its own record is damaged
		k.rec.Half = true
		k.oweAll(fresh)
	}
	serial := k.rec.Serial
	for _, r := range former {
		if r.Serial < k.rec.Serial { // it was taken over, and could not be taken away
			r.Swaps = slices.DeleteFunc(r.Swaps, func(s swap.Rename) bool { return !slices.Contains(fresh, s.Path) })
		}
		serial = max(serial, r.Serial+1)
		for _, n := range r.Notices {
			k.oweAll(n.Owed)
		}
		k.rec.Swaps = slices.DeleteFunc(k.rec.Swaps, func(own swap.Rename) bool {
			return slices.ContainsFunc(r.Swaps, func(s swap.Rename) bool { return s.Path == own.Path })
		})
		k.rec.Swaps = append(k.rec.Swaps, r.Swaps...)
		if !k.ledger.keeps(r.Service) {
			k.former = append(k.former, r.Service)
		}
	}
	k.rec.Serial = serial
	if len(fresh) > 0 {
		k.swept = false // who had them may have left temporaries beside them
	}
	k.rec.Paths, k.succeeded = paths, true
	// What was new once is not new at the next start, unless another had it in between. Where nothing hangs on it, the record waits.
	k.unsaved = k.unsaved || len(lost) > 0 || len(former) > 0 || unsure
	return nil
}

// minus gives what is in a and not in b.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// relieve takes what the service has taken over off the records of those who had it before, or it would be owed again whenever the daemon
// starts.
func (k *keeper) relieve() error {
	if len(k.former) == 0 {
		return nil
	}
	if err := k.save(); err != nil {
		return err
	}
	for _, name := range k.former {
		if err := k.ledger.relieve(name, k.service.paths()); err != nil {
			return err
		}
	}
	k.former = nil
	return nil
}

// relieve takes off a record what is about these paths. One that has nothing left to do goes.
func (l *Ledger) relieve(service string, paths []string) error {
	l.heirs <- struct{}{} // there may be several
	defer func() { <-l.heirs }()
	if l.keeps(service) {
		return nil // it is back meanwhile, and its record its own
	}
	r, err := l.load(service)
	if err != nil {
		return err
	}
	if r = r.without(paths); !r.done() {
		return l.save(r)
	}
	return l.dir.Remove(service + ".json")
}

// keep says which services there are. It is called before any of them is looked at.
func (l *Ledger) keep(services []*Service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = make(map[string]bool)
	for _, s := range services {
		l.kept[s.Name] = true
	}
}

func (l *Ledger) keeps(service string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept[service]
}

// nextReaders stands in a record, in the place of a dependent, for those who read the files by a plan that came into force while a job was
// under way that knows nothing of it. A dependent's name begins with what is done to it.
const nextReaders = "whoever is to be told by the next config"

// oweNext owes changes also to those whom a newer plan, if there is one, would have told of them.
func (k *keeper) oweNext(changed []string) {
	if k.late.Load() {
		k.rec.owe(nextReaders, changed)
	}
}

// saveNext is oweNext for a plan that came into force while the files were put in their places.
func (k *keeper) saveNext(changed []string) error {
	if !k.late.Load() || len(minus(changed, k.rec.Notices[nextReaders].Owed)) == 0 {
		return nil
	}
	k.oweNext(changed)
	return k.save()
}
