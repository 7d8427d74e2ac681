// Package cases runs the test cases that stand beside templates: what a template gives for vars and
// values that a case has, and what is expected of it. Nobody is asked, and nothing but golden files
// is written.
package cases

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
)

// Options are what is run, and how it is shown.
type Options struct {
	Paths   []string // files of cases, and directories that are searched for them; none: the working directory
	Config  string   // path of the config of those that do not name theirs; "": the one beside or above them
	Update  bool     // golden files get what their templates give
	Verbose bool     // cases that pass are printed, too
	Format  Format
}

// A result is what came of a case, or of a file of cases that cannot be used.
type result struct {
	file   string // path
	name   string // of the case; "": the file
	place  fault.Place
	took   time.Duration
	faults fault.List // none: it passed
	update string     // path of the golden file that was written
}

// Run runs the cases, and prints what failed. It reports whether all passed.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) (bool, error) {
	paths, faults := find(o.Paths)
	if len(faults) > 0 {
		return false, faults
	}
	r := runner{Options: o, configs: make(map[string]*config.Config), values: make(map[*yaml.Node]*values)}
	var list []result
	for _, path := range paths {
		list = append(list, r.file(ctx, path)...)
	}
	return r.print(list, len(paths), stdout, stderr), nil
}

// find gives the files of cases that are named or in a directory, each once. Of a directory hidden
// ones are left out.
func find(named []string) (paths []string, faults fault.List) {
	if len(named) == 0 {
		named = []string{"."}
	}
	fail := func(path string, err error, hints ...string) {
		faults = append(faults, &fault.Fault{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: hints, Err: err})
	}
	for _, name := range named {
		before := len(paths)
		err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path != name && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
			case !d.IsDir() && (path == name || strings.HasSuffix(path, config.CasesSuffix)):
				paths = append(paths, path)
			}
			return nil
		})
		switch {
		case err != nil:
			fail(name, err)
		case len(paths) == before:
			fail(name, errors.New("there are no cases in it"), "they stand beside a template app.env.tmpl in app.env"+config.CasesSuffix)
		}
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(paths, func(path string) bool {
		path = filepath.Clean(path)
		twice := seen[path]
		seen[path] = true
		return twice
	}), faults
}

// A runner runs cases one after another. What several of them are made of it reads and parses once.
type runner struct {
	Options
	configs map[string]*config.Config // by path
	values  map[*yaml.Node]*values    // by where they stand
	parser  render.Parser
}

// file runs the cases of a file.
func (r *runner) file(ctx context.Context, path string) (list []result) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	c, faults := config.ReadCases(abs)
	var of subject
	if len(faults) == 0 {
		of, faults = r.subject(c)
	}
	if len(faults) > 0 {
		return []result{{file: path, place: faults[0].Place, faults: faults}}
	}
	for i := range c.List {
		one := &c.List[i]
		begun := time.Now()
		res := result{file: path, name: one.Name, place: one.Place}
		if mistake := fault.Caught(func() { r.run(ctx, of, one, &res) }); mistake != nil {
			res.faults = fault.List{mistake}
		}
		res.took = time.Since(begun)
		list = append(list, res)
	}
	return list
}

// configOf gives the path of the config that a file of cases is of; "" where it is of none.
func (r *runner) configOf(c *config.Cases) string {
	if c.Config != "" || r.Config != "" {
		return cmp.Or(c.Config, r.Config)
	}
	dir := filepath.Dir(c.Path)
	if filepath.Base(dir) == "conf.d" {
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "rendered.yaml")
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path
	}
	return ""
}
