package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens the regular file at an absolute path, and gives the way that led to it. It waits for
// nothing, as ReadFile. Root follows a link only where root alone can change the link and the way
// to it; whether to believe in what was opened is for the caller to judge by the way.
func Open(path string) (*os.File, Way, error) {
	type opened struct {
		file *os.File
		way  Way
		err  error
	}
	o, err := asked(path, func(path string) (opened, error) {
		f, way, err := openFile(path)
		return opened{f, way, err}, nil
	})
	if err != nil {
		return nil, Way{}, err
	}
	return o.file, o.way, o.err
}

func openFile(path string) (*os.File, Way, error) {
	var admit func(Way) error
	if distrusts() {
		admit = admitTrusted
	}
	at, way, err := walk(path, admit)
	if err != nil {
		return nil, way, err
	}
	defer unix.Close(at)
	last := way.Last()
	fail := func(err error) (*os.File, Way, error) {
		return nil, way, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	switch {
	case !last.Exists:
		return fail(unix.ENOENT)
	case len(way.Rest) > 0:
		return fail(unix.ENOTDIR)
	case last.Type == fs.ModeDir:
		return fail(unix.EISDIR)
	case last.Type != 0:
		return nil, way, ErrNotRegular
	}
	fd, err := unix.Openat(at, last.Name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fail(err)
	}
	if err := same(fd, last.Info); err != nil {
		unix.Close(fd)
		return fail(err)
	}
	return os.NewFile(uintptr(fd), path), way, nil
}

// ReadInput is ReadFile for what root reads on behalf of others: it is a *ForeignError where that
// could give somebody a file that he cannot read.
func ReadInput(path string, limit int64) ([]byte, error) {
	f, _, err := openInput(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}

// ExamineInput gives the way that ReadInput goes, and the error that it gives, or would give of
// what may come to stand where nothing is yet. It reads nothing.
func ExamineInput(path string, limit int64) (Way, error) {
	f, way, err := openInput(path)
	if errors.Is(err, fs.ErrNotExist) && way.Last().Shared {
		err = way.Input()
	}
	if err != nil {
		return way, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		err = readable(path, info, limit)
	}
	return way, err
}

func openInput(path string) (*os.File, Way, error) {
	f, way, err := Open(path)
	if err != nil {
		return nil, way, err
	}
	if err := way.Input(); err != nil {
		f.Close()
		return nil, way, err
	}
	return f, way, nil
}

// ReadTrusted is ReadFile, of an absolute path, for what root works from: it is an *UntrustedError
// where others than root can change it, and a *LinkError where others lead to it.
func ReadTrusted(path string, limit int64) ([]byte, error) {
	f, way, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if by := way.Changers(); len(by) > 0 {
		return nil, &UntrustedError{by[0]}
	}
	return readAll(f, limit)
}

// Input tells whether root may read what the way leads to. Where others than root can change that
// they could have it lead to a file that they cannot read. There is one exception: a file in a
// user's own directory that is that user's own, has no other name, and that nobody else can put
// there, holds nothing but what the user could write into any other. In a sticky directory, as
// /tmp, it may be nobody's: a file of root's can have been moved there. What a file holds that root
// alone decides on may be anybody's.
func (w Way) Input() error {
	doubts, last := w.Doubts(), w.Last()
	if last.Shared {
		return &ForeignError{Doubt: &Doubt{Path: last.Dir, What: "others can make names in it, and may have moved there what is not theirs", User: Several}, links: last.Links}
	}
	if len(doubts) == 0 {
		return nil
	}
	if Only(doubts, last.UID) && last.Links == 1 {
		return nil
	}
	why := doubts[0]
	for _, d := range doubts {
		if d.User != last.UID {
			why = d
			break
		}
	}
	return &ForeignError{Doubt: why, links: last.Links}
}

// A ForeignError is that others than root can change what a path leads to.
type ForeignError struct {
	*Doubt
	links int
}

func (e *ForeignError) Error() string {
	what := "others than root can change what it leads to (" + e.Doubt.Error() + ")"
	if e.links > 1 {
		what += fmt.Sprintf("; it has %d names", e.links)
	}
	return what + "; root does not read it"
}

// Hints says what helps.
func (e *ForeignError) Hints() []string {
	return []string{"have it in a directory that root alone can change, or in the directory of the user that it belongs to, without links"}
}

// An UntrustedError is that others than root can change what root is to work from.
type UntrustedError struct{ By *Doubt }

func (e *UntrustedError) Error() string {
	return "others than root can change it (" + e.By.Error() + "); root does not work from it"
}

// Hints says what helps.
func (e *UntrustedError) Hints() []string {
	return []string{"what root works from belongs where root alone can write, as /etc/rendered"}
}

// Hints says what helps where root does not go where others lead, or who may read a file is not
// known; nil otherwise.
func Hints(err error) []string {
	if e, ok := errors.AsType[interface {
		error
		Hints() []string
	}](err); ok {
		return e.Hints()
	}
	return nil
}

// IsForeign tells whether an error is that root does not go where others lead.
func IsForeign(err error) bool {
	_, file := errors.AsType[*ForeignError](err)
	_, link := errors.AsType[*LinkError](err)
	return file || link
}

// A LinkError is that others than root can change a link, or could have put another in its place.
type LinkError struct {
	Path string // of the link
	By   *Doubt
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%s is a link that others than root can change (%s); root does not follow it", e.Path, e.what())
}

// Hints says what helps.
func (e *LinkError) Hints() []string {
	return []string{"name the path that it leads to, or have link and directories belong to root"}
}

// what says how, without the path where that is the link's own.
func (e *LinkError) what() string {
	if e.By.Path == e.Path {
		return e.By.What
	}
	return e.By.Error()
}
