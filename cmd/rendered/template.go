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
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/disk"
	"github.com/rendered/rendered/render/fault"
	"github.com/rendered/rendered/watch/sandbox"
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
		Env:      os.LookupEnv,
		Hostname: c.hostname,
		MaxSize:  f.MaxSize,
	}
	t := f.Template
	switch {
	case t.Path != "":
		body, err := readTemplate(t.Path)
		if err != nil {
			return o, &fault.Fault{Place: t.Place, What: fmt.Sprintf("template %s: %v", t.Path, err), Hints: sandbox.Unseen(t.Path), Err: err}
		}
		o.Main = render.Text{Name: filepath.Base(t.Path), Body: body}
	default:
		o.Main = render.Text{Name: t.Place.File, Body: t.Content, Line: t.Line, Column: t.Column}
	}
	var failed *fault.Fault
	o.Partials, failed = beside.partials(t)
	return o, failed
}

// isPartial tells whether a name in the directory of a template is that of a partial. What editors leave behind is not.
func isPartial(name string) bool {
	return strings.HasPrefix(name, "_") && !strings.HasSuffix(name, "~") && !strings.HasSuffix(name, ".swp")
}

// A library holds the partials of the directories that the templates of a plan stand in. Each is read once.
type library map[string]shelf

// A shelf is what one directory has.
type shelf struct {
	texts  []render.Text
	failed *fault.Fault
}

// partials gives the partials beside a template.
func (l library) partials(t config.Template) ([]render.Text, *fault.Fault) {
	s, read := l[t.Dir]
	if !read {
		s.texts, s.failed = readPartials(t.Dir)
		l[t.Dir] = s
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
