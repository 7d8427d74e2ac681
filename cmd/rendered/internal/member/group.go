package member

import (
	"context"

	"github.com/rendered/rendered/watch/fleet"
)

// A Place is where the hosts of a fleet meet: one of these. The zero Place is nowhere.
type Place struct {
	Table     fleet.Table
	FleetLock string // the base URL of a server
}

// A group is what this host is in one group of its fleet.
type group struct {
	fleet  string
	member *fleet.Member
	env    *env
	end    context.CancelFunc
	ended  chan struct{}   // closed when it has
	before <-chan struct{} // that of the same name which is to end first; nil: there is none
}

// Set says which groups there are, by the settings of each, which services are in them, and where
// the hosts meet. A turn that is under way goes on.
func (m *Members) Set(groups []fleet.Settings, services map[string]string, at Place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := make(map[string]fleet.Settings)
	for _, s := range groups {
		if s.Host = m.Host; at.Table != nil || at.FleetLock != "" {
			wanted[s.Group] = s
		}
	}
	ended := m.endGroups(wanted, at)
	for name, s := range m.services {
		g := m.groups[s.group]
		if services[name] != s.group {
			if g != nil {
				g.member.Forget(name)
			}
			delete(m.services, name)
		}
		if g == nil || services[name] != s.group {
			s.turn = 0
			s.heard() // whoever waits for its swap has no turn any more
		}
	}
	for name, of := range services {
		if m.services[name] == nil {
			m.services[name] = &service{group: of, made: m.record.Services[name], news: make(chan struct{})}
		}
	}
	for name, s := range wanted {
		if g := m.groups[name]; g != nil {
			g.env.setTable(at.Table)
			g.member.Set(s)
			g.env.wake()
		} else {
			m.add(name, s, at, ended[name])
		}
	}
	for name, s := range m.services {
		if g := m.groups[s.group]; g != nil {
			m.say(name, s, g)
		}
	}
}

// endGroups ends those that are not wanted as they are, and gives when each has ended.
func (m *Members) endGroups(wanted map[string]fleet.Settings, at Place) map[string]<-chan struct{} {
	ended := make(map[string]<-chan struct{})
	for name, g := range m.groups {
		if s, there := wanted[name]; !there || s.Fleet != g.fleet || at.FleetLock != g.env.at.FleetLock {
			g.end()
			if delete(m.groups, name); m.takePart != nil {
				ended[name] = g.ended
			}
		}
	}
	return ended
}

// add adds a group, which begins when that of its name before has ended. The caller holds the lock.
func (m *Members) add(name string, s fleet.Settings, at Place, before <-chan struct{}) {
	env, err := newEnv(m, s, at)
	if err != nil {
		m.Log.Error("the fleet cannot be asked", "group", name, "err", err)
		return
	}
	g := &group{fleet: s.Fleet, env: env, end: func() {}, ended: make(chan struct{}), before: before}
	g.member = fleet.NewMember(s, env)
	for service, is := range m.services {
		if is.group == name {
			m.say(service, is, g)
		}
	}
	if m.groups[name] = g; m.takePart != nil {
		m.takePart(g)
	}
}

// TakePart has this host take part until ctx ends. Run runs a function beside everything else.
func (m *Members) TakePart(ctx context.Context, run func(func())) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takePart = func(g *group) {
		ctx, end := context.WithCancel(ctx)
		g.end, g.env.ctx = end, ctx
		run(func() {
			defer close(g.ended)
			if g.before != nil {
				<-g.before
			}
			g.member.Run(m.memoryOf(g.env.group))
		})
	}
	for _, g := range m.groups {
		m.takePart(g)
	}
}

func (m *Members) memoryOf(group string) fleet.Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record.Groups[group]
}
