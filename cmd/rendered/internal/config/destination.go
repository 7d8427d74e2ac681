package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
)

// A destination is where a path: stands, and what it comes to.
type destination struct {
	path  string // as configured, absolute
	real  string // links followed
	at    fault.Place
	where string
}

// A reading is where a template: stands, and what it comes to.
type reading struct {
	path  string    // as configured, absolute
	real  [2]string // links followed, those of its last name and not
	dir   string    // that partials are in, links followed
	at    fault.Place
	where string
}

// destination keeps the path that a file is written to.
func (r *reader) destination(n *yaml.Node, where, path string, s *Service, f *File) {
	if dir := kernelDir(path); dir != "" {
		r.fault(n, where, fmt.Sprintf("%s lies in %s, where devices and the kernel's own files are; only a regular file is replaced", path, dir),
			"write it to a file, as below /etc or /run")
		return
	}
	f.Path = path
	d := destination{path: path, real: r.links.real(path), at: r.place(n), where: where}
	for _, first := range s.writes {
		if first.real == d.real {
			r.fault(n, where, path+" is written a second time; the first is at "+first.at.String())
			return
		}
	}
	s.writes = append(s.writes, d)
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

// claims wants no file to be written over what the config itself is made from, or where it would
// become a part of it: a pass would put a secret into its own template. It needs all files and
// paths to be known.
func (l *loader) claims() {
	l.cfg.reserved = l.readFiles()
	own := ownPaths{Config: l.cfg, parts: l.links.real(l.cfg.ConfD), state: l.links.real(l.cfg.StateDir), beside: make(map[string]bool)}
	for _, s := range l.cfg.Services {
		for _, f := range s.Files {
			if t := f.Template; t.Path == "" && t.Dir != "" {
				own.beside[l.links.real(t.Dir)] = true
			}
		}
	}
	for i := range l.cfg.Services {
		s := &l.cfg.Services[i]
		for _, d := range s.writes {
			if what, hints := own.overwritten(d); what != "" {
				l.cfg.faulty(s, d.at, d.where, d.path+what, hints...)
			}
		}
	}
}

// ownPaths are what the daemon itself reads and writes, links followed.
type ownPaths struct {
	*Config
	parts, state string          // directories
	beside       map[string]bool // directories whose partials the templates in the config have
}

// overwritten says what of the daemon's own a file would overwrite; "" where it is nothing.
func (o ownPaths) overwritten(d destination) (what string, hints []string) {
	dir, name := filepath.Split(d.real)
	dir = filepath.Clean(dir)
	switch {
	case o.reserved[d.real] != "":
		return " is " + o.reserved[d.real] + "; it would be overwritten", nil
	case dir == o.parts && IsPart(name):
		return " would be read as a part of the config", []string{"write it to another directory than conf.d"}
	case o.beside[dir] && strings.HasPrefix(name, "_"):
		return wouldBePartial, []string{partialHint}
	case d.real == o.state || strings.HasPrefix(d.real, o.state+"/"):
		return " lies in the state_dir, " + o.StateDir + ", which only rendered writes to", nil
	}
	return "", nil
}

const (
	wouldBePartial = " would be a partial of the templates beside it"
	partialHint    = "a name that begins with _ is one; write it elsewhere"
)

const theValues = "the values file"

// IsValues tells whether a path leads to a values file.
func (c *Config) IsValues(path string) bool {
	return c.reserved[resolve(path)] == theValues || c.reserved[real(path)] == theValues
}

// readFiles gives what each file that is read for all services is, by its path and by the path that
// it is a link to.
func (l *loader) readFiles() map[string]string {
	read := make(map[string]string)
	add := func(path, what string) {
		if path != "" {
			read[resolve(path)] = what
			read[real(path)] = what
		}
	}
	add(l.values, theValues)
	add(l.cfg.Values, theValues)
	add(l.cfg.Metrics.Textfile, "the textfile of the metrics")
	for _, in := range l.cfg.Inputs {
		if in.Match == nil {
			add(in.Path, "a file of the config")
		}
	}
	return read
}

// faulty notes what is wrong with a service at a place of the config.
func (c *Config) faulty(s *Service, at fault.Place, where, what string, hints ...string) {
	if where != "" {
		what = where + ": " + what
	}
	f := c.Warning(at, what, hints...)
	if !slices.ContainsFunc(s.Faults, func(known *fault.Fault) bool { return known.Error() == f.Error() }) {
		s.Faults = append(s.Faults, f)
	}
}
