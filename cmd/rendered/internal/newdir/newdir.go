// Package newdir writes a directory of files for somebody to begin with.
package newdir

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

const (
	dirMode     = 0o755
	fileMode    = 0o644
	privateMode = 0o600
)

// Write writes files, by their names, to a directory, which it makes, or finds empty. It writes
// over nothing, and where something fails it leaves nothing behind. The file named private, where
// there is one, is for its owner alone. another says how to name another directory.
func Write(dir string, files map[string]string, private, another string) *fault.Fault {
	made, failed := makeEmpty(dir, another)
	if failed != nil {
		return failed
	}
	failed = writeAll(dir, files, private)
	if failed != nil && made {
		_ = os.Remove(dir)
	}
	return failed
}

// makeEmpty makes the directory, or finds it empty. It reports whether it made it.
func makeEmpty(dir, another string) (made bool, _ *fault.Fault) {
	failed := func(err error, hints ...string) (bool, *fault.Fault) {
		return false, &fault.Fault{Place: fault.Place{File: dir}, What: disk.Reason(err).Error(), Hints: hints, Err: err}
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), dirMode); err != nil {
		return failed(err, another)
	}
	err := os.Mkdir(dir, dirMode)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return failed(err, another)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case err != nil:
		return failed(err, another)
	case len(entries) > 0:
		return failed(errors.New("the directory is not empty, and nothing is written over what is there"), another)
	}
	return false, nil
}

// writeAll writes files to a directory, all of them or none.
func writeAll(dir string, files map[string]string, private string) *fault.Fault {
	for i, name := range Names(files) {
		path := filepath.Join(dir, name)
		mode := fs.FileMode(fileMode)
		if name == private {
			mode = privateMode
		}
		if err := writeNew(path, files[name], mode); err != nil {
			for _, name := range Names(files)[:i] {
				_ = os.Remove(filepath.Join(dir, name))
			}
			return &fault.Fault{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}
		}
	}
	return nil
}

// writeNew makes a file. Where that fails there is none.
func writeNew(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

// Names gives the names of files, sorted.
func Names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// plain is what a shell takes as it is.
var plain = lazyregexp.New(`^[\w./@%+,:-]+$`)

// Quoted gives a path as a shell reads it.
func Quoted(path string) string {
	if plain.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
