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

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/render"
)

// maxTemplate bounds a template or a partial, in bytes.
const maxTemplate = 4 << 20

// template reads what a file's template is made of. The fault is that of the template itself or of a partial that cannot be
// read.
func (c *compiler) template(f *config.File, vars map[string]any, beside library) (render.Options, *fault.Fault) {
	o := render.Options{
		Left:     f.Left,
		Right:    f.Right,
		Dir:      f.Template.Dir,
		Vars:     vars,
		Env:      c.env,
		Hostname: c.hostname,
		MaxSize:  f.MaxSize,
		Placed:   !f.Format.IsZero() && !f.Free,
	}
	t := f.Template
	switch {
	case t.Path != "":
		body, err := readTemplate(t.Path)
		if err != nil {
			return o, &fault.Fault{Place: t.Place, What: fmt.Sprintf("template %s: %v", t.Path, err), Hints: sandbox.Unseen(t.Path), Err: err}
		}
		o.Main = render.Text{Name: filepath.Base(t.Path), Shown: beside.shown(t), Body: body}
	default:
		o.Main = render.Text{Name: t.Place.File, Body: t.Content, Line: t.Line, Column: t.Column}
	}
	var failed *fault.Fault
	o.Partials, failed = beside.partials(t)
	return o, failed
}

// env gives an environment variable, which may be a secret.
func (c *compiler) env(name string) (string, bool) {
	value, ok := os.LookupEnv(name)
	if ok {
		c.redactor.LearnText(value)
	}
	return value, ok
}

// isPartial tells whether a name in the directory of a template is that of a partial. What editors leave behind is not.
func isPartial(name string) bool {
	return strings.HasPrefix(name, "_") && !strings.HasSuffix(name, "~") && !strings.HasSuffix(name, ".swp")
}

// A library holds the partials of the directories that the templates of a plan stand in. Each is read once.
type library struct {
	shelves  map[string]shelf
	prefixes map[string]string // what the config writes before the names of a directory
}

// newLibrary gives the library of a config. A template, and what stands beside it, is called as the
// config writes it: two of one name are told apart. Where two directories are written alike, as
// beside the config and in conf.d, they are called by their whole paths.
func newLibrary(cfg *config.Config) library {
	l := library{make(map[string]shelf), make(map[string]string)}
	dirs := make(map[string]string) // by prefix
	for _, s := range cfg.Services {
		for _, f := range s.Files {
			t := f.Template
			if t.Path == "" {
				continue
			}
			prefix := strings.TrimSuffix(t.Written, filepath.Base(t.Written))
			if other, twice := dirs[prefix]; twice && other != t.Dir {
				l.prefixes[other], l.prefixes[t.Dir] = other+"/", t.Dir+"/"
				continue
			}
			dirs[prefix] = t.Dir
			if _, known := l.prefixes[t.Dir]; !known {
				l.prefixes[t.Dir] = prefix
			}
		}
	}
	return l
}

// shown gives the name by which a person finds a template.
func (l library) shown(t config.Template) string {
	if prefix := l.prefixes[t.Dir]; prefix == t.Dir+"/" {
		return t.Path
	}
	return t.Written
}

// A shelf is what one directory has.
type shelf struct {
	texts  []render.Text
	failed *fault.Fault
}

// partials gives the partials beside a template.
func (l library) partials(t config.Template) ([]render.Text, *fault.Fault) {
	s, read := l.shelves[t.Dir]
	if !read {
		s.texts, s.failed = readPartials(t.Dir)
		for i := range s.texts {
			s.texts[i].Shown = l.prefixes[t.Dir] + s.texts[i].Name
		}
		l.shelves[t.Dir] = s
	}
	return slices.DeleteFunc(slices.Clone(s.texts), func(x render.Text) bool {
		return filepath.Join(t.Dir, x.Name) == t.Path
	}), s.failed
}

func readPartials(dir string) ([]render.Text, *fault.Fault) {
	entries, _ := os.ReadDir(dir) // sorted; where there is none, the template's own fault says so
	var list []render.Text
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !isPartial(e.Name()) {
			continue
		}
		switch st, err := disk.Stat(path); {
		case err == disk.ErrSilent:
			return nil, &fault.Fault{Place: fault.Place{File: path}, What: "partial: " + err.Error(), Err: err}
		case err == nil && !st.Mode().IsRegular():
			continue
		}
		body, err := readTemplate(path)
		if err != nil {
			return nil, &fault.Fault{Place: fault.Place{File: path}, What: "partial: " + err.Error(), Err: err}
		}
		list = append(list, render.Text{Name: e.Name(), Body: body})
	}
	return list, nil
}

// readTemplate reads a regular file and waits for nothing.
func readTemplate(path string) (string, error) {
	body, err := disk.ReadFile(path, maxTemplate)
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the path is said already
		if err == syscall.EISDIR {
			err = disk.ErrNotRegular
		}
	}
	return string(body), err
}
