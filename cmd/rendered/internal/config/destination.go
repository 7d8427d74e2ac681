package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
)

// A destination is where a path: stands, and what it comes to.
type destination struct {
	r     *reader
	node  *yaml.Node
	where string
	path  string // as configured, absolute
	real  string // links followed
}

func (d *destination) fault(what string, hints ...string) {
	d.r.fault(d.node, d.where, fmt.Sprintf("%s %s", d.path, what), hints...)
}

// destination reads the path that a file is written to.
func (l *loader) destination(r *reader, n *yaml.Node, where string, f *File) {
	path, ok := r.filePathOf(n, where)
	if !ok {
		return
	}
	if dir := kernelDir(path); dir != "" {
		r.fault(n, where, fmt.Sprintf("%s lies in %s, where devices and the kernel's own files are; only a regular file is replaced", path, dir),
			"write it to a file, as below /etc or /run")
		return
	}
	f.Path = path
	d := &destination{r: r, node: n, where: where, path: path, real: real(path)}
	if first := l.byPath[d.real]; first != nil {
		d.fault("is written a second time; the first is at " + first.r.place(first.node).String())
		return
	}
	l.byPath[d.real] = d
}

// kernelDir gives the directory that holds no files to be written by name: /dev/stdout leads to
// whatever the process has open there. Of /dev there is one part that is for files
// (shm_overview(7)).
func kernelDir(path string) string {
	for _, dir := range []string{"/dev", "/proc", "/sys"} {
		if strings.HasPrefix(path, dir+"/") && !strings.HasPrefix(path, "/dev/shm/") {
			return dir
		}
	}
	return ""
}

// destinations wants no file to be written over what the plan is made from, or where it would become a part of it: a pass would
// put a secret into its own template. It needs all files and paths to be known.
func (l *loader) destinations() {
	read := l.readFiles()
	dirs := make(map[string]bool)
	for _, s := range l.cfg.Services {
		for _, f := range s.Files {
			if f.Template.Dir != "" {
				dirs[real(f.Template.Dir)] = true
			}
		}
	}
	parts, state := real(l.cfg.ConfD), real(l.cfg.StateDir)
	for _, d := range l.byPath {
		dir, name := filepath.Split(d.real)
		dir = filepath.Clean(dir)
		switch {
		case read[d.real] != "":
			d.fault("is " + read[d.real] + "; it would be overwritten")
		case dir == parts && IsPart(name):
			d.fault("would be read as a part of the config", "write it to another directory than conf.d")
		case dirs[dir] && strings.HasPrefix(name, "_"):
			d.fault("would be a partial of the templates beside it", "a name that begins with _ is one; write it elsewhere")
		case d.real == state || strings.HasPrefix(d.real, state+"/"):
			d.fault("lies in the state_dir, " + l.cfg.StateDir + ", which only rendered writes to")
		default:
			l.beneath(d)
		}
	}
}

// readFiles gives what each file that is read is, by its path and by the path that it is a link to.
func (l *loader) readFiles() map[string]string {
	read := make(map[string]string)
	add := func(path, what string) {
		if path != "" {
			read[resolve(path)] = what
			read[real(path)] = what
		}
	}
	add(l.values, "the values file")
	add(l.cfg.Values, "the values file")
	for _, s := range l.cfg.Services {
		for _, f := range s.Files {
			add(f.Template.Path, "the template at "+f.Template.Place.String())
		}
	}
	for _, in := range l.cfg.Inputs {
		if in.Match == nil {
			add(in.Path, "a file of the config")
		}
	}
	return read
}

// beneath wants none of the directories on the way to a file to be a file that is written.
func (l *loader) beneath(d *destination) {
	for dir := filepath.Dir(d.real); dir != "/"; dir = filepath.Dir(dir) {
		if file := l.byPath[dir]; file != nil {
			d.fault(fmt.Sprintf("is to stand in %s, which is written as a file at %s", file.path, file.place()))
			return
		}
	}
}

func (d *destination) place() fault.Place { return d.r.place(d.node) }
