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

// ReadFile gives the content of the regular file at path, of up to limit bytes. It never waits for
// the other end of a pipe, for a device, or for long for a file system that hangs. Errors other
// than TooLarge, ErrNotRegular and ErrSilent are fs.PathErrors; of a directory it is EISDIR.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := Stat(path)
	if err != nil {
		return nil, err
	}
	// The type is looked at before the file is opened, and once more on the descriptor: to open some
	// devices is to do something.
	if err := readable(path, info, limit); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}

// readAll reads a file that is open, from its beginning.
func readAll(f *os.File, limit int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := readable(f.Name(), info, limit); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		return nil, TooLarge(limit)
	}
	return content, err
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

// bare gives the reason in an error without the operation and the path around it.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
