package notify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

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

// status reads /proc/PID/status (proc_pid_status(5)). What it gives belongs to p: a process that
// still exists afterwards has had its number all the time.
func (p *process) status() (map[string]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if !p.exists() {
		return nil, p.gone()
	}
	if err != nil {
		return nil, &Error{Reason: NotPermitted, What: fmt.Sprintf("cannot see process %d in /proc", p.Pid), Err: err, Hints: []string{
			"/proc is mounted with hidepid, or the daemon runs in a sandbox with ProtectProc; without a look a signal could kill",
		}}
	}
	fields := make(map[string]string)
	for line := range bytes.Lines(data) {
		name, value, _ := strings.Cut(string(line), ":")
		fields[name] = strings.TrimSpace(value)
	}
	if state := fields["State"]; strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
		return nil, p.gone()
	}
	return fields, nil
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

// started gives when the process began, by the machine's clock as it is set now.
func (p *process) started() (time.Time, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		return time.Time{}, err
	}
	// The command's name may hold anything, parentheses too. The 20th field after it is starttime,
	// in ticks of 10 ms since the boot (proc_pid_stat(5); Linux shows programs 100 ticks a second
	// on every machine, whatever it counts itself).
	after := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	if len(after) < 20 {
		return time.Time{}, errors.New("unknown form of /proc/PID/stat")
	}
	ticks, err := strconv.ParseInt(after[19], 10, 64)
	if err != nil {
		return time.Time{}, errors.New("unknown form of /proc/PID/stat")
	}
	var up unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &up); err != nil {
		return time.Time{}, err
	}
	age := time.Duration(up.Nano()) - time.Duration(ticks)*10*time.Millisecond
	return time.Now().Round(0).Add(-age), nil
}
