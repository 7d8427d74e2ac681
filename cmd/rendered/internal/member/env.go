package member

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/fleet/fleetlock"
)

// An env is what a member works in on this machine.
type env struct {
	members *Members
	group   string
	ctx     context.Context
	woken   chan struct{}
	said    string // that was logged last
	mu      sync.Mutex
	at      Place
	lock    *fleetlock.Lock // nil: there is a table
}

// newEnv gives the env of a group. The error is that of fleetlock.New.
func newEnv(m *Members, s fleet.Settings, at Place) (*env, error) {
	e := &env{members: m, group: s.Group, at: at, woken: make(chan struct{}, 1), ctx: context.Background()}
	if at.FleetLock == "" {
		return e, nil
	}
	var err error
	e.lock, err = fleetlock.New(at.FleetLock, s.Fleet+"."+s.Group, s.Host)
	return e, err
}

func (e *env) setTable(t fleet.Table) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at.Table = t
}

func (e *env) current() fleet.Table {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.at.Table
}

// Locker gives what gives turns in the place of a table; nil: there is a table.
func (e *env) Locker() fleet.Locker {
	if e.lock == nil {
		return nil
	}
	return locker{e}
}

// A locker asks a server of the FleetLock protocol, until the member is to end.
type locker struct{ *env }

func (l locker) Acquire() (held bool, why string, err error) { return l.lock.Acquire(l.ctx) }

func (l locker) Release() error { return l.lock.Release(l.ctx) }

// Update and the others are what the member asks for.
func (e *env) Update(u fleet.Update) fleet.Answer { return e.current().Update(u) }

func (e *env) Query(q fleet.Query) fleet.Answer { return e.current().Query(q) }

func (e *env) Now() time.Duration { return e.members.Now() }

// mostSleep bounds a sleep: timers stand still while the machine sleeps.
const mostSleep = time.Minute

func (e *env) Sleep(until time.Duration) bool {
	for {
		left := until - e.members.Now()
		if left <= 0 {
			return e.ctx.Err() == nil
		}
		timer := time.NewTimer(min(left, mostSleep))
		select {
		case <-e.ctx.Done():
			timer.Stop()
			return false
		case <-e.woken:
			timer.Stop()
			return e.ctx.Err() == nil
		case <-timer.C:
		}
	}
}

// wake has the member go on.
func (e *env) wake() {
	select {
	case e.woken <- struct{}{}:
	default:
	}
}

func (e *env) Save(m fleet.Memory) error { return e.members.remember(e.group, m) }

func (e *env) Chance() float64 { return rand.Float64() }

func (e *env) Lease() string {
	var random [16]byte
	_, _ = crand.Read(random[:]) // it never fails
	return hex.EncodeToString(random[:])
}

func (e *env) Wake(services []string) { e.members.heard(services) }

// Failed says why the table was asked in vain, where that is news.
func (e *env) Failed(err error) {
	if what := err.Error(); what != e.said {
		e.said = what
		args := []any{"group", e.group, "err", err}
		if hints := hintsOf(err); len(hints) > 0 {
			args = append(args, "hint", strings.Join(hints, "\n"))
		}
		e.members.Log.Warn("the fleet was asked in vain", args...)
	}
}

// hintsOf says what to do where a fleet cannot be asked.
func hintsOf(err error) []string {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		return e.Hints
	}
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		return f.Hints
	}
	return nil
}

func (e *env) Turn(kind string) {
	if kind != "" {
		e.members.Counts(kind)
	}
}
