package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// passing tells whether nothing is wrong with a config but what may pass without anybody who mends it.
func passing(err error) bool {
	list, _ := err.(fault.List)
	return len(list) > 0 && !slices.ContainsFunc(list, func(f *fault.Fault) bool {
		t, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](f.Err)
		return !ok || !t.Temporary()
	})
}

// silent finds what of a plan's inputs, and of its values, cannot be read because its file system hangs. Whoever read it would hang, too.
func silent(list []inputs.Input, values string) (faults fault.List) {
	if values != "" {
		list = append(slices.Clone(list), inputs.Input{Path: values})
	}
	for _, in := range list {
		if !disk.Answers(in.Path) {
			faults = append(faults, &fault.Fault{Place: fault.Place{File: in.Path}, What: disk.ErrSilent.Error(), Err: disk.ErrSilent})
		}
	}
	return faults
}

// distrust finds what others than root can change of that which root renders and runs: whoever writes to a template has root look up
// what he likes, and whoever writes to the config has it run what he likes. So has he who can put another file or directory in the place
// of one on the way to it. Where we are not root there is nothing to find.
func distrust(list []inputs.Input) (faults fault.List) {
	if os.Geteuid() != 0 {
		return nil
	}
	d := doubts{inputs: make(map[string]bool), known: make(map[string]bool)}
	for _, in := range list {
		d.inputs[in.Path] = true
	}
	for _, in := range list {
		d.follow(in.Path)
		if in.Match == nil {
			continue
		}
		entries, _ := os.ReadDir(in.Path) // whoever reads it says what is wrong
		for _, e := range entries {
			if path := filepath.Join(in.Path, e.Name()); in.Match(e.Name()) && disk.Answers(path) {
				d.inputs[path] = true
				d.follow(path)
			}
		}
	}
	return d.faults
}

// doubts collects faults.
type doubts struct {
	inputs map[string]bool
	known  map[string]bool // what was looked at
	faults fault.List
}

// follow goes the way to a path as the kernel does, and looks at all that is on it. What cannot be looked at is for others to tell.
func (d *doubts) follow(path string) {
	way, err := disk.Walk(path)
	if err == disk.ErrSilent {
		return
	}
	for _, s := range way.Steps {
		d.note(s.Path(), s.Type, s.Doubt())
	}
	if by := way.Doubts(); len(by) > 0 {
		d.note(by[len(by)-1].Path, 0, by[len(by)-1]) // that it has another name is no doubt about itself
	}
}

// note notes who else than root can change one file, directory or link.
func (d *doubts) note(path string, kind fs.FileMode, by *disk.Doubt) {
	if by != nil && !d.known[path] {
		d.faults = append(d.faults, d.doubt(path, kind, by.What))
		d.known[path] = true
	}
}

func (d *doubts) doubt(path string, kind fs.FileMode, how string) *fault.Fault {
	what, hint := "it", "chown root:root "+path+" && chmod go-w "+path
	switch {
	case kind == fs.ModeSymlink:
		what, hint = "what it leads to", "chown -h root:root "+path
	case !d.inputs[path]:
		what, hint = "what it leads to", "what root works from belongs where root alone can write, as /etc/rendered and /var/lib/rendered"
	}
	return &fault.Fault{Place: fault.Place{File: path}, What: how + "; root does not work from " + what, Hints: []string{hint}}
}
