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

	"github.com/rendered/rendered/internal/disk"
)

// slack is how much later than its pid file a process may seem to have begun. A process begins before it writes the file; but
// the clock may have been set in between. A number is not given out again within so short a time.
const slack = time.Minute

// A pidRecord is what was found at the path of one.
type pidRecord struct {
	pid     int
	written time.Time
	way     disk.Way
}

// fromPIDFile opens the process that the file names, unless that cannot be the one that wrote it.
func fromPIDFile(path string) (*process, error) {
	file, err := readPIDFile(path)
	if err != nil {
		return nil, err
	}
	p, err := open(file.pid)
	if err != nil {
		what := fmt.Sprintf("pid file is stale: there is no process %d", file.pid)
		if !errors.Is(err, fs.ErrNotExist) {
			what = fmt.Sprintf("pid file is wrong: %d: %v", file.pid, err)
		}
		return nil, &Error{Reason: Stale, What: what, Err: err}
	}
	if err := p.wrote(file); err != nil {
		p.Close()
		return nil, err
	}
	// The process may have ended, and another got its number, between the look at the file and at the process. Whoever
	// begins anew writes the file anew.
	again, err := readPIDFile(path)
	if err == nil && (again.pid != file.pid || !again.written.Equal(file.written)) {
		err = &Error{Reason: NotRunning, What: "pid file is just being written"}
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// maxPIDFile is how many bytes are read of a pid file.
const maxPIDFile = 4096

// readPIDFile reads the number in a pid file's first line; some programs write more lines. Root
// reads none that others could have led to a process of their choice.
func readPIDFile(path string) (found pidRecord, _ error) {
	f, way, err := disk.Open(path)
	switch {
	case disk.IsForeign(err):
		return found, &Error{Reason: NotPermitted, What: "pid file: " + err.Error(), Err: err, Hints: disk.Hints(err)}
	case errors.Is(err, fs.ErrNotExist):
		return found, &Error{Reason: NotRunning, What: "not running: there is no pid file", Err: err}
	case errors.Is(err, fs.ErrPermission):
		return found, &Error{Reason: NotPermitted, What: "pid file may not be read by us", Err: err}
	case errors.Is(err, disk.ErrNotRegular), errors.Is(err, syscall.EISDIR):
		return found, &Error{Reason: Stale, What: "pid file is not a regular file"}
	case err != nil:
		return found, unreadable(err)
	}
	defer f.Close()
	if err := believable(way); err != nil {
		return found, err
	}
	info, err := f.Stat()
	if err != nil {
		return found, unreadable(err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPIDFile))
	if err != nil {
		return found, unreadable(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.ParseInt(strings.TrimSpace(line), 10, 32)
	switch {
	case len(data) == 0:
		return found, &Error{Reason: NotRunning, What: "pid file is empty"}
	case err != nil || pid <= 0:
		return found, &Error{Reason: Stale, What: "pid file does not begin with a process's number"}
	}
	return pidRecord{int(pid), info.ModTime(), way}, nil
}

const (
	writeItAsRoot = "have the program write its pid file where root alone can write, as in /run, or use unit: or reload: in its place"
	ownHint       = "a user must not choose whom the daemon signals; have the program write the file as root, or as the user that it runs as"
)

// believable is an error where others than root and the owner of a pid file choose what it says:
// they can write to it, or put another file in its place, for which any of root's would do that
// they can give a second name or move. One that belongs to a user, in a directory of that user or
// one that many share, is believed as far as it names a process of that user; see wrote.
func believable(way disk.Way) error {
	last, leads := way.Last(), way.Doubts()
	var by *disk.Doubt
	for _, d := range leads {
		if last.UID == 0 || last.Links > 1 || d.User != last.UID && d.User != disk.Several {
			by = d
			break
		}
	}
	if own := last.Doubt(); by == nil && own != nil && own.User != last.UID {
		by = own
	}
	if by == nil {
		return nil
	}
	return &Error{Reason: NotPermitted, What: fmt.Sprintf("pid file can be chosen by others than root (%v)", by), Hints: []string{ownHint, writeItAsRoot}}
}

// ExaminePIDFile says what is wrong with the place of a pid file, whether or not there is one now;
// it looks at no process. The user, where it is one of a user's, is the only one whose processes it
// can be about; -1 where it can be about any.
func ExaminePIDFile(path string) (user int, err error) {
	way, err := disk.Walk(path)
	if err == nil {
		err = way.Trusted()
	}
	if err == nil && way.Found() {
		err = believable(way)
	}
	if err != nil {
		return -1, err
	}
	if last := way.Last(); way.Found() && last.Doubt() != nil {
		return last.UID, nil
	}
	for _, d := range way.Doubts() {
		if disk.Only(way.Doubts(), d.User) {
			return d.User, nil
		}
	}
	return -1, nil
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
func (p *process) wrote(file pidRecord) error {
	fields, err := p.status()
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Reason == NotRunning {
			return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d has ended", p.pid)}
		}
		return err
	}
	if begun, err := p.started(); err == nil && begun.After(file.written.Add(slack)) {
		return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d is younger than it", p.pid), Hints: []string{
			fmt.Sprintf("the file was written %s, the process began %s", stamp(file.written), stamp(begun)),
		}}
	}
	// Whom a user may signal is told by the real user ID, besides that which was saved (kill(2)).
	owner, _, _ := strings.Cut(fields["Uid"], "\t")
	if uid := file.way.Last().UID; uid != 0 && uid != os.Geteuid() && owner != strconv.Itoa(uid) {
		return &Error{Reason: NotPermitted, What: fmt.Sprintf("pid file belongs to user %d, process %d to user %s", uid, p.pid, owner), Hints: []string{ownHint}}
	}
	return nil
}

func stamp(t time.Time) string { return t.Local().Format(time.DateTime) }
