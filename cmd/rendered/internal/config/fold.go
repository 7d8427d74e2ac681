package config

import (
	"os"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
)

// A path that a file is written to may have actions. What they give is known when the config is
// read, so that everybody else has to do with the path that they make alone.

// targetOf reads the path of a service's file.
func (l *loader) targetOf(r *reader, n *yaml.Node, where string, s *Service) (string, bool) {
	text, ok := r.pathText(n, where)
	if ok && isTemplate(text) {
		text, ok = l.fold(r, n, where, s)
	}
	if !ok {
		return "", false
	}
	return r.filePathFrom(n, where, text)
}

// isTemplate tells whether a path has actions.
func isTemplate(path string) bool { return strings.Contains(path, "{{") }

// fold gives what a path with actions comes to for a service whose vars are known.
func (l *loader) fold(r *reader, n *yaml.Node, where string, s *Service) (string, bool) {
	var t Template
	r.readContent(n, where, &t)
	exact := t.Place.File == r.path
	name, faults := render.ParseName(render.Options{
		Main: render.Text{Name: t.Place.File, Body: n.Value, Line: t.Line, Column: t.Column},
		Vars: merged(l.vars, s.Vars, l.Vars), Env: l.env, Hostname: l.hostname(),
	})
	var text string
	if len(faults) == 0 {
		var failed *fault.Fault
		if text, failed = name.Text(); failed != nil {
			faults = fault.List{failed}
		}
	}
	for _, f := range faults {
		if !exact || f.Place.Line == 0 {
			f.Place = r.place(n)
		}
		r.add(&fault.Fault{Place: f.Place, What: where + ": " + f.What, Line: r.shown(f.Place.Line), Hints: f.Hints, Err: f.Err})
	}
	switch {
	case len(faults) > 0:
		return "", false
	case strings.Contains(text, "//") && !strings.Contains(n.Value, "//"):
		r.fault(n, where, "a name in this path is empty: it comes to "+short(text))
		return "", false
	}
	return text, true
}

// env gives an environment variable.
func (l *loader) env(name string) (string, bool) {
	if l.Env != nil {
		return l.Env(name)
	}
	return os.LookupEnv(name)
}

// hostname gives the name of this machine; "" where it has none.
func (l *loader) hostname() string {
	if l.Hostname != "" {
		return l.Hostname
	}
	name, _ := os.Hostname()
	return name
}
