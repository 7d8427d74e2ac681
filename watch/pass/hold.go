package pass

import (
	"errors"
	"time"
)

// A Hold is that a pass wrote nothing, because it is not the time for it: nothing is wrong with the
// new files, as far as is known without their checks.
type Hold struct {
	Until time.Time
	Paths []string // of the files that would be written
}

// errHeld ends a pass at its hold.
var errHeld = errors.New("held")

// held ends the pass before anything is staged, where the service is written to at certain times
// only, and this is none.
func (p *pass) held() error {
	if p.service.Hold == nil {
		return nil
	}
	now := time.Now()
	until := p.service.Hold(now)
	if !until.After(now.Round(0)) {
		return nil
	}
	p.out.Held = &Hold{until, p.swap.Changed()}
	return errHeld
}
