package local

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/rendered/rendered/sources"
)

// Files answers File refs with the content of the file of that name. A local file may hold a key, so its content counts as a
// secret.
type Files struct{}

// Fetch reads each file anew. Names are absolute paths; only regular files of up to 16 MiB are read, and none is waited for.
func (*Files) Fetch(ctx context.Context, refs []sources.Ref, deliver func(sources.Ref, sources.Result)) {
	fetch(ctx, refs, deliver, readFile)
}

func readFile(r sources.Ref) sources.Result {
	switch {
	case r.Kind != sources.File:
		return failed(r, sources.Unanswerable, "it is not a local file")
	case !filepath.IsAbs(r.Name):
		return failed(r, sources.Unanswerable, "its path is not absolute")
	}
	content, err := readRegular(r.Name)
	switch {
	case err == nil:
		return sources.Result{Value: sources.Value{Text: string(content), Secret: true}}
	case errors.Is(err, fs.ErrNotExist):
		return failed(r, sources.Missing, "")
	case errors.Is(err, syscall.ENOTDIR):
		return failed(r, sources.Missing, cause(err))
	case errors.Is(err, fs.ErrPermission):
		return failed(r, sources.Denied, cause(err))
	case errors.Is(err, syscall.EISDIR), errors.Is(err, errNotRegular), errors.Is(err, errTooLarge), errors.Is(err, syscall.ENAMETOOLONG):
		return failed(r, sources.Unanswerable, cause(err))
	}
	return failed(r, sources.Unavailable, cause(err))
}
