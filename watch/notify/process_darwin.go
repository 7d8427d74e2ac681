package notify

import (
	"errors"
	"time"
)

// errProc is that nothing is known here of what a process does with a signal, nor when it began.
var errProc = errors.New("what a process makes of a signal is known on Linux alone")

// status gives what is known of a process: nothing.
func (p *process) status() (map[string]string, error) {
	return nil, &Error{Reason: Failed, What: errProc.Error(), Err: errProc}
}

// started gives when the process began.
func (p *process) started() (time.Time, error) { return time.Time{}, errProc }
