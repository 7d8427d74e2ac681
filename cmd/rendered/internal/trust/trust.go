// Package trust finds inputs that root must not work from. Whoever can change a template has root
// look up what they like, and whoever can change the config has root run what they like. So has
// whoever can put another file or directory in the place of one on the way to it.
package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// Hanging gives a fault for each input whose file system does not answer. Whoever reads such a file
// hangs, too. Each fault wraps disk.ErrSilent.
func Hanging(list []inputs.Input) (faults fault.List) {
	for _, in := range list {
		if !disk.Answers(in.Path) {
			faults = append(faults, &fault.Fault{Place: fault.Place{File: in.Path}, What: disk.ErrSilent.Error(), Err: disk.ErrSilent})
		}
	}
	return faults
}

// Check is Checker.Check of inputs that are checked once.
func Check(list []inputs.Input) fault.List { return NewChecker(list).Check(list) }

// A Checker finds inputs that others than root can change. It looks at each once.
type Checker struct {
	inputs map[string]bool // paths
	// found is by the path of an input that was looked at, with a / where it is a directory with
	// what is in it.
	found map[string]fault.List
}

// NewChecker makes a checker of these inputs. What else is on the way to one is said to lead to it.
func NewChecker(list []inputs.Input) *Checker {
	c := &Checker{inputs: make(map[string]bool), found: make(map[string]fault.List)}
	for _, in := range list {
		c.inputs[in.Path] = true
	}
	return c
}

// Check gives a fault for each file, directory and link that others than root can change and that
// is an input, or on the way to one. Of a directory with a Match it looks at the matching entries,
// too. Where this process is not root's it finds nothing.
func (c *Checker) Check(list []inputs.Input) (faults fault.List) {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, in := range list {
		key := in.Path
		if in.Match != nil {
			key += "/"
		}
		found, looked := c.found[key]
		if !looked {
			found = c.look(in)
			c.found[key] = found
		}
		faults = append(faults, found...)
	}
	return faults.Unique()
}

func (c *Checker) look(in inputs.Input) fault.List {
	known := make(map[string]bool)
	faults := c.follow(in.Path, known)
	if in.Match == nil {
		return faults
	}
	entries, _ := os.ReadDir(in.Path) // whoever reads it says what is wrong
	for _, e := range entries {
		if path := filepath.Join(in.Path, e.Name()); in.Match(e.Name()) && disk.Answers(path) {
			c.inputs[path] = true
			faults = append(faults, c.follow(path, known)...)
		}
	}
	return faults
}

// follow goes the way to a path as the kernel does, and looks at all that is on it. What cannot be
// looked at is for others to tell, and what is known is told already.
func (c *Checker) follow(path string, known map[string]bool) (faults fault.List) {
	way, err := disk.Walk(path)
	switch {
	case err == disk.ErrSilent:
		return nil
	case errors.Is(err, disk.ErrUnseen):
		return fault.List{{What: disk.ErrUnseen.Error(), Err: err}}
	}
	note := func(path string, kind fs.FileMode, by *disk.Doubt) {
		if by != nil && !known[path] {
			known[path] = true
			faults = append(faults, c.doubt(path, kind, by.What))
		}
	}
	for _, s := range way.Steps {
		note(s.Path(), s.Type, s.Doubt())
	}
	if by := way.Doubts(); len(by) > 0 {
		// That the file has another name is no doubt about itself.
		note(by[len(by)-1].Path, 0, by[len(by)-1])
	}
	return faults
}

// doubt says how others than root can change one file, directory or link.
func (c *Checker) doubt(path string, kind fs.FileMode, how string) *fault.Fault {
	what, hint := "it", "chown root:root "+path+" && chmod go-w "+path
	switch {
	case kind == fs.ModeSymlink:
		what, hint = "what it leads to", "chown -h root:root "+path
	case !c.inputs[path]:
		what, hint = "what it leads to", "what root works from belongs where root alone can write, as /etc/rendered and /var/lib/rendered"
	}
	return &fault.Fault{Place: fault.Place{File: path}, What: how + "; root does not work from " + what, Hints: []string{hint}}
}
