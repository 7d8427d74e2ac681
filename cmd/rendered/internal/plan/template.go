package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/connect"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/render"
)

// maxTemplate bounds a template or a partial, in bytes.
const maxTemplate = 4 << 20

// A template is that of one file: what it is made of, and what was made of that.
type template struct {
	render.Options
	unread bool // the first of its faults says why
	parsed *render.Template
	eachOf *render.Options // what Options.Each is parsed of; nil: there is none
	faults fault.List
}

// readTemplates reads the templates of a service. There is one for each of its files.
func (c *Compiler) readTemplates(cfg *config.Config, s *config.Service, from templates) []template {
	list := make([]template, len(s.Files))
	for i := range list {
		t := &list[i]
		var failed *fault.Fault
		if t.Options, failed = from.options(&s.Files[i]); failed != nil {
			t.unread, t.faults = true, fault.List{failed}
		}
		t.Vars, t.Env, t.Hostname, t.Check, t.Trace = s.Vars, c.env, c.hostname, connect.CheckRef(cfg), c.Trace
		if f := &s.Files[i]; f.IsEach() && f.PathOf != nil {
			each := t.Options
			each.Main, each.Dir, each.Partials, each.MaxSize, each.TrackValues, each.Trace = EachText(f), f.Each.Dir, nil, 0, false, false
			t.eachOf = &each
		}
	}
	return list
}

// atLeast is how many templates are worth a goroutine of their own.
const atLeast = 8

// parseAll parses templates, on all processors. Each of them parses a text once.
func parseAll(list []*template) {
	var all sync.WaitGroup
	for part := range slices.Chunk(list, max(atLeast, (len(list)-1)/runtime.GOMAXPROCS(0)+1)) {
		all.Go(func() {
			var p render.Parser
			for _, t := range part {
				if t.unread {
					continue
				}
				mistake := fault.Caught(func() { t.parse(&p) })
				if mistake != nil {
					t.faults = fault.List{mistake}
				}
			}
		})
	}
	all.Wait()
}

// EachText gives the text of what a file is made for each of.
func EachText(f *config.File) render.Text {
	return render.Text{Name: f.Each.Place.File, Body: f.Each.Content, Line: f.Each.Line, Column: f.Each.Column}
}

// parse parses the template, and before it what it is for each of.
func (t *template) parse(p *render.Parser) {
	if t.eachOf != nil {
		if t.Each, t.faults = render.ParseEach(*t.eachOf); len(t.faults) > 0 {
			return
		}
	}
	t.parsed, t.faults = p.Parse(t.Options)
}

// texts gives the texts that a template is made of, and the names of partials: what the template
// itself is called says where it stands.
func texts(o render.Options) []string {
	list := []string{o.Main.Body}
	for _, p := range o.Partials {
		list = append(list, p.Name, p.Body)
	}
	return list
}

// templates reads the templates of a config, and the partials beside them. Each directory is read
// once.
type templates struct {
	files    config.Files
	partials map[string]partials // by directory
	prefixes map[string]string   // what the config writes before the names of a directory
}

// partials are those of one directory.
type partials struct {
	texts  []render.Text
	failed *fault.Fault
}

// newTemplates makes a reader of the templates of a config. A template, and what stands beside it,
// is called as the config writes it: two of one name are told apart. Where two directories are
// written alike, as beside the config and in conf.d, they are called by their whole paths.
func newTemplates(files config.Files, cfg *config.Config) templates {
	r := templates{files, make(map[string]partials), make(map[string]string)}
	dirs := make(map[string]string) // by prefix
	for _, s := range cfg.Services {
		for _, f := range s.Files {
			t := f.Template
			if t.Path == "" {
				continue
			}
			prefix := strings.TrimSuffix(t.Written, filepath.Base(t.Written))
			if other, twice := dirs[prefix]; twice && other != t.Dir {
				r.prefixes[other], r.prefixes[t.Dir] = other+"/", t.Dir+"/"
				continue
			}
			dirs[prefix] = t.Dir
			if _, known := r.prefixes[t.Dir]; !known {
				r.prefixes[t.Dir] = prefix
			}
		}
	}
	return r
}

// options reads what a file's template is made of. The fault is that of the template itself or of a
// partial that cannot be read.
func (r templates) options(f *config.File) (render.Options, *fault.Fault) {
	t := f.Template
	o := render.Options{
		Main:        render.Text{Name: t.Place.File, Body: t.Content, Line: t.Line, Column: t.Column},
		Left:        f.Left,
		Right:       f.Right,
		Dir:         t.Dir,
		MaxSize:     f.MaxSize,
		TrackValues: !f.Format.IsZero() && !f.Free,
	}
	if t.Path != "" {
		body, err := r.files.ReadFile(t.Path, maxTemplate)
		if err != nil {
			return o, &fault.Fault{Place: t.Place, What: fmt.Sprintf("template %s: %v", t.Path, err), Hints: sandbox.Unseen(t.Path), Err: err}
		}
		o.Main = render.Text{Name: filepath.Base(t.Path), Shown: r.shown(t), Body: string(body)}
	}
	var failed *fault.Fault
	o.Partials, failed = r.beside(t)
	return o, failed
}

// ReadTemplate gives what the template of a file is made of, but for what is not the file's own:
// Vars, Env and Hostname. The fault is that of the template or of a partial that cannot be read.
func ReadTemplate(files config.Files, cfg *config.Config, f *config.File) (render.Options, *fault.Fault) {
	return newTemplates(files, cfg).options(f)
}

// shown gives the name by which a person finds a template.
func (r templates) shown(t config.Template) string {
	if prefix := r.prefixes[t.Dir]; prefix == t.Dir+"/" {
		return t.Path
	}
	return t.Written
}

// beside gives the partials beside a template.
func (r templates) beside(t config.Template) ([]render.Text, *fault.Fault) {
	p, read := r.partials[t.Dir]
	if !read {
		p.texts, p.failed = readPartials(r.files, t.Dir)
		for i := range p.texts {
			p.texts[i].Shown = r.prefixes[t.Dir] + p.texts[i].Name
		}
		r.partials[t.Dir] = p
	}
	return slices.DeleteFunc(slices.Clone(p.texts), func(x render.Text) bool {
		return filepath.Join(t.Dir, x.Name) == t.Path
	}), p.failed
}

// isPartial tells whether a name in the directory of a template is that of a partial. What editors
// leave behind is not.
func isPartial(name string) bool {
	return strings.HasPrefix(name, "_") && !strings.HasSuffix(name, "~") && !strings.HasSuffix(name, ".swp")
}

func readPartials(files config.Files, dir string) ([]render.Text, *fault.Fault) {
	names, _ := files.ReadDir(dir) // where there is none, the template's own fault says so
	var list []render.Text
	for _, name := range names {
		if !isPartial(name) {
			continue
		}
		path := filepath.Join(dir, name)
		body, err := files.ReadFile(path, maxTemplate)
		switch {
		case errors.Is(err, disk.ErrNotRegular):
		case err != nil:
			return nil, &fault.Fault{Place: fault.Place{File: path}, What: "partial: " + err.Error(), Err: err}
		default:
			list = append(list, render.Text{Name: name, Body: string(body)})
		}
	}
	return list, nil
}
