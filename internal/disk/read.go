package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRegular is that a pipe, a socket or a device is not read.
var ErrNotRegular = errors.New("not a regular file")

// TooLarge is that a file has more than so many bytes, whatever it says of its size: files of /proc
// say 0, and one may grow while it is read.
type TooLarge int64

func (t TooLarge) Error() string {
	switch {
	case t >= 1<<20 && t%(1<<20) == 0:
		return fmt.Sprintf("larger than %d MiB", int64(t)>>20)
	case t >= 1<<10 && t%(1<<10) == 0:
		return fmt.Sprintf("larger than %d KiB", int64(t)>>10)
	}
	return fmt.Sprintf("larger than %d bytes", int64(t))
}

// Is tells that it is a kind of EFBIG.
func (t TooLarge) Is(target error) bool { return target == unix.EFBIG }

// ErrUnread is that a file was opened and its content did not come. It is an ErrSilent: some files
// of /proc, as kmsg, keep who reads them waiting, as a file system that hangs does.
var ErrUnread error = unread{}

type unread struct{ silence }

func (unread) Error() string {
	return fmt.Sprintf("it could not be read within %v: its file system does not answer, or it has no end", patience)
}

// Is tells that it is a kind of ErrSilent.
func (unread) Is(target error) bool { return target == ErrSilent }

// Reading gives what read reads of f. It waits for three seconds, and not at all where it waited
// for a file of this name before and that read has not ended: then the error is ErrUnread.
func Reading[T any](f *os.File, read func(*os.File) (T, error)) (T, error) {
	content, err := timed(f.Name(), func(string) (T, error) { return read(f) })
	if err == ErrSilent {
		err = ErrUnread
	}
	return content, err
}

// ReadFile gives the content of the regular file at path, of up to limit bytes. It never waits for
// the other end of a pipe, for a device, or for long for a file system that hangs. Errors other
// than TooLarge, ErrNotRegular, ErrSilent and ErrUnread are fs.PathErrors; of a directory it is
// EISDIR.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := Stat(path)
	if err != nil {
		return nil, err
	}
	// The type is looked at before the file is opened, and once more on the descriptor: to open
	// some devices is to do something.
	if err := readable(path, info, limit); err != nil {
		return nil, err
	}
	f, err := timed(path, func(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) })
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}

// readAll reads a file that is open, from its beginning.
func readAll(f *os.File, limit int64) ([]byte, error) {
	return Reading(f, func(f *os.File) ([]byte, error) { return content(f, limit) })
}

func content(f *os.File, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := readable(f.Name(), info, limit); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, TooLarge(limit)
	}
	return text, err
}

func readable(path string, info fs.FileInfo, limit int64) error {
	switch {
	case info.IsDir():
		return &fs.PathError{Op: "read", Path: path, Err: unix.EISDIR}
	case !info.Mode().IsRegular():
		return ErrNotRegular
	case info.Size() > limit:
		return TooLarge(limit)
	}
	return nil
}

// Reason gives what an fs.PathError says without its operation and path, and other errors as they
// are.
func Reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
