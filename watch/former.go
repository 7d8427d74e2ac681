package watch

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/render/swap"
)

// former gives the records of other services that speak of one of these paths: what a service was called before it got its name. Each path
// belongs to one service at a time. A damaged record says nothing of paths.
func (l *Ledger) former(service string, paths []string) (list []record, _ error) {
	names, err := l.dir.Names()
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		other, ok := strings.CutSuffix(name, ".json")
		if !ok || other == service {
			continue
		}
		r, err := l.load(other)
		if errors.Is(err, errDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if r = r.about(paths); len(r.Swaps) > 0 || len(r.Notices) > 0 {
			list = append(list, r)
		}
	}
	return list, nil
}

// about gives what of a record is about these paths and not done.
func (r record) about(paths []string) record {
	other := func(path string) bool { return !slices.Contains(paths, path) }
	notices := make(map[string]notice)
	for name, n := range r.Notices {
		if owed := slices.DeleteFunc(slices.Clone(n.Owed), other); len(owed) > 0 {
			notices[name] = notice{Owed: owed}
		}
	}
	r.Notices = notices
	r.Swaps = slices.DeleteFunc(slices.Clone(r.Swaps), func(s swap.Rename) bool { return other(s.Path) })
	return r
}

// succeed has a service that has no record yet take over what is on record for its files under another name. Its dependents would not be
// told otherwise: the files are as they should be.
func (k *keeper) succeed() error {
	if len(k.rec.Notices) > 0 || len(k.rec.Swaps) > 0 {
		return nil
	}
	former, err := k.ledger.former(k.service.Name, k.service.paths())
	for _, r := range former {
		for _, n := range r.Notices {
			k.oweAll(n.Owed)
		}
		k.rec.Swaps = append(k.rec.Swaps, r.Swaps...)
	}
	return err
}
