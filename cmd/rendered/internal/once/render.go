package once

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/diff"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// RenderOptions are what is rendered, and how it is shown.
type RenderOptions struct {
	Plan   plan.Options
	System disk.System
	What   string    // a service, a file of one, a template; "-": a template on Stdin
	Stdin  io.Reader // of which the config is, too, where Plan.Config is "-"
	// Optional: a template needs no config where there is none.
	Optional bool
	Reveal   bool // show what AWS gives
}

// Render prints what the files would hold that a service, a path or a template stands for, and
// changes nothing. It reports whether they could be rendered, and written. An error that is no
// fault.List is a mistake in the name.
func Render(ctx context.Context, o RenderOptions, stdout, stderr io.Writer) (bool, error) {
	files, err := o.files()
	if err != nil {
		return false, err
	}
	o.Plan.Trace = true
	c := plan.NewCompiler(o.Plan)
	cfg, p, services, err := o.load(ctx, c, files)
	if err != nil {
		return false, err
	}
	c.Sources.LogTo(console.NewLog(stderr, cfg.Log.Format, cfg.Log.Level))
	line := console.NewLine(stderr)
	state := pass.PeekStateDir(o.System, cfg.StateDir)
	list := watch.Render(ctx, p, services, pass.Options{State: state, Redactor: c.Redactor}, progressOn(line))
	line.Clear()
	if list, err = o.only(list); err != nil {
		return false, err
	}
	return o.print(list, o.Reveal || cfg.Values != "", stdout, stderr), nil
}

// files gives what the config is read from.
func (o *RenderOptions) files() (config.Files, error) {
	abs, err := filepath.Abs(o.Plan.Config)
	if err != nil {
		return nil, err
	}
	if o.Plan.Config == "-" {
		if o.What == "-" {
			return nil, errors.New("standard input is the config or the template, not both")
		}
		err := o.Plan.FromInput(o.Stdin)
		return o.Plan.Source(), err
	}
	_, err = os.Lstat(abs)
	if o.Optional && errors.Is(err, os.ErrNotExist) && (o.What == "-" || isFile(o.What)) {
		return config.Text{Path: abs, Body: "services: {}\n"}, nil
	}
	return config.Machine, nil
}

// load gives the plan, and the services with those files that are to be rendered.
func (o *RenderOptions) load(ctx context.Context, c *plan.Compiler, files config.Files) (*config.Config, *watch.Plan, []*watch.Service, error) {
	t, alone, err := o.template(c.ReadConfig(files))
	if err != nil {
		return nil, nil, nil, err
	}
	load := func() (*config.Config, *watch.Plan, error) { return c.Load(ctx, files) }
	if alone {
		load = func() (*config.Config, *watch.Plan, error) { return c.LoadTemplate(ctx, files, t) }
	}
	cfg, p, err := load()
	switch {
	case err != nil:
		return nil, nil, nil, err
	case alone && len(p.Faulty) > 0:
		return nil, nil, nil, watch.Unfit(p.Faulty).Faults()
	case alone:
		return cfg, p, p.Services, nil
	}
	services, err := o.chosen(cfg, p)
	return cfg, p, services, err
}

// template gives the template that is meant where it is none of the config's.
func (o *RenderOptions) template(cfg *config.Config) (t config.Template, alone bool, _ error) {
	dir, err := os.Getwd()
	if err != nil {
		return t, false, err
	}
	if o.What == "-" {
		body, err := io.ReadAll(io.LimitReader(o.Stdin, plan.MostInput))
		return config.Template{Content: string(body), Dir: dir, Place: fault.Place{File: "standard input"}}, true, err
	}
	path, err := filepath.Abs(o.What)
	if err != nil || len(o.of(cfg)) > 0 {
		return t, false, err
	}
	if !isFile(path) {
		return t, false, nil
	}
	return config.Template{Path: path, Written: o.What, Dir: filepath.Dir(path), Place: fault.Place{File: o.What}}, true, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// of gives the services of the config that have what is meant, and of each which of its files are.
func (o *RenderOptions) of(cfg *config.Config) map[string][]int {
	found := make(map[string][]int)
	path, _ := filepath.Abs(o.What)
	for _, by := range []func(*config.Service, *config.File) bool{
		func(s *config.Service, _ *config.File) bool { return s.Name == o.What },
		func(_ *config.Service, f *config.File) bool { return render.Makes(f.Path, path) },
		func(_ *config.Service, f *config.File) bool { return f.Template.Path == path },
		func(_ *config.Service, f *config.File) bool {
			return f.Template.Written == o.What && f.Template.Path != ""
		},
	} {
		for i := range cfg.Services {
			s := &cfg.Services[i]
			for j := range s.Files {
				if by(s, &s.Files[j]) {
					found[s.Name] = append(found[s.Name], j)
				}
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}

// chosen gives the services that have what is meant, each with those files alone.
func (o *RenderOptions) chosen(cfg *config.Config, p *watch.Plan) (list []*watch.Service, _ error) {
	meant := o.of(cfg)
	names := append(slices.Collect(maps.Keys(meant)), o.What)
	if unfit := concerned(p.Faulty, names); len(unfit) > 0 {
		return nil, unfit.Faults()
	}
	for _, s := range p.Services {
		if len(meant[s.Name]) > 0 {
			one := *s
			one.Files = nil
			for _, i := range meant[s.Name] {
				one.Files = append(one.Files, s.Files[i])
			}
			list = append(list, &one)
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	_, err := chosen(p, []string{o.What})
	return nil, fmt.Errorf("%w; it is no path of a file, and no template", err)
}

// print prints what was rendered, of several files each after its path, and says why others could
// not be, or must not be written. It reports that there are none.
func (o *RenderOptions) print(list []pass.Rendered, show bool, stdout, stderr io.Writer) bool {
	good, headed := true, console.Count(countFiles(list), "file") != "1 file"
	exact := console.Unescaped(stdout)
	for _, s := range list {
		for _, f := range s.Files {
			if headed {
				fmt.Fprintf(stdout, "==> %s <==\n", f.Path)
			}
			text := string(f.Content)
			if !show {
				text = diff.Masked(s, f)
			}
			_, _ = io.WriteString(exact, text) // a write that fails has nobody to tell
			if headed && !endsLine(text) {
				fmt.Fprintln(stdout)
			}
		}
		for _, f := range s.Files {
			if failed := f.Judge(); failed != nil {
				console.Faults(stderr, fault.List{failed})
				good = false
			}
		}
		for _, e := range pass.FileErrors(s.Err) {
			console.Faults(stderr, fault.List{e.Fault})
			good = false
		}
	}
	return good
}

// only leaves out what is not meant, where that is a file that one of the config stands for. It
// gives an error where there is no such file.
func (o *RenderOptions) only(list []pass.Rendered) ([]pass.Rendered, error) {
	path, err := filepath.Abs(o.What)
	if err != nil {
		return nil, err
	}
	asked, found := false, false
	for i := range list {
		s := &list[i]
		if f := s.Foresight.Service.Files[0]; s.Err != nil || !f.IsEach() || f.Path == path || !render.Makes(f.Path, path) {
			continue
		}
		s.Files = slices.DeleteFunc(s.Files, func(r *render.Rendering) bool { return r.Path != path })
		asked, found = true, found || len(s.Files) > 0
	}
	if asked && !found {
		return nil, fmt.Errorf("%s: there is no key for it", o.What)
	}
	return list, nil
}

func countFiles(list []pass.Rendered) (n int) {
	for _, s := range list {
		n += max(len(s.Files), len(s.Foresight.Service.Files))
	}
	return n
}

func endsLine(text string) bool { return text == "" || strings.HasSuffix(text, "\n") }
