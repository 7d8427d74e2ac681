package local

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/sources"
)

// Files answers File refs with the content of the file of that name. A local file may hold a key, so its content counts as a
// secret.
type Files struct{}

// maxSize is the size in bytes up to which a file is read. AWS holds 64 KiB in a secret; a file of
// this size is a mistake.
const maxSize = 16 << 20

// Fetch reads each file anew. Names are absolute paths; only regular files of up to 16 MiB are
// read, and none is waited for. As root it reads none that others could have it be led to; see
// disk.ReadInput.
func (*Files) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	fetch(ctx, refs, deliver, readFile)
}

// Examine gives the way to a file, and an error where Fetch would refuse what is there. It reads
// nothing; that nothing is there is an fs.ErrNotExist.
func Examine(path string) (disk.Way, error) { return disk.ExamineInput(path, maxSize) }

func readFile(r sources.Ref) sources.Result {
	switch {
	case r.Kind != sources.File:
		return failed(r, sources.Unanswerable, "it is not a local file")
	case !filepath.IsAbs(r.Name):
		return failed(r, sources.Unanswerable, "its path is not absolute")
	}
	content, err := disk.ReadInput(r.Name, maxSize)
	switch {
	case err == nil:
		return sources.Result{Value: sources.Value{Text: string(content), Secret: true}}
	case disk.IsForeign(err):
		return failed(r, sources.Denied, err.Error(), disk.Hints(err)...)
	case errors.Is(err, fs.ErrNotExist):
		return failed(r, sources.Missing, "")
	case errors.Is(err, syscall.ENOTDIR):
		return failed(r, sources.Missing, cause(err))
	case errors.Is(err, fs.ErrPermission):
		return failed(r, sources.Denied, cause(err))
	case errors.Is(err, syscall.EISDIR), errors.Is(err, disk.ErrNotRegular), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.ENAMETOOLONG):
		return failed(r, sources.Unanswerable, cause(err))
	}
	return failed(r, sources.Unavailable, cause(err))
}

// cause gives the reason in err without the operation and the path around it: the caller names the
// path.
func cause(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return err.Error()
}
