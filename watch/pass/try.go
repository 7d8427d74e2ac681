package pass

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render/preview"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
)

// Try says, as Resolve does, what is wrong with the service's files, and has the checks judge them
// as well: of copies that are written below a directory, which it makes, with their modes and, as
// far as we may, their owners. The service's check sees these in their places. Nothing else is
// written, and nobody is told.
func (k *Keeper) Try(ctx context.Context, snapshot *sources.Snapshot, dir string) fault.List {
	p := &pass{Keeper: k, ctx: ctx, snapshot: snapshot, foresees: true}
	return k.faultsOf(func() error {
		return through(p.resolve, func() error { return os.Mkdir(dir, passed) }, func() error { return p.tryIn(dir) })
	})
}

// passed is the mode of directories with copies. A check may be of another user; the copies have
// their own modes.
const passed = 0o711

// tryIn checks the files in a directory, and as what is at their paths.
func (p *pass) tryIn(dir string) error {
	var files []preview.File
	for i, r := range p.renderings {
		f := p.files[i]
		if f.Check.IsZero() && p.service.Check.IsZero() {
			continue
		}
		at, staged, err := aside(filepath.Join(dir, strconv.Itoa(i)), r.Target)
		if err != nil {
			return unchecked(f.Path, err)
		}
		files = append(files, preview.File{Staged: staged, Path: at})
		if f.Check.IsZero() {
			continue
		}
		if failed := f.CheckStaged(p.ctx, staged, nil, p.shownOfCheck); failed != nil {
			return &FileError{f.Path, failed}
		}
	}
	if p.service.Check.IsZero() {
		return nil
	}
	if failed := p.examine(p.ctx, p.service.Check, files, p.shownOfCheck); failed != nil {
		return failed
	}
	return nil
}

// unchecked says that a file cannot be checked.
func unchecked(path string, err error) *FileError {
	f := &fault.Fault{Place: fault.Place{File: path}, What: fmt.Sprintf("it cannot be checked: %v", disk.Reason(err)), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		f.Hints = []string{"a pass makes a directory where dir_mode: says so; for a check before that, make it, or check where it is"}
	}
	return &FileError{path, f}
}

// aside writes a file to a new directory, under its own name, by which some checks go. It gives
// where the file would be, and where it is.
func aside(dir string, t swap.Target) (at, path string, err error) {
	if at, err = whereabouts(t.Path); err != nil {
		return "", "", err
	}
	if err := os.Mkdir(dir, passed); err != nil {
		return "", "", err
	}
	path = filepath.Join(dir, filepath.Base(t.Path))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	if _, err := f.Write(t.Content); err != nil {
		return "", "", err
	}
	uid, gid, mode := t.UID, t.GID, t.Mode
	if found, err := os.Stat(at); err == nil {
		if t.KeepMode {
			mode = found.Mode().Perm()
		}
		if of, ok := found.Sys().(*syscall.Stat_t); ok && uid == swap.Keep {
			uid = int(of.Uid)
		}
		if of, ok := found.Sys().(*syscall.Stat_t); ok && gid == swap.Keep {
			gid = int(of.Gid)
		}
	}
	if err := f.Chown(uid, gid); err != nil && os.Geteuid() == 0 {
		return "", "", err
	}
	return at, path, f.Chmod(mode)
}

// whereabouts gives the path of a destination without the links that lead to it.
func whereabouts(path string) (string, error) {
	if at, err := filepath.EvalSymlinks(path); err == nil {
		return at, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}
