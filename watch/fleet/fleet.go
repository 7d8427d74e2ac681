// Package fleet has the hosts of a fleet make one change a few at a time: one first, which is to be
// well for a while, then as many at once as the config allows. Where one is not well nobody else
// begins. There is no server but a table that all of them can write to.
//
// A member is what one host is in one group. Its protocol is written as what it does, one after the
// other: await.go, gate.go and forced.go are how it comes to a turn, turn.go, slot.go and halt.go
// what it does in one. docs/fleet.md says what it promises.
package fleet

import (
	"maps"
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

// A Standing is why a service waits with a change.
type Standing struct {
	Why    string // "": that is not known
	Halted bool   // somebody is to resume or thaw it
	Frozen bool   // that is thaw
	change string
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
	delete(m.standing, service)
}

// Standing gives why a service waits with a change.
func (m *Member) Standing(service, change string) Standing {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.standing[service]; s.change == change {
		return s
	}
	return Standing{}
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
