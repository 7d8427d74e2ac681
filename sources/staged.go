package sources

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// A Staged answers for another source as if each secret's version with a label were its current
// one. Secrets that have no such version, or none with a value yet, are answered as they are. So
// are refs that select a version themselves. A secret that is read as
// /aws/reference/secretsmanager/… is one, too.
type Staged struct {
	Source Source
	Label  string // as AWSPENDING

	mu    sync.Mutex
	found []Stage
}

// A Stage is a secret that was answered with the version that has the label.
type Stage struct {
	Ref     Ref    // as it was asked for
	Version string // that it was answered with; "" where the source has no names for them
}

// Found gives the refs that were answered with the version that has the label, each once, by their
// text.
func (s *Staged) Found() []Stage {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.found)
	slices.SortFunc(list, func(a, b Stage) int { return strings.Compare(a.Ref.String(), b.Ref.String()) })
	return slices.CompactFunc(list, func(a, b Stage) bool { return a.Ref == b.Ref })
}

// staged gives the ref of the version with the label; false where the ref means none.
func (s *Staged) staged(r Ref) (Ref, bool) {
	if r.Selector != "" || r.Original().Kind != Secret {
		return r, false
	}
	r.Selector = s.Label
	return r, true
}

// Fetch asks for both versions of each secret at once.
func (s *Staged) Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result)) {
	var (
		mu    sync.Mutex
		asked = slices.Clone(refs)
		got   = make(map[Ref]Result)
		pairs = make(map[Ref]Ref) // what was asked for, by its staged ref
		plain = make(map[Ref]bool)
	)
	for _, r := range refs {
		if staged, ok := s.staged(r); ok {
			pairs[staged] = r
			asked = append(asked, staged)
		} else {
			plain[r] = true
		}
	}
	s.Source.Fetch(ctx, Unique(asked), func(r Ref, result Result) {
		mu.Lock()
		defer mu.Unlock()
		if got[r] = result; plain[r] {
			deliver(r, result)
		}
		staged, current := r, pairs[r]
		if current == (Ref{}) {
			staged, _ = s.staged(r)
			current = r
		}
		later, known := got[staged]
		now, answered := got[current]
		if pairs[staged] == current && known && answered {
			deliver(current, s.choose(current, now, later))
		}
	})
}

// choose gives what a ref is answered with, of its current version and the one that has the label.
// That it is not there is no error; that it is denied, say, is one.
func (s *Staged) choose(r Ref, now, later Result) Result {
	switch {
	case later.Err != nil && later.Err.Reason == Missing:
		return now
	case later.Err != nil:
		return later
	case now.Err == nil && later.Value.Version != "" && later.Value.Version == now.Value.Version:
		return now // the rotation is over, and left the label
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = append(s.found, Stage{r, later.Value.Version})
	return later
}
