package watch

import (
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/sources"
)

// An Announcement says that something changed at its source. It is a hint: it may come twice, late, in another order, or never.
type Announcement struct {
	Matches func(sources.Ref) bool
	Version string    // that a secret's refs without a selector mean now, as Value.Version; "" where that is not said
	At      time.Time // when it changed; zero where that is not said

	Region, Account string                                     // where it changed; "" where that is not said
	Origin          func(sources.Ref) (region, account string) // where a ref is looked up, "" where that is not known; may be nil
}

const (
	// announcedFor is how long an announced version is waited for: AWS's reads are consistent in the end only.
	announcedFor = 30 * time.Second
)

// Announced says that these changed. Services that look one of them up are due after the settle
// time and their jitter, and again until they have seen the version that was announced last, for 30
// seconds at most.
func (l *Loop) Announced(list []Announcement) { l.send(announced{list}) }

func (l *Loop) announced(list []Announcement, now time.Time) {
	for i := range list {
		if list[i].At.After(now) {
			list[i].At = now // or nothing that comes later would count
		}
	}
	l.countElsewhere(list, now)
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		at := now.Add(l.plan.Settle + svc.Jitter)
		s.hear(list, slices.Concat(svc.Refs(), s.asked), at)
		if s.busy {
			s.heard = append(s.heard, list...)
		}
	}
}

// hear makes the service due at a time where the announcements are about one of the refs.
func (s *state) hear(list []Announcement, refs []sources.Ref, at time.Time) {
	for _, r := range refs {
		for _, a := range list {
			versioned := a.Version != "" && isCurrent(r)
			if !a.Matches(r) || versioned && s.seen[r].covers(a) {
				continue
			}
			s.look = earliest(s.look, at)
			if versioned {
				s.expect(r, a, at.Add(announcedFor))
			}
		}
	}
}

// hearAgain hears what was announced while the pass ran, for those refs that only the pass has found.
func (s *state) hearAgain(asked []sources.Ref, at time.Time) {
	if len(s.heard) == 0 {
		return
	}
	fresh := slices.DeleteFunc(slices.Clone(asked), func(r sources.Ref) bool { return slices.Contains(s.asked, r) })
	s.hear(s.heard, fresh, at)
	s.heard = nil
}

// isCurrent tells whether r means a secret's current version, which Parameter Store also hands on.
func isCurrent(r sources.Ref) bool {
	return r.Selector == "" && (r.Kind == sources.Secret || r.Kind == sources.Param && strings.HasPrefix(r.Name, "/aws/reference/secretsmanager/"))
}

// A word is the latest that was announced of a ref: notices come in any order. Times are of whole seconds, so that it may be
// several versions.
type word struct {
	at       time.Time
	versions []string
	until    time.Time // when one of them is no longer waited for
}

// covers tells whether an announcement says nothing beyond w.
func (w word) covers(a Announcement) bool {
	if a.At.IsZero() || a.At.After(w.at) {
		return false
	}
	return a.At.Before(w.at) || slices.Contains(w.versions, a.Version)
}

// expect notes that a version is to be seen, unless a later one is.
func (s *state) expect(r sources.Ref, a Announcement, until time.Time) {
	if s.expected == nil {
		s.expected = make(map[sources.Ref]word)
	}
	w, waiting := s.expected[r]
	switch {
	case waiting && w.covers(a):
		return
	case waiting && a.At.Equal(w.at):
		w.versions = append(w.versions, a.Version)
	default:
		w = word{at: a.At, versions: []string{a.Version}}
	}
	w.until = until
	s.expected[r], s.rereads = w, 0
}

// reread gives when to look again for a version that was announced and not seen; zero where there is none.
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
