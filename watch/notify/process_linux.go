package notify

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

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
