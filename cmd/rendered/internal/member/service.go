package member

import (
	"time"

	"github.com/rendered/rendered/watch/fleet"
	"github.com/rendered/rendered/watch/pass"
)

// A service is what is known of one that is in a group.
type service struct {
	group string
	made
	wants    pass.Wanted // what it wants to be; zero: nothing
	asked    asked       // since when; also between its passes
	ill      bool        // it was not well before that
	stage    stage
	turn     int  // that it has begun its change in
	live     bool // Doing is of this life of the process, or has its turn to be told
	standing pass.Standing
	known    bool          // standing is of this life of the process, and of Doing
	news     chan struct{} // closed, and made anew, when the member has said something
}

// An asked is when a service has first asked for its turn with a change.
type asked struct {
	change string
	at     time.Duration
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

// unknown is the change of a service whose record is lost.
const unknown = "unknown"

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
