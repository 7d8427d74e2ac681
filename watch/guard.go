package watch

import "github.com/rendered/rendered/internal/fault"

// guarded does a job, which looks at the files or only tells. A panic in it is the failure of this service and nobody else's: the keeper
// forgets what it knows, and the next job begins as it would after a kill, with what is on disk.
func (k *keeper) guarded(looks bool, job func() Outcome) (o Outcome) {
	failed := fault.Caught(func() { o = job() })
	if failed == nil {
		return o
	}
	k.unsaved, k.swept, k.half, k.loose = false, false, false, false
	k.values = nil
	clear(k.attempts)
	k.verdicts = verdicts{}
	return Outcome{Service: k.service.Name, Looked: looks, Err: failed, asked: k.asked}
}
