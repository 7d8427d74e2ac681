package notify

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A process is held by a descriptor, so that no other one can get its number meanwhile. Where the
// kernel has none (before Linux 5.3, or forbidden in a sandbox) its number must do.
type process struct{ *os.Process }

// open takes hold of the process pid. The error is fs.ErrNotExist where there is none.
func open(pid int) (*process, error) {
	found, err := os.FindProcess(pid)
	if err != nil {
		return nil, err
	}
	p := &process{found}
	if !p.exists() {
		return nil, fs.ErrNotExist
	}
	if fields, err := p.status(); err == nil && fields["Tgid"] != strconv.Itoa(pid) {
		p.Close()
		return nil, errors.New("the number of a thread, not of a process")
	}
	return p, nil
}

// Close lets go of the process.
func (p *process) Close() { _ = p.Release() }

func (p *process) exists() bool { return p.Signal(syscall.Signal(0)) != os.ErrProcessDone }

// send sends s.
func (p *process) send(s syscall.Signal) error {
	switch err := p.Signal(s); err {
	case nil:
		return nil
	case os.ErrProcessDone:
		return p.gone()
	case unix.EPERM:
		return &Error{Reason: NotPermitted, What: fmt.Sprintf("process %d may not be signaled by us", p.Pid), Err: err, Hints: []string{
			"run the daemon as the user of that process, or with CAP_KILL",
		}}
	default:
		return &Error{Reason: Failed, What: fmt.Sprintf("process %d: %v", p.Pid, err), Err: err}
	}
}

func (p *process) gone() *Error {
	return &Error{Reason: NotRunning, What: fmt.Sprintf("process %d has just ended", p.Pid)}
}

// heeds is an error unless the process will notice s and live, or is meant to die of it. A blocked
// signal counts as handled: programs that wait for signals by sigwait(3) or signalfd(2) block them.
func (p *process) heeds(s syscall.Signal) error {
	fields, err := p.status()
	if err != nil {
		return err
	}
	has := func(field string) bool {
		mask, err := strconv.ParseUint(fields[field], 16, 64)
		return err == nil && mask&(1<<(uint(s)-1)) != 0
	}
	switch name := "SIG" + signalName(s); {
	case s == unix.SIGKILL, has("SigCgt"):
		return nil
	case has("SigIgn"):
		return &Error{Reason: NotHandled, What: fmt.Sprintf("process %d ignores %s", p.Pid, name)}
	case has("SigBlk"), ends(s):
		return nil
	default:
		return &Error{Reason: NotHandled, What: fmt.Sprintf("process %d does not handle %s (yet)", p.Pid, name), Hints: []string{
			"not sent: it would be lost, or end the process; it is tried again in case the process is still starting",
		}}
	}
}
