package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Open opens the regular file at an absolute path, and gives the way that led to it. It waits for
// nothing, as ReadFile. Root follows a link only where root alone can change the link and the way
// to it; whether to believe in what was opened is for the caller to judge by the way.
func Open(path string) (*os.File, Way, error) { return openBy(path, Step.planted) }

// openBy is Open with an idea of what others may have put there.
func openBy(path string, planted func(Step) *Doubt) (*os.File, Way, error) {
	type opened struct {
		file *os.File
		way  Way
	}
	o, err := timed(path, func(path string) (opened, error) {
		f, way, err := openFile(path, planted)
		return opened{f, way}, err
	})
	return o.file, o.way, err
}

func openFile(path string, planted func(Step) *Doubt) (*os.File, Way, error) {
	at, way, err := walk(path, planted)
	if err != nil {
		return nil, way, err
	}
	defer unix.Close(at)
	f, err := openLast(at, path, way)
	if err != nil && err != ErrNotRegular {
		err = &fs.PathError{Op: "open", Path: path, Err: Reason(err)}
	}
	return f, way, err
}

// openLast opens the regular file that a way leads to.
func openLast(at int, path string, way Way) (*os.File, error) {
	last := way.Last()
	switch {
	case !last.Exists:
		return nil, unix.ENOENT
	case len(way.Rest) > 0:
		return nil, unix.ENOTDIR
	case last.Type == fs.ModeDir:
		return nil, unix.EISDIR
	case last.Type != 0:
		return nil, ErrNotRegular
	}
	fd, err := unix.Openat(at, last.Name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), path)
	if _, err := same(f, last.Info); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
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

// ReadTrusted is ReadFile, of an absolute path, for what root works from: it is a *ForeignError
// where others than root can change it or lead to it.
func ReadTrusted(path string, limit int64) ([]byte, error) {
	return readTrusted(path, limit, Step.planted)
}

// ReadToken is ReadTrusted of a token that is handed out in a file. In a sticky directory it
// follows root's link to a name beneath that directory: a volume of Kubernetes is such a directory,
// with such links.
func ReadToken(path string, limit int64) ([]byte, error) {
	return readTrusted(path, limit, Step.astray)
}

func readTrusted(path string, limit int64, planted func(Step) *Doubt) ([]byte, error) {
	f, way, err := openBy(path, planted)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if by := way.changers(planted); len(by) > 0 {
		return nil, &ForeignError{
			fmt.Sprintf("others than root can change it (%v); root does not work from it", by[0]),
			"what root works from belongs where root alone can write, as /etc/rendered",
		}
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
		doubts = []*Doubt{{Path: last.Dir, What: "others can make names in it, and may have moved there what is not theirs", User: Several}}
	}
	if len(doubts) == 0 || Only(doubts, last.UID) && last.Links == 1 {
		return nil
	}
	why := doubts[0]
	if i := slices.IndexFunc(doubts, func(d *Doubt) bool { return d.User != last.UID }); i >= 0 {
		why = doubts[i]
	}
	names := ""
	if last.Links > 1 {
		names = fmt.Sprintf("; it has %d names", last.Links)
	}
	return &ForeignError{
		fmt.Sprintf("others than root can change what it leads to (%v)%s; root does not read it", why, names),
		"have it in a directory that root alone can change, or in the directory of the user that it belongs to, without links",
	}
}

// A ForeignError is that root does not go where others than root can lead it: to what they can
// change, or along links that they can.
type ForeignError struct{ what, hint string }

func (e *ForeignError) Error() string { return e.what }

// Hints says what helps.
func (e *ForeignError) Hints() []string { return []string{e.hint} }

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
	_, ok := errors.AsType[*ForeignError](err)
	return ok
}
