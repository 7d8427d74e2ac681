package watch

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/rendered/rendered/watch/cron"
)

// mostSplay is the default spread of a fleet, at most.
const mostSplay = 5 * time.Minute

// DefaultSplay gives the spread for a schedule that has none of its own: the whole gap between two
// runs, at most five minutes. Less would not do: where 1,000 hosts read 50 parameters each in the
// same half minute, that is four times what AWS answers.
func DefaultSplay(s cron.Schedule) time.Duration {
	// From a fixed day on, so that a schedule has the same splay whenever it is loaded.
	at, gap := time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC), mostSplay
	for range 10 {
		first := s.Next(at)
		at = s.Next(first)
		gap = min(gap, at.Sub(first))
	}
	return gap
}

// mostJitter bounds the spread of a fleet after a change notice, where no splay is set: who waits
// for a rotation waits for seconds. What a thousand hosts then ask for in these seconds is in
// ARCHITECTURE.md.
const mostJitter = 3 * time.Second

// Jitter gives the spread of a fleet after a change notice, which all hosts hear at once: a tenth
// of the spread of their schedule, and where that was not set by anybody at most three seconds.
func Jitter(spread time.Duration, set bool) time.Duration {
	if set {
		return spread / 10
	}
	return min(spread/10, mostJitter)
}

// HostSplay gives this host's constant part of a spread: a hash of who the host is. The host name
// stands beside the machine-id because cloned machines share the latter. It is the same for all
// services: those that look at one time ask once for what they share, and tell a dependent once.
func HostSplay(spread time.Duration, machine, hostname string) time.Duration {
	if spread <= 0 {
		return 0
	}
	sum := sha256.Sum256([]byte(machine + "\x00" + hostname))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) % uint64(spread)).Truncate(time.Millisecond)
}

// Next gives the service's next scheduled time after now. An @every schedule keeps its beat across
// restarts: it counts from the epoch, so that the splay alone decides where in the period this host
// runs.
func (s *Service) Next(now time.Time) time.Time {
	base := now.Add(-s.Splay)
	if d, ok := s.Schedule.Every(); ok {
		past := time.Duration(base.UnixNano()) % d
		return base.Add(d - past + s.Splay).Round(0)
	}
	return s.Schedule.Next(base).Add(s.Splay).Round(0)
}
