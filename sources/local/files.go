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

// Files answers File refs with the content of the file of that name.
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

// reasons are what the errors of files mean. What has none is Unavailable.
var reasons = []struct {
	err    error
	reason sources.Reason
}{
	{syscall.ENOTDIR, sources.Missing},
	{fs.ErrPermission, sources.Denied},
	{syscall.EISDIR, sources.Unanswerable},
	{disk.ErrNotRegular, sources.Unanswerable},
	{syscall.EFBIG, sources.Unanswerable},
	{syscall.ENAMETOOLONG, sources.Unanswerable},
}

func readFile(r sources.Ref) sources.Result {
	switch {
	case r.Kind != sources.File:
		return failed(r, sources.Unanswerable, "it is not a local file")
	case !filepath.IsAbs(r.Name):
		return failed(r, sources.Unanswerable, "its path is not absolute")
	}
	content, err := disk.ReadInput(r.Name, maxSize)
	if err != nil {
		return unreadable(r, err)
	}
	return sources.Result{Value: sources.Value{Text: string(content)}}
}

func unreadable(r sources.Ref, err error) sources.Result {
	switch {
	case disk.IsForeign(err):
		return failed(r, sources.Denied, err.Error(), disk.Hints(err)...)
	case errors.Is(err, fs.ErrNotExist):
		return failed(r, sources.Missing, "")
	}
	reason := sources.Unavailable
	for _, known := range reasons {
		if errors.Is(err, known.err) {
			reason = known.reason
		}
	}
	return failed(r, reason, disk.Reason(err).Error())
}
