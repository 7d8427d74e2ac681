package cases

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/format"
)

// A subject is the template that cases are of, as the config has it.
type subject struct {
	options render.Options
	path    string        // that the file is written to; "": it is none of the config
	format  format.Format // zero: none
	each    *render.Text  // what there is a file for each of; nil: it is one file
	written string        // path that the cases name; "": none
}

// subject finds what cases are of.
func (r *runner) subject(c *config.Cases) (subject, fault.List) {
	cfg, faults := r.config(r.configOf(c))
	if len(faults) > 0 {
		return subject{}, faults
	}
	f, vars, failed := r.fileOf(cfg, c)
	if failed != nil {
		return subject{}, fault.List{failed}
	}
	o, failed := plan.ReadTemplate(config.Machine, cfg, f)
	if failed != nil {
		if failed.Place.File == "" {
			failed.Place = c.At
		}
		return subject{}, fault.List{failed}
	}
	o.Vars = vars
	of := subject{options: o, path: f.Path, format: f.Format, written: c.Written}
	if f.IsEach() {
		text := plan.EachText(f)
		of.each = &text
	}
	return of, nil
}

// config reads a config, once. Its path may be "": then it has nothing.
func (r *runner) config(path string) (*config.Config, fault.List) {
	cfg := r.configs[path]
	if cfg == nil {
		o, files := plan.Options{Config: path}, config.Machine
		if path == "" {
			o.Config, files = "/none", config.Text{Path: "/none", Body: "services: {}\n"}
		}
		cfg = o.ReadConfig(files)
		r.configs[path] = cfg
	}
	return cfg, cfg.Faults
}

// fileOf gives the file of the config that cases are of, with its vars. A template that is of none
// is one by itself.
func (r *runner) fileOf(cfg *config.Config, c *config.Cases) (*config.File, map[string]any, *fault.Fault) {
	var found []*config.File
	var of []*config.Service
	for i := range cfg.Services {
		s := &cfg.Services[i]
		for j := range s.Files {
			f := &s.Files[j]
			if c.Written != "" && (render.Makes(f.Path, c.Written) || f.Written == c.Written) || c.Written == "" && f.Template.Path == c.Template.Path {
				found, of = append(found, f), append(of, s)
			}
		}
	}
	switch {
	case len(found) > 1:
		return nil, nil, &fault.Fault{
			Place: c.At, What: fmt.Sprintf("%s is the template of %d files of %s", c.Template.Written, len(found), cfg.Path),
			Hints: []string{"name the one that is meant, as path: " + found[0].Path},
		}
	case len(found) == 1 && len(of[0].Faults) > 0:
		return nil, nil, of[0].Faults[0]
	case len(found) == 1:
		return found[0], of[0].Vars, nil
	case c.Written != "":
		return nil, nil, noSuchPath(cfg, c)
	}
	if info, err := os.Stat(c.Template.Path); err != nil || !info.Mode().IsRegular() {
		return nil, nil, &fault.Fault{
			Place: c.At, What: "there is no template " + c.Template.Written,
			Hints: []string{"template: names one, and path: a file of the config, whose template it is then"},
		}
	}
	return &config.File{Template: c.Template}, cfg.VarsOfAll(), nil
}

// noSuchPath says that the config has no file of that path.
func noSuchPath(cfg *config.Config, c *config.Cases) *fault.Fault {
	f := &fault.Fault{Place: c.At, What: fmt.Sprintf("no service of %s has a file %s", cfg.Path, c.Written)}
	var known []string
	for _, s := range cfg.Services {
		for _, file := range s.Files {
			known = append(known, file.Path)
		}
	}
	switch near := fault.Near(c.Written, known); {
	case len(cfg.Services) == 0 && cfg.Path == "/none":
		f.What, f.Hints = "there is no config that could have a file "+c.Written, []string{"config: names it; else it is the rendered.yaml in " + filepath.Dir(c.Path)}
	case near != "":
		f.Hints = []string{"did you mean " + near + "?"}
	}
	return f
}
