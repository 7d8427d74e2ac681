package watch

import (
	"time"

	"github.com/rendered/rendered/watch/pass"
)

// A Reason says what a look is for.
type Reason string

const (
	Start     Reason = "start"    // the process has begun
	Schedule  Reason = "schedule" // it is its time
	Retry     Reason = "retry"    // the last look failed
	Config    Reason = "config"   // the config has another service than before
	Template  Reason = "template" // only its templates are others
	Input     Reason = "input"    // a file has changed: that of values, or one that is looked up
	Queue     Reason = "queue"    // a change was announced
	Refreshed Reason = "refresh"  // somebody asks for it
	Reload    Reason = "reload"   // somebody has the config read again
	Resumed   Reason = "resume"   // its pause is over
	Drift     Reason = "drift"    // somebody else has changed the files
	Rollback  Reason = "rollback" // its change was not well, and the old files are put back
	Turn      Reason = "turn"     // its turn in the fleet has come
)

// due has a service be looked at, at the latest at a time. Where it is due sooner it stays so, and
// for that reason.
func (s *state) due(at time.Time, why Reason) { s.dueFor(at, pass.Trigger{Why: string(why)}) }

// dueFor is due, for a reason that says more.
func (s *state) dueFor(at time.Time, why pass.Trigger) {
	if next := earliest(s.look, at); !next.Equal(s.look) {
		s.look, s.why = next, why
	}
}
