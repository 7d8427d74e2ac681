// Package member has this host take part in the rollouts of its fleet: it has a member for each
// group of services, which knows from their passes what they want and from the loop how they stand.
package member

import (
	"cmp"
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
	Waited func(time.Duration)     // is told how long a service wanted a change before its swap
	Now    func() time.Duration    // since the machine's start; nil: by its clock
}

// Members are those of this host. They are a pass.Fleet.
type Members struct {
	Options
	writing  sync.Mutex // of the record; taken before mu
	mu       sync.Mutex // of the rest; the loop takes it, so that nobody waits for a disk in it
	groups   map[string]*group
	services map[string]*service
	record   record
	takePart func(*group) // has a group take part; nil before TakePart
}

// New makes Members of what the state directory knows.
func New(o Options) *Members {
	if o.Now == nil {
		o.Now = sinceBoot
	}
	m := &Members{Options: o, groups: make(map[string]*group), services: make(map[string]*service)}
	m.record = m.read()
	return m
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
	s.wants, s.ill = w, w.Ill || s.did() == fleet.Ill // with its old files, too, that were put back
	if s.asked.change != w.Change {
		s.asked = asked{w.Change, m.Now()}
	}
	s.over(w.Service, g)
	m.say(w.Service, s, g)
	if n := g.member.Granted(w.Service, w.Change); n > 0 && n != s.turn {
		s.turn, s.stage = n, trying
		m.say(w.Service, s, g)
		return nil
	}
	return waits(g.member, w)
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
func waits(member *fleet.Member, w pass.Wanted) *pass.Hold {
	st := member.Standing(w.Service, w.Change)
	h := &pass.Hold{Turn: cmp.Or(st.Why, "waits for its turn in the fleet"), Halted: st.Halted}
	switch {
	case st.Halted && st.Frozen:
		h.Hints = []string{"it ends by  rendered fleet thaw"}
	case st.Halted:
		h.Hints = []string{"mend it, or  rendered fleet resume " + w.Service + "  ; rendered fleet status  says more"}
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
	if before := g.member.MaySwap(name, s.wants.Change); before <= m.Now() {
		return false, s.news, nil
	}
	was := s.made
	s.Doing, s.Before = s.wants.Change, s.Has
	m.mu.Unlock()
	err := m.write()
	m.mu.Lock()
	is, g := m.of(name) // while it was written the config may have changed
	if err == nil && is == s && g != nil && m.Now() < g.member.MaySwap(name, s.wants.Change) {
		s.stage, s.known, s.live = swapped, false, true
		m.say(name, s, g)
		m.Waited(m.Now() - s.asked.at)
		s.asked = asked{}
		return true, nil, nil
	}
	s.made = was
	return false, atOnce, err
}

// atOnce has who waits for news ask again: some may have come meanwhile.
var atOnce = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

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
	if m.has(w) {
		_ = m.write() // where that fails the next life notes it again
	}
}

// has tells whether what a service is by now is yet to be put on record.
func (m *Members) has(w pass.Wanted) (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, g := m.of(w.Service)
	if s == nil {
		return false
	}
	if s.stage == noPass {
		s.wants, s.asked = pass.Wanted{}, asked{}
	}
	if news = s.Has.Change != w.Change || !maps.Equal(s.Has.Versions, w.Versions); news {
		s.Has = has{w.Change, w.Versions}
	}
	if g != nil {
		m.say(w.Service, s, g)
	}
	return news
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
		s.Has = s.Before // it is on record when something else is, and else the next life notes it again
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
