// Package member has this host take part in the rollouts of its fleet: it has a member for each
// group of services, which knows from their passes what they want and from the loop how they stand.
package member

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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
	Now    func() time.Duration    // since the machine's start; nil: by its clock
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
	fleet  string
	member *fleet.Member
	env    *env
	end    context.CancelFunc
	ended  chan struct{}   // closed when it has
	before <-chan struct{} // that of the same name which is to end first; nil: there is none
}

// A service is what is known of one that is in a group.
type service struct {
	group string
	made
	wants    pass.Wanted // what it wants to be; zero: nothing
	ill      bool        // it was not well before that
	stage    stage
	turn     int  // that it has begun its change in
	live     bool // Doing is of this life of the process, or has its turn to be told
	standing pass.Standing
	known    bool          // standing is of this life of the process, and of Doing
	news     chan struct{} // closed, and made anew, when the member has said something
}

// A made is what a service was made, as far as the process is to know it after a restart.
type made struct {
	Doing  string `json:"doing,omitempty"` // the change that it swapped last, which is not known to be well
	Has    has    `json:"has,omitzero"`
	Before has    `json:"before,omitzero"` // what it was before Doing
}

// A has is what a service is.
type has struct {
	Change   string            `json:"change,omitempty"`
	Versions map[string]string `json:"versions,omitempty"`
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
	if o.Now == nil {
		o.Now = sinceBoot
	}
	m := &Members{Options: o, groups: make(map[string]*group), services: make(map[string]*service)}
	m.record = m.read()
	return m
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
			ended[name] = g.ended
			delete(m.groups, name)
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
	s.over(w.Service, g)
	m.say(w.Service, s, g)
	if n := g.member.Granted(w.Service, w.Change); n > 0 && n != s.turn {
		s.turn, s.stage = n, trying
		m.say(w.Service, s, g)
		return nil
	}
	return waits(g.member, w.Service)
}

// Rests notes that a service has ended a pass without asking for anything, or has none: whatever it
// wanted before, it could not use a turn.
func (m *Members) Rests(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, g := m.of(name); g != nil && s.stage == noPass && s.wants.Change != "" {
		s.wants = pass.Wanted{}
		m.say(name, s, g)
	}
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
	if s.Doing == "" { // whose record is lost owes everything
		s.Doing = unknown
	}
	s.standing.Owed, s.known = true, true
	m.say(name, s, g)
	if g.member.Granted(name, s.Doing) > 0 {
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
	if n := g.member.Granted(name, s.wants.Change); n == 0 || n != s.turn {
		return false, nil, errNoTurn
	}
	if s.stage != waiting {
		s.stage = waiting
		m.say(name, s, g)
	}
	before := g.member.MaySwap(name, s.wants.Change)
	if before <= m.Now() {
		return false, s.news, nil
	}
	was := s.made
	s.Doing, s.Before = s.wants.Change, s.Has
	err := m.write()
	if err != nil || m.Now() >= before { // it takes long to write
		s.made = was
		return false, s.news, err
	}
	s.stage, s.known, s.live = swapped, false, true
	m.say(name, s, g)
	return true, nil, nil
}

// Ended notes that a pass that had its turn has ended.
func (m *Members) Ended(name string, done bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(name)
	if s == nil {
		return
	}
	if s.stage == swapped && !done { // the record would not take it
		s.Doing, s.live = "", false
	}
	s.stage, s.wants = noPass, pass.Wanted{}
	if g != nil {
		m.say(name, s, g)
	}
}

// Has notes what a service is, which wants nothing else.
func (m *Members) Has(w pass.Wanted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(w.Service)
	if s == nil {
		return
	}
	if s.stage == noPass {
		s.wants = pass.Wanted{}
	}
	m.is(s, has{w.Change, w.Versions})
	if g != nil {
		m.say(w.Service, s, g)
	}
}

// is notes what a service is, also on record. Where that fails the next life notes it again.
func (m *Members) is(s *service, h has) {
	if s.Has.Change == h.Change && maps.Equal(s.Has.Versions, h.Versions) {
		return
	}
	s.Has = h
	_ = m.write()
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
	if st.Stage.Back() && s.Has.Change == s.Doing {
		m.is(s, s.Before)
	}
	s.over(st.Service, g)
	m.say(st.Service, s, g)
}

// Bake gives for how long a service is to stay well, as it goes first with its change; 0: it does
// not.
func (m *Members) Bake(name string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, g := m.of(name); g != nil && s.live {
		return g.member.Bakes(name, s.Doing)
	}
	return 0
}

// heard has those know that the member has granted or revoked something.
func (m *Members) heard(names []string) {
	m.mu.Lock()
	for _, name := range names {
		s, g := m.of(name)
		if g == nil {
			continue
		}
		s.heard()
		switch granted := g.member.Granted(name, s.Doing) > 0; {
		case s.phase() == fleet.Owing && granted:
			s.live = true
		case s.stage == noPass && s.live && !granted && s.phase().Ended():
			s.live = false // the member has seen what came of it
		}
		s.over(name, g)
		m.say(name, s, g)
	}
	m.mu.Unlock()
	m.Wake(names)
}

func (s *service) heard() {
	close(s.news)
	s.news = make(chan struct{})
}

// over notes that nothing is left of what a service has swapped.
func (s *service) over(name string, g *group) {
	st := s.standing
	if s.stage == noPass && s.known && st.Stage == pass.Settled && !st.Owed && !st.Failing && g.member.Granted(name, s.Doing) == 0 {
		s.live, s.Doing = false, ""
	}
}

// phase gives how far a service has come with its change. What it has swapped comes to an end
// before anything else.
func (s *service) phase() fleet.Phase {
	switch {
	case s.stage == waiting:
		return fleet.Ready
	case s.stage == swapped || s.live && !s.known:
		return fleet.Working
	case s.stage == trying:
		return fleet.Waiting
	case !s.known && s.wants.Change == "":
		return fleet.Unknown
	}
	switch did := s.did(); {
	case did.Unfinished(), s.live, s.wants.Change == "", did == fleet.Back && s.wants.Change == s.Doing:
		return did
	}
	return fleet.Waiting
}

// did gives what came of what a service has swapped.
func (s *service) did() fleet.Phase {
	st := s.standing
	switch {
	case s.Doing == "" || !s.known:
		return fleet.Idle
	case st.Failing, st.Stage == pass.Unwell:
		return fleet.Ill
	case st.Stage == pass.Rejected:
		return fleet.Back
	case st.Stage == pass.Reverting, st.Stage == pass.Reverted:
		return fleet.Failing
	case (st.Owed || st.Stage != pass.Settled) && s.live:
		return fleet.Working
	case st.Owed, st.Stage != pass.Settled:
		return fleet.Owing
	case s.live:
		return fleet.Well
	}
	return fleet.Idle
}

// say has the member know how a service stands. The caller holds the lock.
func (m *Members) say(name string, s *service, g *group) {
	w := fleet.Wish{Phase: s.phase(), Change: s.Doing, Ill: s.ill, Baked: s.standing.Probed, Why: s.standing.Failure, Has: s.Has.Change, Versions: s.Has.Versions}
	switch w.Phase {
	case fleet.Idle:
		w.Change = s.Has.Change
	case fleet.Waiting, fleet.Ready:
		w.Change = s.wants.Change
	}
	if g.member.Say(name, w) {
		g.env.wake()
	}
}
