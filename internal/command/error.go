package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Reason says why a command did not succeed.
type Reason string

const (
	Exit    Reason = "exit"    // it ended with another status than 0
	Signal  Reason = "signal"  // a signal from elsewhere ended it
	Timeout Reason = "timeout" // it ran too long and was ended
	Stopped Reason = "stopped" // the context ended, and it with that
	Start   Reason = "start"   // it never ran
)

// An Error is why a command did not succeed. Its text never holds the command's output, which may
// hold secrets.
type Error struct {
	Command string // as Command.String gives it
	Reason  Reason
	Code    int            // the exit status of Exit
	Signal  syscall.Signal // of Signal
	Limit   time.Duration  // how long it could have run, of Timeout
	Detail  string         // what is known beyond the reason; may be ""
	Hints   []string       // what to do about it, a line each; may be empty
	Output  []byte         // what it wrote, bounded; to be filtered before anyone sees it
	Err     error          // the cause, for errors.Is; may be nil
}

// Error gives "nginx -t: exit status 1".
func (e *Error) Error() string { return e.Command + ": " + e.Outcome() }

// Outcome gives "exit status 1", without the command.
func (e *Error) Outcome() string {
	s := ""
	switch e.Reason {
	case Exit:
		s = fmt.Sprintf("exit status %d", e.Code)
	case Signal:
		s = "killed by " + signalName(e.Signal)
	case Timeout:
		s = fmt.Sprintf("still running after %v, stopped", e.Limit)
	case Stopped:
		s = "stopped before it was done"
	case Start:
		s = "cannot be started"
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}

// ended gives the error of a command that ended by itself, nil where it succeeded.
func ended(state *os.ProcessState) *Error {
	if state == nil {
		return &Error{Reason: Exit, Code: -1, Detail: "somebody else took its status"}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case state.Success():
		return nil
	case ok && status.Signaled():
		return &Error{Reason: Signal, Signal: status.Signal()}
	}
	e := &Error{Reason: Exit, Code: state.ExitCode()}
	switch e.Code { // of a shell: POSIX, Shell Command Language, 2.8.2
	case 126:
		e.Hints = []string{"126 is what a shell gives for a program that is not executable"}
	case 127:
		e.Hints = []string{"127 is what a shell gives for a program that it does not find"}
	}
	return e
}

// NotStarted explains why a command could not be executed in a directory.
func NotStarted(c Command, dir string, err error) *Error {
	e := &Error{Command: c.String(), Reason: Start, Err: err}
	name := c.argv()[0]
	opened, other := errors.AsType[*fs.PathError](err)
	switch {
	case other && opened.Op == "open": // of /dev/null, for a command gets nothing on stdin
		e.Detail = opened.Error()
	case dir != "" && !exists(dir):
		e.Detail = "its working directory " + dir + " does not exist"
	case errors.Is(err, exec.ErrNotFound):
		e.Detail = name + " is not in PATH"
		e.Hints = []string{"give its full path", "PATH is " + os.Getenv("PATH")}
		if strings.ContainsAny(name, " \t") {
			e.Hints = append(e.Hints, `in a list each argument stands by itself: ["nginx", "-t"]`)
		}
	case errors.Is(err, fs.ErrNotExist) && exists(name):
		e.Detail = "the interpreter that its first line names does not exist"
	case errors.Is(err, fs.ErrNotExist):
		e.Detail = name + " does not exist"
	case errors.Is(err, fs.ErrPermission):
		e.Detail = name + " may not be executed"
		e.Hints = []string{"chmod +x " + quote(name) + ", and the daemon's user must reach it"}
	case errors.Is(err, syscall.ENOEXEC):
		e.Detail = name + " is neither a program for this machine nor a script that begins with #!"
	default:
		e.Detail = cause(err).Error()
	}
	return e
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// cause gives the innermost error, which says what happened without saying again to what.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
