package fleet

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// A host has a member, whose protocol is a coroutine, and a daemon with services, in outline: it
// takes a change through the steps that a pass and a rollout have.
type host struct {
	w        *world
	number   int
	name     string
	born     time.Duration
	drift    float64 // of its clock
	member   *Member
	memory   Memory // on disk
	life     int
	dead     bool          // for good
	down     bool          // for now
	asleep   time.Duration // until when the machine sleeps
	cut      span          // when it cannot reach the table
	full     bool          // its disk is
	next     func() (request, bool)
	stop     func()
	yield    func(request) bool
	ended    bool
	answer   Answer
	sleeps   int
	sleeping bool
	woken    bool
	requests int
	forced   map[string]int
	services map[string]*service
	atWork   bool
	inherits string // the lease that a life is to go on with
}

// A service is one of a host.
type service struct {
	h      *host
	name   string
	has    string // the change that its files are of
	before string // and were, before the change
	want   string
	tried  string // failed here
	ill    bool   // it is not well with what it has
	phase  Phase
	change string // what it is about
	used   int    // the turn that it has begun its change in
	begun  int    // counts, so that what was begun before something else does nothing
	owed   bool   // on disk: it is not known yet whether it is well
	getsAt time.Duration
}

// A request is what a coroutine asks of the world.
type request struct {
	update *Update
	query  *Query
	until  time.Duration
}

// For how long the steps of a change take.
const (
	passTakes   = 300 * time.Millisecond
	beforeTakes = 10 * time.Second
	swapTakes   = 20 * time.Millisecond
	noticesTake = 5 * time.Second
	healthyFor  = 10 * time.Second
	backTakes   = 20 * time.Second
)

func (w *world) addHost(services ...string) *host {
	h := &host{w: w, number: len(w.hosts), name: fmt.Sprintf("h%05d", len(w.hosts)), born: w.now - time.Hour, services: make(map[string]*service), forced: make(map[string]int)}
	for _, name := range services {
		h.services[name] = &service{h: h, name: name, has: w.want[name], want: w.want[name]}
	}
	w.hosts = append(w.hosts, h)
	h.start()
	return h
}

func (h *host) cutOff(now time.Duration) bool { return now >= h.cut.from && now < h.cut.to }

// start begins a life of the daemon.
func (h *host) start() {
	h.life++
	h.down, h.ended, h.sleeping, h.woken = false, false, false, false
	s := h.w.settings
	s.Host = h.name
	if h.w.planted == "no bake" {
		s.Bake = 0
	}
	h.member = NewMember(s, h)
	memory := h.w.remembered(h.memory)
	for _, s := range h.sorted() {
		h.member.Say(s.name, Wish{Phase: Unknown, Has: s.has})
		s.begun++
		s.used = 0
		if s.phase = Idle; s.owed {
			s.phase = Owing
		}
		if s.ill && !s.owed {
			s.phase = Ill
		}
		s.later(passTakes+time.Duration(h.w.chance.IntN(5000))*time.Millisecond, s.look)
	}
	h.next, h.stop = iter.Pull(func(yield func(request) bool) {
		h.yield = yield
		h.member.Run(memory)
	})
	h.resume(Answer{})
}

func (h *host) sorted() []*service {
	var list []*service
	for _, name := range slices.Sorted(maps.Keys(h.services)) {
		list = append(list, h.services[name])
	}
	return list
}

// crash ends a life at whatever it does.
func (h *host) crash(forgets bool) {
	if h.down || h.dead {
		return
	}
	h.w.note("%s is killed", h.name)
	h.life++
	h.down, h.ended = true, true
	h.stop()
	h.stopsWork()
	if forgets {
		h.memory = Memory{}
		for _, s := range h.services {
			s.tried = ""
			s.owed = true // whose record is gone owes everything
		}
	}
	if h.inherits = ""; !forgets && h.memory.Lease != "" && !h.memory.Kept {
		h.inherits = h.memory.Lease
	}
}

func (h *host) stopsWork() {
	if h.atWork {
		h.atWork = false
		h.w.atWork--
	}
}

// then does something after a while, in this life, and not while the machine sleeps.
func (h *host) then(d time.Duration, do func()) {
	life := h.life
	var try func()
	try = func() {
		switch {
		case h.life != life:
		case h.asleep > h.w.now:
			h.w.at(h.asleep, try)
		default:
			do()
		}
	}
	h.w.after(d, try)
}

// resume has the coroutine go on to its next request.
func (h *host) resume(a Answer) {
	h.answer = a
	r, more := h.next()
	if !more {
		return
	}
	switch {
	case r.update != nil:
		u := *r.update
		h.w.ask(h, func() Answer { return h.w.update(u) }, true, h.answered(u))
	case r.query != nil:
		q := *r.query
		h.w.ask(h, func() Answer { return h.w.query(q) }, false, h.answered(Update{}))
	default:
		h.rest(r.until)
	}
}

// answered has the coroutine go on with an answer.
func (h *host) answered(u Update) func(Answer) {
	life := h.life
	return func(a Answer) {
		if h.life == life {
			h.w.noteAnswer(h, u, a)
			h.then(0, func() { h.resume(a) })
		}
	}
}

// rest has the coroutine go on at a time, or when it is woken.
func (h *host) rest(until time.Duration) {
	h.sleeps++
	sleep := h.sleeps
	h.sleeping = true
	wake := func() {
		if h.sleeping && h.sleeps == sleep {
			h.sleeping = false
			h.resume(Answer{})
		}
	}
	if h.woken {
		h.woken = false
		h.then(0, wake)
		return
	}
	h.then(max(h.worldTime(until)-h.w.now, time.Millisecond), wake)
}

func (h *host) wake() {
	if !h.sleeping {
		h.woken = true
		return
	}
	sleep := h.sleeps
	h.then(0, func() {
		if h.sleeping && h.sleeps == sleep {
			h.sleeping = false
			h.resume(Answer{})
		}
	})
}

// Now and the others are what the member works in.
func (h *host) Now() time.Duration {
	return time.Duration(float64(h.w.now-h.born) * (1 + h.drift))
}

func (h *host) worldTime(now time.Duration) time.Duration {
	return h.born + time.Duration(float64(now)/(1+h.drift))
}

func (h *host) asks(r request) bool {
	if h.ended || !h.yield(r) {
		h.ended = true
		return false
	}
	return true
}

func (h *host) Update(u Update) Answer {
	u = h.w.plantedUpdate(u)
	if !h.asks(request{update: &u}) {
		return Answer{Err: errSilent, Silent: true}
	}
	return h.answer
}

func (h *host) Query(q Query) Answer {
	if !h.asks(request{query: &q}) {
		return Answer{Err: errSilent, Silent: true}
	}
	return h.w.plantedAnswer(h, h.answer)
}

func (h *host) Sleep(until time.Duration) bool { return h.asks(request{until: until}) }

func (h *host) Save(m Memory) error {
	if h.ended {
		return errSilent
	}
	if h.full {
		return errSilent
	}
	m.Failed, m.Halts, m.Halted = maps.Clone(m.Failed), slices.Clone(m.Halts), maps.Clone(m.Halted)
	h.memory = m
	return nil
}

func (h *host) Chance() float64 { return h.w.chance.Float64() }

func (h *host) Lease() string { return fmt.Sprintf("%016x", h.w.chance.Uint64()) }

func (h *host) Turn(kind string) {
	switch {
	case h.ended:
	case kind != "":
		h.forced[kind]++
		h.atWork = true
		h.w.atWork++
		h.w.most = max(h.w.most, h.w.atWork)
		h.w.note("%s has a turn: %s", h.name, kind)
	default:
		h.stopsWork()
		h.w.judgeTurn(h)
		h.w.note("%s has no turn any more", h.name)
	}
}

func (h *host) Failed(error) {}

func (h *host) Locker() Locker {
	if h.w.locks == nil {
		return nil
	}
	return h
}

// Acquire and Release ask a semaphore that answers at once.
func (h *host) Acquire() (held bool, why string, err error) {
	if h.ended || h.w.isAway() {
		return false, "", errSilent
	}
	if h.w.locks[h.name] || len(h.w.locks) < h.w.settings.Most.Number {
		h.w.locks[h.name] = true
		return true, "", nil
	}
	return false, "full", nil
}

func (h *host) Release() error {
	if h.ended || h.w.isAway() {
		return errSilent
	}
	delete(h.w.locks, h.name)
	return nil
}

func (h *host) Wake(services []string) {
	if h.ended {
		return
	}
	for _, name := range services {
		if s := h.services[name]; s != nil {
			h.then(time.Millisecond, s.heard)
		}
	}
}

// wants has a service be another.
func (h *host) wants(service, change string) {
	s := h.services[service]
	if s == nil {
		return
	}
	s.want = change
	if !h.down && !h.dead {
		h.then(0, s.look)
	}
}

// say has the member know how the service stands.
func (s *service) say() {
	w := Wish{Has: s.has, Change: s.change, Phase: s.phase, Ill: s.ill, Why: "it answers 502"}
	switch s.phase {
	case Idle:
		w.Change = s.has
	case preparing:
		w.Phase = Waiting
	case Working:
		if s.h.w.planted == "released early" {
			w.Phase = Well
		}
	}
	if s.h.member.Say(s.name, w) {
		s.h.wake()
	}
}

// look finds what the service is about.
func (s *service) look() {
	switch s.phase {
	case Well, Back, Ill:
		if turn := s.h.member.Granted(s.name, s.change); turn > 0 && turn == s.used {
			return // the member has not seen that it is
		}
		fallthrough
	case Idle, Waiting, preparing, Ready:
		s.wish()
	case Owing:
		s.change = s.has
	}
	s.say()
	s.poke()
}

// wish has a service that may be about something else be about what it wants.
func (s *service) wish() {
	is := Waiting
	switch {
	case s.want == s.has && s.phase.waits(), s.want == s.has && (s.phase == preparing || s.phase == Ready):
		s.begun++
		s.phase = Idle
		return
	case s.want == s.has:
		return
	case s.want == s.tried:
		is = Back
	}
	if s.change != s.want || s.phase != preparing && s.phase != Ready {
		s.begun++
		s.phase, s.change = is, s.want
	}
}

// poke does what the member lets the service do.
func (s *service) poke() {
	turn := s.h.member.Granted(s.name, s.change)
	granted := turn > 0
	switch {
	case (s.phase == Waiting || s.phase == Back && s.want == s.tried && s.want != s.has) && granted && turn != s.used:
		s.begun++
		s.used = turn
		s.phase = preparing
		s.say()
		s.later(passTakes+beforeTakes, func() { s.becomes(Ready) })
	case s.phase == preparing && !granted, s.phase == Ready && !granted:
		s.begun++
		s.becomes(Waiting)
	case s.phase == Ready:
		if before := s.h.member.MaySwap(s.name, s.change); before > 0 {
			s.begun++
			s.later(swapTakes, func() { s.swap(before) })
		}
	case s.phase == Owing && granted:
		s.begun++
		s.used = turn
		s.h.w.judgeResumed(s)
		s.becomes(Working)
		s.later(noticesTake+healthyFor, s.seen)
	}
}

// heard is when the member has granted or revoked something.
func (s *service) heard() {
	if s.phase == Well || s.phase == Back || s.phase == Ill {
		s.look()
		return
	}
	s.poke()
}

// preparing is a phase of the daemon alone: its pass is under way.
const preparing Phase = -1

func (s *service) later(d time.Duration, do func()) {
	begun := s.begun
	s.h.then(d, func() {
		if s.begun == begun {
			do()
		}
	})
}

func (s *service) becomes(p Phase) {
	s.phase = p
	s.h.w.note("%s %s: %s %d", s.h.name, s.name, s.change, p)
	s.say()
	s.poke()
}

// swap puts the change in place, where it is not too late.
func (s *service) swap(before time.Duration) {
	if s.h.Now() > before || s.h.member.Granted(s.name, s.change) == 0 {
		s.becomes(Ready)
		return
	}
	s.h.w.judgeSwap(s)
	s.before, s.has, s.owed = s.has, s.change, true
	s.becomes(Working)
	s.later(noticesTake+healthyFor, s.seen)
}

// seen is when it is known whether the service is well.
func (s *service) seen() {
	w := s.h.w
	if bad := w.bad[s.has] || w.badOn[s.has] != nil && w.badOn[s.has](s.h); !bad {
		s.ill, s.owed, s.getsAt = false, false, w.now
		s.becomes(Well)
		return
	}
	if s.ill || s.before == "" {
		s.ill, s.owed = true, false
		s.becomes(Ill)
		return
	}
	s.becomes(Failing)
	s.later(backTakes, func() {
		w.note("%s %s: back to %s", s.h.name, s.name, s.before)
		s.tried, s.has, s.owed = s.has, s.before, false
		s.becomes(Back)
	})
}
