package notify

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// slack is how much later than its pid file a process may seem to have begun. A process begins before it writes the file; but
// the clock may have been set in between. A number is not given out again within so short a time.
const slack = time.Minute

// fromPIDFile opens the process that the file names, unless that cannot be the one that wrote it.
func fromPIDFile(path string) (*process, error) {
	pid, info, err := readPIDFile(path)
	if err != nil {
		return nil, err
	}
	p, err := open(pid)
	if err != nil {
		what := fmt.Sprintf("pid file is stale: there is no process %d", pid)
		if !errors.Is(err, fs.ErrNotExist) {
			what = fmt.Sprintf("pid file is wrong: %d: %v", pid, err)
		}
		return nil, &Error{Reason: Stale, What: what, Err: err}
	}
	if err := p.wrote(info); err != nil {
		p.Close()
		return nil, err
	}
	// The process may have ended, and another got its number, between the look at the file and at the process. Whoever
	// begins anew writes the file anew.
	again, after, err := readPIDFile(path)
	if err == nil && (again != pid || !after.ModTime().Equal(info.ModTime())) {
		err = &Error{Reason: NotRunning, What: "pid file is just being written"}
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// readPIDFile reads the number in a pid file's first line; some programs write more lines.
func readPIDFile(path string) (int, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold us up
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, nil, &Error{Reason: NotRunning, What: "not running: there is no pid file", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return 0, nil, &Error{Reason: NotPermitted, What: "pid file may not be read by us", Err: err}
	case err != nil:
		return 0, nil, unreadable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, nil, unreadable(err)
	}
	if !info.Mode().IsRegular() {
		return 0, nil, &Error{Reason: Stale, What: "pid file is not a regular file"}
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return 0, nil, unreadable(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.ParseInt(strings.TrimSpace(line), 10, 32)
	switch {
	case len(data) == 0:
		return 0, nil, &Error{Reason: NotRunning, What: "pid file is empty"}
	case err != nil || pid <= 0:
		return 0, nil, &Error{Reason: Stale, What: "pid file does not begin with a process's number"}
	}
	return int(pid), info, nil
}

func unreadable(err error) *Error {
	what := "pid file cannot be read"
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		what += ": " + e.Err.Error()
	}
	return &Error{Reason: Stale, What: what, Err: err}
}

// wrote is an error where p cannot have written the pid file: it began later, or the file belongs to an ordinary user and the
// process to somebody else, so that the user could have us signal whom he likes.
func (p *process) wrote(file fs.FileInfo) error {
	fields, err := p.status()
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Reason == NotRunning {
			return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d has ended", p.pid)}
		}
		return err
	}
	if begun, err := p.started(); err == nil && begun.After(file.ModTime().Add(slack)) {
		return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d is younger than it", p.pid), Hints: []string{
			fmt.Sprintf("the file was written %s, the process began %s", stamp(file.ModTime()), stamp(begun)),
		}}
	}
	st, ok := file.Sys().(*syscall.Stat_t)
	owner, _, _ := strings.Cut(fields["Uid"], "\t")
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() && owner != strconv.Itoa(int(st.Uid)) {
		return &Error{Reason: NotPermitted, What: fmt.Sprintf("pid file belongs to user %d, process %d to user %s", st.Uid, p.pid, owner), Hints: []string{
			"a user must not choose whom the daemon signals; have the program write the file as root, or as the user that it runs as",
		}}
	}
	return nil
}

func stamp(t time.Time) string { return t.Local().Format(time.DateTime) }
