package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/render/disk"
	"github.com/rendered/rendered/render/fault"
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

// maxLinks is how many links a path may lead through (path_resolution(7)).
const maxLinks = 40

// follow goes the way to a path as the kernel does, and looks at all that is on it. What cannot be looked at is for others to tell.
func (d *doubts) follow(path string) {
	at, todo := "/", names(path)
	d.look(at)
	for links := 0; len(todo) > 0 && links <= maxLinks; {
		name := todo[0]
		todo = todo[1:]
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		here := filepath.Join(at, name)
		if mode := d.look(here); mode.Type() != fs.ModeSymlink {
			at = here
			continue
		}
		links++
		target, err := os.Readlink(here)
		if err != nil {
			return
		}
		if todo = append(names(target), todo...); filepath.IsAbs(target) {
			at = "/"
		}
	}
}

// names gives the components of a path; ".." stays, as the kernel resolves it after links.
func names(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}

// look looks at one file, directory or link, and notes who else than root can change it.
func (d *doubts) look(path string) (mode fs.FileMode) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	if err = trusted(info, listed(path)); err != nil && !d.known[path] {
		d.faults = append(d.faults, d.doubt(path, info.Mode(), err))
	}
	d.known[path] = true
	return info.Mode()
}

func (d *doubts) doubt(path string, mode fs.FileMode, err error) *fault.Fault {
	what, hint := "it", "chown root:root "+path+" && chmod go-w "+path
	switch {
	case mode.Type() == fs.ModeSymlink:
		what, hint = "what it leads to", "chown -h root:root "+path
	case !d.inputs[path]:
		what, hint = "what it leads to", "what root works from belongs where root alone can write, as /etc/rendered and /var/lib/rendered"
	}
	return &fault.Fault{Place: fault.Place{File: path}, What: err.Error() + "; root does not work from " + what, Hints: []string{hint}}
}

// listed tells whether a file has an access control list, of which the bits of its group are the mask (acl(5)): they say then what anybody
// may be given.
func listed(path string) bool {
	_, err := unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return err == nil
}

// trusted says who else than root can change a file, the names in a directory, or where a link leads.
func trusted(info fs.FileInfo, listed bool) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	switch {
	case !ok:
		return nil
	case owner.Uid != 0:
		return fmt.Errorf("it belongs to user %d", owner.Uid)
	case mode.Type() == fs.ModeSymlink, info.IsDir() && mode&fs.ModeSticky != 0:
		return nil
	case mode&0o002 != 0:
		return errors.New("everybody can write to it")
	case mode&0o020 != 0 && listed:
		return errors.New("its access control list lets others write to it")
	case mode&0o020 != 0 && owner.Gid != 0:
		return fmt.Errorf("group %d can write to it", owner.Gid)
	}
	return nil
}
