package watch

import (
	"time"

	"github.com/rendered/rendered/sources"
)

// An Announcement says that something changed at its source. It is a hint: it may come twice, late, in another order, or never.
type Announcement struct {
	Matches func(sources.Ref) bool
	Version string // of the secret, as Value.Version; "" where that is not said
}

const (
	// announcedFor is how long an announced version is waited for: AWS's reads are consistent in the end only.
	announcedFor = 30 * time.Second
	// announcedSplay is the part of a service's splay that an announcement waits for: a fleet hears of a rotation at once.
	announcedSplay = 10
)

// Announced says that these changed. Services that look one of them up are due after the settle time and a part of their splay, and
// again until they have seen the version that was announced, for 30 seconds at most.
func (l *Loop) Announced(list []Announcement) { l.send(announced{list}) }

func (l *Loop) announced(list []Announcement, now time.Time) {
	for _, svc := range l.plan.Services {
		s := l.states[svc.Name]
		at := now.Add(l.plan.Settle + svc.Splay/announcedSplay)
		for _, r := range append(svc.Refs(), s.asked...) {
			for _, a := range list {
				if !a.Matches(r) {
					continue
				}
				s.look = earliest(s.look, at)
				if a.Version != "" && r.Kind == sources.Secret && r.Selector == "" {
					s.expect(r, expected{a.Version, at.Add(announcedFor)})
				}
			}
		}
	}
}

// An expected is a version that was announced, and until when it is waited for.
type expected struct {
	version string
	until   time.Time
}

func (s *state) expect(r sources.Ref, e expected) {
	if s.expected == nil {
		s.expected = make(map[sources.Ref]expected)
	}
	s.expected[r], s.rereads = e, 0
}

// reread gives when to look again for a version that was announced and not seen; zero where there is none.
func (s *state) reread(now time.Time) time.Time {
	for r, e := range s.expected {
		if version, ok := s.snapshot.Version(r); ok && version == e.version || !now.Before(e.until) {
			delete(s.expected, r)
		}
	}
	if len(s.expected) == 0 {
		return time.Time{}
	}
	s.rereads++
	return now.Add(min(time.Second<<(s.rereads-1), announcedFor/3))
}
