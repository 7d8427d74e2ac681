//go:build !linux

package member

import "time"

var began = time.Now()

// sinceBoot is the time since the process began: there is no clock that goes on while the machine
// sleeps.
func sinceBoot() time.Duration { return time.Since(began) }
