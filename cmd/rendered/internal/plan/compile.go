package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/notify"
	"github.com/rendered/rendered/watch/pass"
)

// A compiled service is one as a config has it, and what was made of it.
type compiled struct {
	config  *config.Service
	service *watch.Service
}

// compileAll compiles every service, in the order of the config, and adds to its faults what is
// wrong with its templates. Without a checker nothing is asked of the files that they are read
// from.
func (c *Compiler) compileAll(cfg *config.Config, files config.Files, checker *trust.Checker) []compiled {
	templates := newTemplates(files, cfg)
	read := make([][]template, len(cfg.Services))
	var all []*template
	for i := range cfg.Services {
		s := &cfg.Services[i]
		if checker != nil {
			list := templateInputs(s)
			if faults := trust.Hanging(list); len(faults) > 0 {
				s.Faults = append(s.Faults, faults...)
				continue
			}
			s.Faults = append(s.Faults, checker.Check(list)...)
		}
		read[i] = c.readTemplates(cfg, s, templates)
		for j := range read[i] {
			all = append(all, &read[i][j])
		}
	}
	parseAll(all)
	list, splays := make([]compiled, len(cfg.Services)), make(map[string]time.Duration)
	for i := range list {
		s := &cfg.Services[i]
		list[i].config = s
		schedule := s.Schedule.String()
		if _, known := splays[schedule]; !known {
			splays[schedule] = splay(cfg, s)
		}
		if read[i] != nil {
			list[i].service = c.compileService(cfg, s, splays[schedule], read[i])
		}
	}
	return list
}

// splay gives the spread of a service, and of all with its schedule.
func splay(cfg *config.Config, s *config.Service) time.Duration {
	if cfg.Splay != nil {
		return *cfg.Splay
	}
	return watch.DefaultSplay(s.Schedule)
}

// compileService compiles one service of its templates, whose faults become its own.
func (c *Compiler) compileService(cfg *config.Config, s *config.Service, spread time.Duration, templates []template) *watch.Service {
	service := &watch.Service{
		Service: pass.Service{
			Name: s.Name, Check: s.Check, Verify: s.Verify, Dependents: s.Notify, Group: s.Rollout.Group, Resumable: cfg.Fleet.Table != "",
			Healthy: s.Healthy, HealthyFor: s.HealthyFor, HealthyWithin: s.HealthyWithin, Rollback: pass.Rollback(s.Rollback),
			Gate: s.Gate, Before: s.Before, After: s.After, OnFailure: pass.OnFailure{Run: s.OnFailure, Post: s.Post},
		},
		Schedule:    s.Schedule,
		Splay:       watch.HostSplay(spread, c.machineID, c.hostname),
		Jitter:      watch.HostSplay(watch.Jitter(spread, cfg.Splay != nil), c.machineID, c.hostname),
		MinInterval: s.MinInterval,
		Windows:     s.Windows,
	}
	print := sha256.New()
	fmt.Fprintln(print, s.Schedule, service.Splay, s.MinInterval, s.Vars)
	fmt.Fprintf(print, "%#v %#v %#v %#v %#v %s %#v %s %v\n", s.Check, s.Verify, s.Gate, s.Before, s.After, s.Rollback, s.OnFailure, s.Post, s.Rollout)
	if len(s.Windows) > 0 {
		fmt.Fprintln(print, s.Windows, s.Hold)
	}
	if s.Hold {
		service.Hold = s.Windows.Next
	}
	for _, n := range s.Notify {
		fmt.Fprintf(print, "%#v\n", n)
	}
	if len(s.Healthy) > 0 {
		fmt.Fprintf(print, "%#v %v %v\n", s.Healthy, s.HealthyFor, s.HealthyWithin)
	}
	var written []string // in templates
	for i, t := range templates {
		s.Faults = append(s.Faults, t.faults...)
		if t.unread {
			continue
		}
		service.Files = append(service.Files, newFile(&s.Files[i], t.parsed))
		if service.Group != "" {
			service.Own = append(service.Own, service.Files[i].Own()...)
		}
		fmt.Fprintf(print, "%#v\n", s.Files[i].Unplaced())
		written = append(written, texts(t.Options)...)
	}
	service.Settings = hex.EncodeToString(print.Sum(nil))
	fmt.Fprintf(print, "%q\n", written)
	service.Identity = identity(s, written)
	service.Fingerprint = hex.EncodeToString(print.Sum(nil))
	if c.Root != "" {
		rehearse(service)
	}
	return service
}

// identity gives what of a service is the same on every host: what is written. "": it is in no
// fleet, and nobody asks.
func identity(s *config.Service, templates []string) string {
	if s.Rollout.Group == "" {
		return ""
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%q", s.Written, templates)
	return hex.EncodeToString(sum.Sum(nil))
}

// env gives an environment variable, which may be a secret.
func (c *Compiler) env(name string) (string, bool) {
	value, ok := os.LookupEnv(name)
	if ok {
		c.Redactor.LearnText(value)
	}
	return value, ok
}

// newFile makes the file that a template is rendered to.
func newFile(f *config.File, t *render.Template) *render.File {
	target := swap.Target{
		Path:     f.Path,
		UID:      f.UID,
		GID:      f.GID,
		Mode:     f.Mode,
		KeepMode: f.KeepMode,
		DirMode:  f.DirMode,

		InPlace:    f.InPlace,
		AllowEmpty: f.AllowEmpty,
	}
	file := &render.File{Target: target, Template: t, Format: f.Format, Check: f.Check}
	if t != nil && t.Each != nil {
		file.Each = t.Each
		file.Each.Path, file.Each.Remove = f.PathOf, f.Remove
	}
	return file
}

// rehearsalDirMode is the mode of directories that are made below another root.
const rehearsalDirMode = 0o700

// rehearse makes a service one whose files are written below another root. Its dependents and its
// check see those in force, so that nobody is told, nothing checked and nothing looked at.
// Directories are made as needed, and an ordinary user owns what it writes.
func rehearse(s *watch.Service) {
	for _, f := range s.Files {
		if f.DirMode == 0 {
			f.DirMode = rehearsalDirMode
		}
		if os.Geteuid() != 0 {
			f.UID, f.GID = swap.Keep, swap.Keep
		}
	}
	s.Check, s.Gate, s.Before, s.After = command.Check{}, command.Check{}, command.Check{}, command.Check{}
	s.Healthy, s.OnFailure, s.Hold, s.Group = nil, pass.OnFailure{}, nil, ""
	dependents := make([]notify.Action, len(s.Dependents))
	for i, a := range s.Dependents {
		dependents[i] = rehearsal{a}
	}
	s.Dependents = dependents
}

// A rehearsal stands in for an action.
type rehearsal struct{ notify.Action }

// Do does nothing.
func (rehearsal) Do(context.Context, notify.Change) (notify.Output, error) {
	return notify.Output{}, nil
}
