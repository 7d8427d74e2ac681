package recipes

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

const (
	dirMode  = 0o755
	fileMode = 0o644
	// valuesMode is that of the values file, which soon holds a real one.
	valuesMode = 0o600
)

// Write writes the recipe of a name to a directory, which it makes, or finds empty, and prints what
// it wrote and what to do next. It writes over nothing, and where something fails it leaves
// nothing behind. An error that is no fault.List is a mistake in the name.
func Write(name, dir string, stdout io.Writer) error {
	r, err := find(name)
	if err != nil {
		return err
	}
	files := r.toBeginWith()
	made, failed := makeEmpty(dir, name)
	if failed != nil {
		return fault.List{failed}
	}
	if failed := writeAll(dir, files); failed != nil {
		if made {
			_ = os.Remove(dir)
		}
		return fault.List{failed}
	}
	for _, name := range names(files) {
		fmt.Fprintf(stdout, "created   %s\n", filepath.Join(dir, name))
	}
	_, err = fmt.Fprintf(stdout, "next      cd %s && rendered check && rendered once --root out\n", quoted(dir))
	return err
}

// makeEmpty makes the directory, or finds it empty. It reports whether it made it.
func makeEmpty(dir, recipe string) (made bool, _ *fault.Fault) {
	failed := func(err error, hints ...string) (bool, *fault.Fault) {
		return false, &fault.Fault{Place: fault.Place{File: dir}, What: disk.Reason(err).Error(), Hints: hints, Err: err}
	}
	another := "name another directory: rendered init " + recipe + " DIR"
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
func writeAll(dir string, files map[string]string) *fault.Fault {
	for i, name := range names(files) {
		path := filepath.Join(dir, name)
		mode := fs.FileMode(fileMode)
		if name == valuesFile {
			mode = valuesMode
		}
		if err := writeNew(path, files[name], mode); err != nil {
			for _, name := range names(files)[:i] {
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

func names(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }
