package sources

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// A Staged answers for another source as if each secret's version with a label were its current
// one, and the one that is current now the previous one, as the labels will be after the rotation.
// Secrets that have no such version, or none with a value yet, are answered as they are. So are
// refs that select a version, or another label. A secret that is read as
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

// A staging is a ref that is to be answered, of what its secret has by three labels. Where the ref
// means neither the current nor the previous version, all three are the ref.
type staging struct {
	asked               Ref
	now, later, earlier Ref
	left                int // of these, that are not known yet
}

// staging gives how a ref is answered.
func (s *Staged) staging(r Ref) *staging {
	g := &staging{asked: r, now: r, later: r, earlier: r}
	if r.Original().Kind == Secret && (r.Selector == "" || r.Selector == PreviousLabel) {
		g.now.Selector, g.later.Selector = "", s.Label
	}
	g.left = len(g.needs())
	return g
}

// needs gives what is to be known.
func (g *staging) needs() []Ref { return Unique([]Ref{g.now, g.later, g.earlier}) }

// Fetch asks for all versions of each secret at once.
func (s *Staged) Fetch(ctx context.Context, refs []Ref, deliver func(Ref, Result)) {
	var (
		mu    sync.Mutex
		asked []Ref
		got   = make(map[Ref]Result)
		of    = make(map[Ref][]*staging) // that wait for a ref
	)
	for _, r := range refs {
		g := s.staging(r)
		for _, need := range g.needs() {
			asked = append(asked, need)
			of[need] = append(of[need], g)
		}
	}
	s.Source.Fetch(ctx, Unique(asked), func(r Ref, result Result) {
		mu.Lock()
		defer mu.Unlock()
		got[r] = result
		for _, g := range of[r] {
			if g.left--; g.left == 0 {
				deliver(g.asked, s.choose(g, got[g.now], got[g.later], got[g.earlier]))
			}
		}
	})
}

// choose gives what a ref is answered with. That no version has the label is no error; that it is
// denied, say, is one.
func (s *Staged) choose(g *staging, now, later, earlier Result) Result {
	asIs := now
	if g.asked != g.now {
		asIs = earlier
	}
	switch {
	case g.now == g.later:
		return asIs
	case later.Err != nil && later.Err.Reason == Missing:
		return asIs
	case later.Err != nil:
		return later
	case now.Err == nil && later.Value.Version != "" && later.Value.Version == now.Value.Version:
		return asIs // the rotation is over, and left the label
	}
	if g.asked != g.now { // the previous one
		return now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = append(s.found, Stage{g.asked, later.Value.Version})
	return later
}
