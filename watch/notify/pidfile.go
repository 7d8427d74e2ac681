package notify

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rendered/rendered/internal/disk"
)

// slack is how much later than its pid file a process may seem to have begun. A process begins
// before it writes the file; but the clock may have been set in between. A number is not given out
// again within so short a time.
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
	err = p.wrote(file)
	if err == nil {
		err = file.stays(path)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// stays is an error where the file says something else now. The process may have ended, and another
// got its number, between the look at the file and at the process. Whoever begins anew writes the
// file anew.
func (file pidRecord) stays(path string) error {
	again, err := readPIDFile(path)
	if err == nil && (again.pid != file.pid || !again.written.Equal(file.written)) {
		return &Error{Reason: NotRunning, What: "pid file is just being written"}
	}
	return err
}

// maxPIDFile is how many bytes are read of a pid file.
const maxPIDFile = 4096

// readPIDFile reads the number in a pid file's first line; some programs write more lines. Root
// reads none that others could have led to a process of their choice.
func readPIDFile(path string) (found pidRecord, _ error) {
	f, way, err := disk.Open(path)
	if err != nil {
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
	data, err := disk.Reading(f, func(f *os.File) ([]byte, error) { return io.ReadAll(io.LimitReader(f, maxPIDFile)) })
	if err != nil {
		return found, unreadable(err)
	}
	pid, err := pidIn(data)
	return pidRecord{pid, info.ModTime(), way}, err
}

func pidIn(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, &Error{Reason: NotRunning, What: "pid file is empty"}
	}
	line, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.ParseInt(strings.TrimSpace(line), 10, 32)
	if err != nil || pid <= 0 {
		return 0, &Error{Reason: Stale, What: "pid file does not begin with a process's number"}
	}
	return int(pid), nil
}

// pidFileErrors say what errors of files mean for one of these.
var pidFileErrors = []struct {
	err    error
	reason Reason
	what   string
}{
	{fs.ErrNotExist, NotRunning, "not running: there is no pid file"},
	{fs.ErrPermission, NotPermitted, "pid file may not be read by us"},
	{disk.ErrNotRegular, Stale, "pid file is not a regular file"},
	{syscall.EISDIR, Stale, "pid file is not a regular file"},
}

func unreadable(err error) *Error {
	if disk.IsForeign(err) {
		return &Error{Reason: NotPermitted, What: "pid file: " + err.Error(), Err: err, Hints: disk.Hints(err)}
	}
	for _, known := range pidFileErrors {
		if errors.Is(err, known.err) {
			return &Error{Reason: known.reason, What: known.what, Err: err}
		}
	}
	return &Error{Reason: Stale, What: "pid file cannot be read: " + disk.Reason(err).Error(), Err: err}
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
	by := last.Doubt()
	if i := slices.IndexFunc(leads, func(d *disk.Doubt) bool {
		return last.UID == 0 || last.Links > 1 || d.User != last.UID && d.User != disk.Several
	}); i >= 0 {
		by = leads[i]
	} else if by == nil || by.User == last.UID {
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
	return onlyUser(way), nil
}

// onlyUser gives the one user that decides what stands in a pid file; -1 where there is none.
func onlyUser(way disk.Way) int {
	doubts := way.Doubts()
	switch last := way.Last(); {
	case way.Found() && last.Doubt() != nil:
		return last.UID
	case len(doubts) > 0 && disk.Only(doubts, doubts[0].User):
		return doubts[0].User
	}
	return -1
}

// wrote is an error where p cannot have written the pid file: it began later, or the file belongs
// to an ordinary user and the process to somebody else, so that the user could have us signal whom
// he likes.
func (p *process) wrote(file pidRecord) error {
	fields, err := p.status()
	if e, ok := errors.AsType[*Error](err); ok && e.Reason == NotRunning {
		return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d has ended", p.Pid)}
	}
	if err != nil {
		return err
	}
	if begun, err := p.started(); err == nil && begun.After(file.written.Add(slack)) {
		return &Error{Reason: Stale, What: fmt.Sprintf("pid file is stale: process %d is younger than it", p.Pid), Hints: []string{
			fmt.Sprintf("the file was written %s, the process began %s", stamp(file.written), stamp(begun)),
		}}
	}
	return p.belongsTo(file.way.Last().UID, fields)
}

// belongsTo is an error where a pid file's user could have us signal whom that user may not. Whom a
// user may signal is told by the real user ID, besides that which was saved (kill(2)).
func (p *process) belongsTo(uid int, status map[string]string) error {
	owner, _, _ := strings.Cut(status["Uid"], "\t")
	if uid == 0 || uid == os.Geteuid() || owner == strconv.Itoa(uid) {
		return nil
	}
	return &Error{Reason: NotPermitted, What: fmt.Sprintf("pid file belongs to user %d, process %d to user %s", uid, p.Pid, owner), Hints: []string{ownHint}}
}

func stamp(t time.Time) string { return t.Local().Format(time.DateTime) }
