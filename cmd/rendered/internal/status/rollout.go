package status

import (
	"strings"

	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/ledger"
)

// seen says how far a change has come, a line each; the first says it. There is nothing to say of
// none.
func (s *Service) seen() (list []string) {
	r := s.Rollout
	if r == nil {
		return nil
	}
	switch at := Moment(r.Since); r.Stage {
	case ledger.Unproven:
		return []string{"the change of " + at + " is to be seen to be well"}
	case ledger.Retold:
		list = append(list, "not well: "+r.Failure+"; its dependents are told once more")
	case ledger.Reverting:
		list = append(list, "not well: "+r.Failure+"; the old files are put back")
	case ledger.Reverted:
		was := "the change of " + at + " was rolled back: " + r.Failure
		if r.Still == "" {
			return []string{was, "the old files are to be seen to be well"}
		}
		list = append(list, "not well with the old files, either: "+r.Still, was)
	case ledger.Rejected:
		list = append(list, "the change of "+at+" was rolled back: "+r.Failure)
	case ledger.Unwell:
		list = append(list, "not well since "+at+": "+r.Failure, "the new files stay: "+r.Stays)
	}
	return append(list, r.Hints...)
}

// undone says how it stands with what is to be done after a change, a line each.
func (r *Rollout) undone() []string {
	switch {
	case r == nil:
		return nil
	case r.After != "":
		return unindented(r.After)
	case r.Drained:
		return []string{"after: is yet to be done"}
	}
	return nil
}

// unindented gives the lines of what a fault says.
func unindented(text string) (list []string) {
	for line := range strings.Lines(text) {
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

// turn says whose turn it is to mend what is not well, in a line; none where nothing is wrong.
func (s *Service) turn() []string {
	if s.Turn == "" || s.State != watch.Unhealthy && s.State != watch.RolledBack {
		return nil
	}
	return []string{"for " + s.Turn}
}

// held says why files are not written yet, a line each.
func (s *Service) held() (list []string) {
	if !s.Held.IsZero() {
		list = append(list, "its files are written from "+Moment(s.Held)+" on")
	}
	if s.Gate != "" {
		list = append(list, "held by "+s.Gate)
	}
	if s.Fleet != "" {
		list = append(list, s.Fleet)
	}
	return list
}
