// Package member has this host take part in the rollouts of its fleet: it has a member for each
// group of services, which knows from their passes what they want and from the loop how they stand.
package member

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/pass"
)

// Options are what Members work with.
type Options struct {
	Host   string // names this host in its fleet
	Disk   disk.System
	State  string // the state directory
	Log    *slog.Logger
	Wake   func(services []string) // has services looked at
	Counts func(kind string)       // is told of each turn
}

// Members are those of this host. They are a pass.Fleet.
type Members struct {
	Options
	mu       sync.Mutex
	groups   map[string]*group
	services map[string]*service
	record   record
	takePart func(*group) // has a group take part; nil before TakePart
}

// A Place is where the hosts of a fleet meet: one of these. The zero Place is nowhere.
type Place struct {
	Table     fleet.Table
	FleetLock string // the base URL of a server
}

// A group is what this host is in one group of its fleet.
type group struct {
	settings fleet.Settings
	member   *fleet.Member
	env      *env
	end      context.CancelFunc
}

// A service is what is known of one that is in a group.
type service struct {
	group    string
	has      pass.Wanted // what it is
	before   pass.Wanted // and was, before the change that it swapped last
	wants    pass.Wanted // what it wants to be; zero: nothing
	ill      bool        // it was not well before that
	stage    stage
	turn     int    // that it has begun its change in
	doing    string // the change that it swapped last; on record
	live     bool   // it did so, or has its turn to tell, in this life of the process
	standing pass.Standing
	known    bool          // standing is what came of doing
	news     chan struct{} // closed, and made anew, when the member has said something
}

// A stage is how far a pass has come that has its turn.
type stage int

const (
	noPass  stage = iota
	trying        // it stages, checks and runs what is to be done before
	waiting       // it would swap its files now
	swapped
)

// New makes Members of what the state directory knows.
func New(o Options) *Members {
	m := &Members{Options: o, groups: make(map[string]*group), services: make(map[string]*service)}
	m.record = m.read()
	return m
}

// Set says which groups there are, by the settings of each, which services are in them, and where
// the hosts meet. What is the same as before goes on.
func (m *Members) Set(groups []fleet.Settings, services map[string]string, at Place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wanted := make(map[string]fleet.Settings)
	for _, s := range groups {
		if s.Host = m.Host; at.Table != nil || at.FleetLock != "" {
			wanted[s.Group] = s
		}
	}
	for name, g := range m.groups {
		if s, there := wanted[name]; !there || s != g.settings || at.FleetLock != g.env.at.FleetLock {
			g.end()
			delete(m.groups, name)
		} else {
			g.env.setTable(at.Table)
		}
	}
	for name, s := range m.services {
		if services[name] != s.group {
			if g := m.groups[s.group]; g != nil {
				g.member.Forget(name)
			}
			delete(m.services, name)
		}
	}
	for name, of := range services {
		if m.services[name] == nil {
			m.services[name] = &service{group: of, doing: m.record.Doing[name], news: make(chan struct{})}
		}
	}
	for name, s := range wanted {
		if m.groups[name] == nil {
			m.add(name, s, at)
		}
	}
}

// add adds a group. The caller holds the lock.
func (m *Members) add(name string, s fleet.Settings, at Place) {
	env, err := newEnv(m, s, at)
	if err != nil {
		m.Log.Error("the fleet cannot be asked", "group", name, "err", err)
		return
	}
	g := &group{settings: s, env: env, end: func() {}}
	g.member = fleet.NewMember(s, env, m.record.Groups[name])
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
		run(g.member.Run)
	}
	for _, g := range m.groups {
		m.takePart(g)
	}
}

// of gives a service and its group. The caller holds the lock.
func (m *Members) of(name string) (*service, *group) {
	s := m.services[name]
	if s == nil {
		return nil, nil
	}
	return s, m.groups[s.group]
}

// noPlace is why a service waits whose fleet has no place to meet.
const noPlace = "waits for its fleet, whose table cannot be asked"

// Turn gives why it is not the turn of a service; nil: it is.
func (m *Members) Turn(w pass.Wanted) *pass.Hold {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(w.Service)
	if g == nil {
		return &pass.Hold{Turn: noPlace}
	}
	s.wants, s.ill = w, w.Ill
	if s.stage == noPass {
		s.live = s.live && s.doing == w.Change
	}
	m.say(w.Service, s, g)
	if n := g.member.Granted(w.Service, w.Change); n > 0 && n != s.turn {
		s.turn, s.stage, s.live = n, trying, true
		m.say(w.Service, s, g)
		return nil
	}
	return waits(g.member, w.Service)
}

// waits says why a service waits.
func waits(member *fleet.Member, service string) *pass.Hold {
	st, known := member.Standing(service)
	if !known || st.Why == "" {
		return &pass.Hold{Turn: "waits for its turn in the fleet"}
	}
	h := &pass.Hold{Turn: st.Why, Halted: st.Halted}
	if h.Halted {
		h.Hints = []string{"mend it, or  rendered fleet resume " + service + "  ; rendered fleet status  says more"}
	}
	return h
}

// Tells gives why a service may not tell its dependents yet what it has written in an earlier life
// of the process; nil: it may.
func (m *Members) Tells(name string) *pass.Hold {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(name)
	if g == nil {
		return &pass.Hold{Turn: noPlace}
	}
	if s.doing == "" { // whose record is lost owes everything
		s.doing = unknown
	}
	s.standing.Owed = true
	s.known = true
	m.say(name, s, g)
	if g.member.Granted(name, s.doing) > 0 {
		s.live = true
		m.say(name, s, g)
		return nil
	}
	return &pass.Hold{Turn: "waits for a turn in the fleet, to tell its dependents"}
}

// unknown is the change of a service whose record is lost.
const unknown = "unknown"

// errNoTurn is why a pass that had its turn writes nothing.
var errNoTurn = errors.New("its turn in the fleet is over before its files could be swapped")

// Begin returns when the service may swap its files at once.
func (m *Members) Begin(ctx context.Context, name string) error {
	for {
		may, news, err := m.maySwap(name)
		if may || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		}
	}
}

// maySwap tells whether the service may swap now, or when to ask again.
func (m *Members) maySwap(name string) (may bool, news <-chan struct{}, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(name)
	if g == nil {
		return false, nil, errNoTurn
	}
	if g.member.Granted(name, s.wants.Change) != s.turn {
		return false, nil, errNoTurn
	}
	if s.stage != waiting {
		s.stage = waiting
		m.say(name, s, g)
	}
	before := g.member.MaySwap(name, s.wants.Change)
	if before <= now() {
		return false, s.news, nil
	}
	was := s.doing
	s.doing = s.wants.Change
	if err := m.write(); err != nil {
		s.doing = was
		return false, nil, err
	}
	if now() >= before {
		return false, s.news, nil
	}
	s.stage, s.known, s.before = swapped, false, s.has
	m.say(name, s, g)
	return true, nil, nil
}

// Ended notes that a pass that had its turn has ended.
func (m *Members) Ended(name string, done bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(name)
	if g == nil {
		return
	}
	if s.stage = noPass; !done {
		s.live, s.wants = false, pass.Wanted{}
	}
	m.say(name, s, g)
}

// Has notes what a service is, which wants nothing else.
func (m *Members) Has(w pass.Wanted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(w.Service)
	if g == nil {
		return
	}
	if s.has = w; s.stage == noPass {
		s.wants = pass.Wanted{}
	}
	m.say(w.Service, s, g)
}

// Stands notes how a service stands that has no pass at work.
func (m *Members) Stands(st pass.Standing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(st.Service)
	if g == nil || s.stage != noPass || s.known && s.standing == st {
		return
	}
	s.standing, s.known = st, true
	if st.Stage.Back() && s.has.Change == s.doing {
		s.has = s.before
	}
	m.say(st.Service, s, g)
}

// heard has those know that the member has granted or revoked something.
func (m *Members) heard(names []string) {
	m.mu.Lock()
	for _, name := range names {
		s, g := m.of(name)
		if g == nil {
			continue
		}
		close(s.news)
		s.news = make(chan struct{})
		if s.phase() == fleet.Owing && g.member.Granted(name, s.doing) > 0 {
			s.live = true
			m.say(name, s, g)
		}
		if s.stage == noPass && s.live && g.member.Granted(name, s.doing) == 0 && s.phase().Ended() {
			s.live = false // the member has seen what came of it
			if s.standing.Stage == pass.Settled {
				s.doing = ""
			}
			m.say(name, s, g)
		}
	}
	m.mu.Unlock()
	m.Wake(names)
}

// phase gives how far a service has come with its change.
func (s *service) phase() fleet.Phase {
	switch {
	case s.stage == waiting:
		return fleet.Ready
	case s.stage == swapped || s.live && !s.known && s.stage == noPass:
		return fleet.Working
	case s.stage == trying:
		return fleet.Waiting
	case s.wants.Change != "" && s.wants.Change != s.doing:
		return fleet.Waiting
	case s.doing == "":
		return fleet.Idle
	}
	switch st := s.standing; {
	case st.Stage == pass.Rejected:
		return fleet.Back
	case st.Stage == pass.Unwell, st.Failing:
		return fleet.Ill
	case st.Stage == pass.Reverting, st.Stage == pass.Reverted:
		return fleet.Failing
	case st.Stage == pass.Unproven, st.Stage == pass.Retold, st.Owed:
		if s.live {
			return fleet.Working
		}
		return fleet.Owing
	case s.live:
		return fleet.Well
	}
	return fleet.Idle
}

// say has the member know how a service stands. The caller holds the lock.
func (m *Members) say(name string, s *service, g *group) {
	w := fleet.Wish{Phase: s.phase(), Change: s.doing, Ill: s.ill, Why: s.standing.Failure, Has: s.has.Change, Versions: s.has.Versions}
	switch w.Phase {
	case fleet.Idle:
		w.Change = s.has.Change
	case fleet.Waiting, fleet.Ready:
		w.Change = s.wants.Change
	}
	if g.member.Say(name, w) {
		g.env.wake()
	}
}

// now is the time since the machine's start.
func now() time.Duration { return sinceBoot() }
