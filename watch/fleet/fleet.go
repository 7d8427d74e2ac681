// Package fleet has the hosts of a fleet make one change a few at a time: one first, which is to be
// well for a while, then as many at once as the config allows. Where one is not well nobody else
// begins. There is no server but a table that all of them can write to.
//
// A member is what one host is in one group. Its protocol is written as what it does, one after the
// other, in await.go, turn.go and forced.go. docs/fleet.md says what it promises.
package fleet

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Settings are what the config says of a group.
type Settings struct {
	Fleet, Group string
	Host         string // names this one
	Most         Amount // that work at once
	Canary       bool   // one goes first
	Bake         time.Duration
	MaxWait      time.Duration // after which a host goes without a turn
	Hold         bool          // it never does
	Work         time.Duration // the longest that one change may take, from before to healthy
}

// lease is for how long a slot is its holder's unless it says again that it works.
func (s Settings) lease() time.Duration { return max(time.Minute, s.Work+30*time.Second) }

// A Phase is how far a service has come with a change on this host.
type Phase int

// The phases. The host says which it is, at any time.
const (
	Idle    Phase = iota // it has nothing to write
	Unknown              // nobody has looked yet in this life of the process
	Waiting              // it has something to write, and waits for its turn
	Owing                // what it wrote in an earlier life of the process is yet to be told
	Ready                // it has its turn, and would swap its files now
	Working              // its files are swapped, and it is not known yet whether it is well
	Failing              // it was not well, and its old files are being put back
	Back                 // it is well with its old files, and tries the change again when it is let
	Well                 // it is well with the change
	Ill                  // it is not well, and stays so
)

// A Wish is what a service is about on this host.
type Wish struct {
	Change string // names what it is to be, the same on every host; "": nothing
	Phase  Phase
	Ill    bool // it was not well before the change
	// Baked: where it is Well it has stayed so for as long as the settings say.
	Baked bool
	Why   string
	// Has names what the service is, and Versions are those of the lookups that it is made of, for
	// whoever asks which hosts have what; "": it is not known.
	Has      string
	Versions map[string]string
}

// An Env is what a member works in.
type Env interface {
	Table
	// Now is the time since the machine's start, in which it may have slept.
	Now() time.Duration
	// Sleep returns at a time, or when the member is woken; false: it is to end.
	Sleep(until time.Duration) bool
	// Save has what a member remembers outlive the process and the machine.
	Save(Memory) error
	// Locker gives turns in the place of the table; nil: the table does.
	Locker() Locker
	Chance() float64 // at random, from 0 to below 1
	Lease() string   // at random, new each time
	// Wake has the host look at services again, whose turn it is or is not any more.
	Wake(services []string)
	Turn(kind string) // that one begins, for the metrics: KindGranted and the others; "": it ends
	Failed(err error) // why the table was asked in vain, for the log
}

// A Memory is what a member is to know after a restart.
type Memory struct {
	Lease string `json:"lease,omitempty"` // of the slot that is, or may be, this host's
	Slot  int    `json:"slot,omitempty"`
	Kept  bool   `json:"kept,omitempty"` // it is kept, as the host is not well
	// Failed are changes that failed here, and how often somebody had resumed them by then.
	Failed map[string]Mark `json:"failed,omitempty"` // by service
	// Halts are yet to be written.
	Halts []Halt `json:"halts,omitempty"`
	// Halted are changes that were seen to be halted, and Frozen that all are.
	Halted map[string]string `json:"halted,omitempty"` // id by service
	Frozen bool              `json:"frozen,omitempty"`
	// Hosts, Most and Held are what the table said last.
	Hosts int           `json:"hosts,omitempty"`
	Most  int           `json:"most,omitempty"`
	Held  time.Duration `json:"held,omitempty"` // for how long a turn took
}

// A Mark is that a change failed.
type Mark struct {
	Change  string `json:"change"`
	Resumes int64  `json:"resumes"`
}

// A Halt is that a change failed here, which nobody else is to begin.
type Halt struct {
	Service string `json:"service"`
	Change  string `json:"change"`
	Resumes int64  `json:"resumes"`
	Why     string `json:"why"`
}

// A Member takes part in the rollouts of one group.
type Member struct {
	Settings
	env     Env
	clock   clock
	trouble error // why the table was asked in vain last; nil: it was not
	memory  Memory

	silent    time.Duration // since when the table says nothing; below 0: it said something
	refusing  time.Duration // since when it obeys nothing; below 0: it did
	waits     map[string]*wait
	seen      *look
	lost      int           // turns that somebody else got, in a row
	blocked   time.Duration // how long to wait for who halts or freezes to be done; 0: nobody does
	beatAt    time.Duration // when to say next that this host is there
	said      string        // what its services are, as it was said last
	alone     time.Duration // when to go without a turn, as the table is away; 0: it is not
	releasing bool          // the slot of the memory is to be given back

	turn *turn // nil: the host has none

	mu       sync.Mutex
	next     *Settings // that hold when the turn is over; nil: Settings do
	wishes   map[string]Wish
	granted  map[string]grant // what may go as far as its swap, by service
	grants   int              // that there were
	swapping map[string]Leave
	standing map[string]Standing
}

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

// A Standing is why a service waits.
type Standing struct {
	Change string
	Why    string
	Forced string // "": it has, or waits for, its turn; else why it goes without one
	Canary bool
	Halted bool
	At     time.Duration // when it is looked at again
}

// A wait is how long a service has waited for a turn.
type wait struct {
	change string
	since  time.Duration // of the machine
	look   time.Duration // when to look first
	start  int64         // when it began to wait, by the table; 0: that is not known yet
	force  time.Duration // when to go without a turn; 0: not yet
}

// NewMember makes a member.
func NewMember(s Settings, env Env) *Member {
	now := env.Now()
	return &Member{
		Settings: s, env: env, silent: -1, refusing: -1, waits: make(map[string]*wait), wishes: make(map[string]Wish),
		granted: make(map[string]grant), swapping: make(map[string]Leave), standing: make(map[string]Standing), beatAt: now,
	}
}

// Set says what the config has by now. It holds when the member has no turn, and is to be woken.
func (m *Member) Set(s Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next = &s
}

// adopt takes over what the config has by now.
func (m *Member) adopt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.next != nil {
		m.Settings, m.next = *m.next, nil
	}
}

// Say has the member know what a service is about. It tells whether that is another than before:
// then the member is to be woken.
func (m *Member) Say(service string, w Wish) (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, there := m.wishes[service]
	m.wishes[service] = w
	return !there || was.Change != w.Change || was.Phase != w.Phase
}

// Forget has the member know no more of a service.
func (m *Member) Forget(service string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.wishes, service)
}

// Granted gives the number of a turn in which a service may go as far as its swap with a change,
// once; 0: it may not.
func (m *Member) Granted(service, change string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.granted[service]; g.change == change {
		return g.number
	}
	return 0
}

// Bakes gives for how long a service is to stay well with a change, as it goes first with it; 0: it
// does not.
func (m *Member) Bakes(service, change string) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if g := m.granted[service]; g.change == change {
		return g.bake
	}
	return 0
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

// Standing gives why a service waits; false: it does not.
func (m *Member) Standing(service string) (Standing, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, there := m.standing[service]
	return s, there
}

// all gives what the services are about.
func (m *Member) all() map[string]Wish {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.wishes)
}

func (m *Member) wish(service string) Wish {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wishes[service]
}

func (m *Member) stands(service string, s Standing) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.standing[service] = s
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

// update asks the table to change an item.
func (m *Member) update(u Update) Answer {
	sent := m.env.Now()
	a := m.env.Update(u)
	m.answered(a, sent)
	return a
}

// query asks the table for items.
func (m *Member) query(q Query) Answer {
	sent := m.env.Now()
	a := m.env.Query(q)
	m.answered(a, sent)
	return a
}

// answered notes what the table says. That it has too much to do is an answer.
func (m *Member) answered(a Answer, sent time.Duration) {
	now := m.env.Now()
	switch {
	case !a.Silent:
		m.silent = -1
	case m.silent < 0:
		m.silent = sent
	}
	switch {
	case a.Err == nil:
		m.refusing = -1
	case m.refusing < 0:
		m.refusing = sent
	}
	m.clock.heard(a, sent, now)
	if m.trouble = a.Err; a.Err != nil {
		m.env.Failed(a.Err)
	}
}

// away is how long the table says nothing before its hosts go by themselves.
const away = 2 * time.Minute

// isAway tells whether the table has said nothing for long, though it was asked, or nothing that is
// of any use for as long as a host waits at most.
func (m *Member) isAway() bool {
	now := m.env.Now()
	return m.silent >= 0 && now-m.silent >= away || m.refusing >= 0 && now-m.refusing >= m.MaxWait
}

func (m *Member) part() string { return PartOf(m.Fleet, m.Group) }

// save puts on durable record what is remembered.
func (m *Member) save() bool { return m.env.Save(m.memory) == nil }

// Kinds of turns: that which a host is given, and those that it takes by itself.
const (
	KindGranted = "granted"
	KindAway    = "away" // the table has not answered for long
	KindLate    = "late" // nothing has moved on for long
)

// beatEach is how often a host says that it is there, while nothing changes.
const beatEach = 24 * time.Hour

// Run takes part until the member is to end, and knows what an earlier one has to be known of.
func (m *Member) Run(memory Memory) {
	m.memory, m.releasing = memory, memory.Lease != "" && !memory.Kept
	for {
		t, next := m.await()
		if t != nil {
			next = m.env.Now()
			if !m.take(t) {
				return
			}
		}
		if !m.env.Sleep(next) {
			return
		}
	}
}

// Unfinished tells whether what was swapped has yet to come to an end.
func (p Phase) Unfinished() bool { return p == Owing || p == Working || p == Failing }

// Ended tells whether nothing more is to come of a change.
func (p Phase) Ended() bool { return p == Back || p == Well || p == Ill }
