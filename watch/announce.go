package watch

import (
	"slices"
	"time"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/pass"
)

// announcedFor is how long an announced version is waited for: AWS's reads are consistent in the
// end only.
const announcedFor = 30 * time.Second

// Announced says that these changed. Services that look one of them up are due after the settle
// time and their jitter, and again until they have seen the version that was announced last, for 30
// seconds at most.
func (l *Loop) Announced(list []sources.Change) { l.send(announced{list}) }

func (l *Loop) announced(list []sources.Change, now time.Time) {
	for i := range list {
		if list[i].At.After(now) {
			list[i].At = now // or nothing that comes later would count
		}
	}
	l.countElsewhere(list, now)
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		at := now.Add(l.plan.Settle + svc.Jitter)
		s.apply(list, slices.Concat(svc.Refs(), s.asked), at)
		if s.busy {
			s.pending = append(s.pending, list...)
		}
	}
}

// apply makes the service due at a time where the changes may be about one of the refs.
func (s *state) apply(list []sources.Change, refs []sources.Ref, at time.Time) {
	for _, r := range refs {
		for _, c := range list {
			versioned := c.VersionOf(r) != ""
			if !c.Means(r) || versioned && s.seen[r].covers(c) {
				continue
			}
			s.dueFor(at, pass.Trigger{Why: string(Queue), Message: c.Message})
			if versioned {
				s.expect(r, c, at.Add(announcedFor))
			}
		}
	}
}

// applyPending applies what was announced while the pass ran, for those refs that only the pass has
// found.
func (s *state) applyPending(asked []sources.Ref, at time.Time) {
	if len(s.pending) == 0 {
		return
	}
	fresh := slices.DeleteFunc(slices.Clone(asked), func(r sources.Ref) bool { return slices.Contains(s.asked, r) })
	s.apply(s.pending, fresh, at)
	s.pending = nil
}

// A word is the latest that was announced of a ref: notices come in any order. Times are of whole
// seconds, so that it may be several versions.
type word struct {
	at       time.Time
	versions []string
	until    time.Time // when one of them is no longer waited for
}

// covers tells whether a change says nothing beyond w.
func (w word) covers(c sources.Change) bool {
	if c.At.IsZero() || c.At.After(w.at) {
		return false
	}
	return c.At.Before(w.at) || slices.Contains(w.versions, c.Version)
}

// expect notes that a version is to be seen, unless a later one is.
func (s *state) expect(r sources.Ref, c sources.Change, until time.Time) {
	if s.expected == nil {
		s.expected = make(map[sources.Ref]word)
	}
	w, waiting := s.expected[r]
	switch {
	case waiting && w.covers(c):
		return
	case waiting && c.At.Equal(w.at):
		w.versions = append(w.versions, c.Version)
	default:
		w = word{at: c.At, versions: []string{c.Version}}
	}
	w.until = until
	s.expected[r], s.rereads = w, 0
}

// reread gives when to look again for a version that was announced and not seen; zero where there
// is none.
func (s *state) reread(now time.Time) time.Time {
	for r, w := range s.expected {
		version, ok := s.snapshot.Version(r)
		switch {
		case ok && slices.Contains(w.versions, version):
			if s.seen == nil {
				s.seen = make(map[sources.Ref]word)
			}
			s.seen[r] = w
		case now.Before(w.until):
			continue
		}
		delete(s.expected, r)
	}
	if len(s.expected) == 0 {
		return time.Time{}
	}
	s.rereads++
	return now.Add(min(time.Second<<min(s.rereads-1, 6), announcedFor/3))
}
