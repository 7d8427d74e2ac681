package recipes

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/rendered/rendered/cmd/rendered/internal/newdir"
	"github.com/rendered/rendered/internal/fault"
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
	// The values file soon holds a real one.
	if failed := newdir.Write(dir, files, valuesFile, "name another directory: rendered init "+name+" DIR"); failed != nil {
		return fault.List{failed}
	}
	for _, name := range newdir.Names(files) {
		fmt.Fprintf(stdout, "created   %s\n", filepath.Join(dir, name))
	}
	_, err = fmt.Fprintf(stdout, "next      cd %s && rendered check && rendered once --root out\n", newdir.Quoted(dir))
	return err
}
