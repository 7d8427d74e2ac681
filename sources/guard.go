package sources

import "github.com/rendered/rendered/internal/fault"

// Guard calls f, which answers refs. Where f panics they are Unavailable, those that are not
// answered yet: one value that a program of somebody else stumbles over must not end the daemon.
func Guard(refs []Ref, deliver func(Ref, Result), f func()) {
	failed := fault.Caught(f)
	if failed == nil {
		return
	}
	for _, r := range refs {
		deliver(r, Result{Err: &Error{Ref: r, Reason: Unavailable, Detail: failed.What, Hints: failed.Hints}})
	}
}
