package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
)

// A path that a file is written to may have actions. What they give is known when the config is
// read, so that everybody else has to do with the path that they make alone. That of a file which
// stands for one for each key has a * in the place of the key: no other path has one.

// plainKey is a key like any other.
const plainKey = "x"

// targetOf reads the path of a service's file, or one that is to be that.
func (l *loader) targetOf(r *reader, n *yaml.Node, where string, s *Service, keyed bool) (string, bool) {
	text, ok := r.pathText(n, where)
	if !ok {
		return "", false
	}
	if !isTemplate(text) {
		return r.filePathFrom(n, where, text)
	}
	name, ok := l.nameOf(r, n, where, s, keyed)
	if !ok || !l.begins(r, n, where, s, keyed) {
		return "", false
	}
	pattern, ok := r.folded(n, where, name, render.AnyKey)
	if !ok || !strings.Contains(pattern, render.AnyKey) {
		return pattern, ok
	}
	if text, ok = r.folded(n, where, name, plainKey); ok {
		_, ok = r.filePathFrom(n, where, text)
	}
	return r.absolute(pattern), ok
}

// isTemplate tells whether a path has actions.
func isTemplate(path string) bool { return strings.Contains(path, "{{") }

// nameOf reads a path with actions of a service whose vars are known.
func (l *loader) nameOf(r *reader, n *yaml.Node, where string, s *Service, keyed bool) (*render.Name, bool) {
	var t Template
	r.readContent(n, where, &t)
	name, faults := render.ParseName(render.Options{
		Main: render.Text{Name: t.Place.File, Body: n.Value, Line: t.Line, Column: t.Column},
		Vars: merged(l.vars, s.Vars, l.Vars), Env: l.env, Hostname: l.hostname(), Keyed: keyed,
	})
	for _, f := range faults {
		r.faultIn(n, where, f)
	}
	return name, len(faults) == 0
}

// nothingBefore stands in a path behind the actions that it begins with. No path holds it.
const nothingBefore = "\x00"

// begins reports that the actions which a path begins with, and behind which a / stands, give
// something: with nothing there it would be a path below the root directory.
func (l *loader) begins(r *reader, n *yaml.Node, where string, s *Service, keyed bool) bool {
	head, rest, found := strings.Cut(n.Value, "}}/")
	if !found || !strings.HasPrefix(head, "{{") {
		return true
	}
	var unsaid fault.List
	marked := *n
	marked.Value = head + "}}" + nothingBefore + "/" + rest
	name, ok := l.nameOf(&reader{path: r.path, lines: r.lines, faults: &unsaid}, &marked, where, s, keyed)
	if !ok {
		return true
	}
	if text, failed := name.Text(plainKey); failed != nil || !strings.HasPrefix(text, nothingBefore) {
		return true
	}
	r.fault(n, where, "the name that this path begins with is empty: it comes to a path below /", "a path from the root directory begins with the / itself")
	return false
}

// faultIn notes a fault of a template that stands at a node.
func (r *reader) faultIn(n *yaml.Node, where string, f *fault.Fault) {
	at := f.Place
	if at.File != r.path || at.Line == 0 { // the config does not show it as it is
		at = r.place(n)
	}
	r.add(&fault.Fault{Place: at, What: where + ": " + f.What, Line: r.shown(at.Line), Hints: f.Hints, Err: f.Err})
}

// folded gives what a path with actions comes to for a key.
func (r *reader) folded(n *yaml.Node, where string, name *render.Name, key string) (string, bool) {
	text, failed := name.Text(key)
	switch {
	case failed != nil:
		r.faultIn(n, where, failed)
	case strings.Contains(text, "//") && !strings.Contains(n.Value, "//"):
		r.fault(n, where, "a name in this path is empty: it comes to "+short(text))
	case key == render.AnyKey && strings.Contains(text, render.AnyKey):
		return text, true
	default:
		if key == render.AnyKey {
			return r.filePathFrom(n, where, text)
		}
		return text, true
	}
	return "", false
}

// pathsOf gives what the path of a file comes to for a key. It may be called at any time.
func (r *reader) pathsOf(n *yaml.Node, where string, name *render.Name) func(key string) (string, *fault.Fault) {
	return func(key string) (string, *fault.Fault) {
		var faults fault.List
		one := &reader{path: r.path, lines: r.lines, faults: &faults}
		text, ok := one.folded(n, where, name, key)
		if ok {
			text, ok = one.filePathFrom(n, where, text)
		}
		if dir := kernelDir(text); ok && dir != "" {
			one.fault(n, where, fmt.Sprintf("%s lies in %s, where devices and the kernel's own files are", text, dir))
		}
		if len(faults) > 0 {
			return "", faults[0]
		}
		return text, nil
	}
}

// readEach reads what a file stands for one for each of, when all of the file is known.
func (l *loader) readEach(r *reader, n *yaml.Node, where string, s *Service, f *File) {
	each, path := valueOf(n, "each"), valueOf(n, "path")
	if each == nil {
		if gone := valueOf(n, "gone"); gone != nil {
			r.fault(gone, where, "gone: says nothing without each:", "it says what becomes of a file whose key is gone")
		}
		return
	}
	text, ok := r.textOf(each, join(where, "each"))
	if !ok {
		return
	}
	r.readContent(each, join(where, "each"), &f.Each)
	if strings.Contains(text, "{{") {
		r.fault(each, join(where, "each"), "each: takes a pipeline without braces", `each: 'params "/tls/sites"'`)
	}
	if path == nil || f.Path == "" {
		return
	}
	if !strings.Contains(f.Path, render.AnyKey) {
		r.fault(path, join(where, "path"), "with each: a path has the key in it, as it is", "path: /etc/app/{{ .key }}.conf")
		return
	}
	if name, ok := l.nameOf(r, path, join(where, "path"), s, true); ok {
		f.PathOf = r.pathsOf(path, join(where, "path"), name)
	}
}

// hasEach tells whether a file of a service stands for others.
func hasEach(service *yaml.Node) bool {
	files := valueOf(service, "files")
	return files != nil && files.Kind == yaml.SequenceNode && slices.ContainsFunc(files.Content, func(n *yaml.Node) bool { return hasKey(n, "each") })
}

// IsEach tells whether the file stands for one for each key.
func (f *File) IsEach() bool { return f.Each.Content != "" }

// Taken gives what says why a file of a service must not be at a path: something else of the config
// has it, of which these services are in force. A link counts as what it leads to.
func (c *Config) Taken(services []*Service) func(service, path string) string {
	own := ownPaths{Config: c, parts: real(c.ConfD), state: real(c.StateDir), beside: make(map[string]bool)}
	for _, s := range services {
		for _, f := range s.Files {
			if f.Template.Path == "" && f.Template.Dir != "" {
				own.beside[real(f.Template.Dir)] = true
			}
		}
	}
	all := claimsOf(services)
	return func(service, path string) string {
		d := destination{path: path, real: real(path)}
		if what, _ := own.overwritten(d); what != "" {
			return strings.TrimSpace(what)
		}
		for _, key := range claimKeys(d) {
			for _, x := range all[key] {
				switch {
				case key.kind == overTemplate:
					return "is the template at " + x.reads.at.String()
				case key.kind == besideTemplates:
					return strings.TrimSpace(wouldBePartial)
				case x.service.Name != service:
					return fmt.Sprintf("is written by service %q, at %s", x.service.Name, x.write.at)
				case key.kind == above:
					return "is to stand in a file, at " + x.write.at.String()
				}
			}
		}
		return ""
	}
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

// rooted puts what a path comes to below another root.
func rooted(root string, path func(string) (string, *fault.Fault)) func(string) (string, *fault.Fault) {
	return func(key string) (string, *fault.Fault) {
		text, failed := path(key)
		return filepath.Join(root, text), failed
	}
}
