package fleet

import (
	"maps"
	"slices"
	"time"
)

// A grant is that a service may go as far as its swap, once.
type grant struct {
	change string
	number int
	bake   time.Duration // for which it is to stay well, as it goes first
}

// A Leave is that a service may swap its files, if it begins before a time.
type Leave struct {
	Change string
	Before time.Duration
}

// Granted gives the number of a turn in which a service may go as far as its swap with a change,
// once; 0: it may not.
func (m *Member) Granted(service, change string) int { return m.grantOf(service, change).number }

// Bakes gives for how long a service is to stay well with a change, as it goes first with it; 0: it
// does not.
func (m *Member) Bakes(service, change string) time.Duration { return m.grantOf(service, change).bake }

// grantOf gives what is granted to a service for a change; the zero grant is nothing.
func (m *Member) grantOf(service, change string) grant {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.granted[service]; g.change == change {
		return g
	}
	return grant{}
}

// MaySwap gives the time before which a service may begin its swap; 0: it may not, or not yet.
func (m *Member) MaySwap(service, change string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.swapping[service]; l.Change == change {
		return l.Before
	}
	return 0
}

// grant lets services go as far as their swaps. One of them may go first.
func (m *Member) grant(services map[string]string, first string) {
	m.mu.Lock()
	m.grants++
	for service, change := range services {
		g := grant{change: change, number: m.grants}
		if service == first {
			g.bake = m.Bake
		}
		m.granted[service] = g
		delete(m.standing, service)
	}
	m.mu.Unlock()
	m.env.Wake(slices.Sorted(maps.Keys(services)))
}

// revoke takes that back, and has who waits for its swap know.
func (m *Member) revoke(services ...string) {
	m.mu.Lock()
	for _, service := range services {
		delete(m.granted, service)
		delete(m.swapping, service)
	}
	m.mu.Unlock()
	m.env.Wake(services)
}

func (m *Member) leave(service string, l Leave) {
	m.mu.Lock()
	m.swapping[service] = l
	m.mu.Unlock()
	m.env.Wake([]string{service})
}
