package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/rendered/rendered/render/disk"
)

// maxSize is the size in bytes up to which a file is read. AWS holds 64 KiB in a secret; a file of this size is a mistake.
const maxSize = 16 << 20

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = fmt.Errorf("larger than %d MiB", maxSize>>20)
)

// readRegular gives the content of the regular file at path. It never waits for the other end of a FIFO, for a device, or for long for a
// file system that hangs: the type is looked at before the file is opened, and once more on the descriptor, which is opened without blocking.
func readRegular(path string) ([]byte, error) {
	info, err := disk.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := suitable(info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := suitable(info); err != nil {
		return nil, err
	}
	// The size is a hint only: files of /proc say 0, and a file may grow while it is read.
	content, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(content) > maxSize {
		err = errTooLarge
	}
	return content, err
}

func suitable(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return syscall.EISDIR
	case !info.Mode().IsRegular():
		return errNotRegular
	case info.Size() > maxSize:
		return errTooLarge
	}
	return nil
}

// cause gives the reason in err without the operation and the path around it: the caller names the path.
func cause(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return err.Error()
}
