// Package once takes services through one pass, and prints what it did.
package once

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// Options are what a pass works with.
type Options struct {
	Plan     plan.Options
	System   disk.System // what files are written to
	Services []string    // names; none: all services
	Silent   bool        // tells nobody: what is owed is told by the next pass
}

// Run takes the services through one pass, and prints a line for each file that it wrote and each
// dependent that it told. Services that are paused are not looked at. It reports whether everything
// is as it should be. An error that is no fault.List is a mistake in the names.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) (bool, error) {
	c := plan.NewCompiler(o.Plan)
	cfg, p, err := c.Load(ctx, config.Machine)
	if err != nil {
		return false, err
	}
	c.Sources.LogTo(console.NewLog(stderr, cfg.Log.Format, cfg.Log.Level))
	if cfg.IsEmpty() && len(o.Services) == 0 {
		console.Say(stderr, config.NoServices+"\n  "+cfg.FirstService())
		return true, nil
	}
	unfit := concerned(p.Faulty, o.Services)
	if len(unfit) > 0 {
		console.Faults(stderr, unfit.Faults())
		console.Say(stderr, unfit.Fates())
	}
	services, err := chosen(p, o.Services)
	if err != nil || len(services) == 0 {
		return false, err
	}
	state, err := pass.OpenStateDir(ctx, o.System, cfg.StateDir)
	if err != nil {
		return false, fault.List{{What: err.Error(), Hints: pass.Remedy(err), Err: err}}
	}
	defer state.Close()
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	line := console.NewLine(stderr)
	result := watch.Once(ctx, p, services, pass.Options{State: state, Redactor: c.Redactor}, chance, o.Silent, progressOn(line))
	line.Clear()
	done := outcome.Of(result)
	outcome.Printer{Out: stdout, Remarks: stderr, Rehearsal: o.Plan.Root != ""}.Print(done)
	asked := len(o.Services) > 0 && len(done.Paused) > 0
	return len(unfit) == 0 && !done.Failed() && !asked, nil
}

// progressOn shows how far the lookups of a long pass are. Without a line nobody is shown any.
func progressOn(line *console.Line) watch.Progress {
	if line == nil {
		return nil
	}
	begun := time.Now()
	return func(answered, asked int) {
		line.Printf("%d of %d lookups, %.0f a second", answered, asked, float64(answered)/time.Since(begun).Seconds())
	}
}

// Names gives the services of a config, as far as it can be read, but for those that are given.
func Names(o plan.Options, without []string) (list []string) {
	for _, s := range o.ReadConfig(config.Machine).Services {
		if !slices.Contains(without, s.Name) {
			list = append(list, s.Name)
		}
	}
	return list
}

// concerned gives what is faulty of the services of these names, all that is where there are none.
// One that is not among those that can be used may be in a part of the config that cannot be read.
func concerned(list []watch.Faulty, names []string) (unfit watch.Unfit) {
	for _, f := range list {
		if len(names) == 0 || slices.Contains(names, f.Service) {
			unfit = append(unfit, f)
		}
	}
	return unfit
}

// chosen gives the services of these names that can be used, all where there are none. The error is
// that a name is none.
func chosen(p *watch.Plan, names []string) (list []*watch.Service, err error) {
	if len(names) == 0 {
		return p.Services, nil
	}
	var known []string
	for _, s := range p.Services {
		known = append(known, s.Name)
		if slices.Contains(names, s.Name) {
			list = append(list, s)
		}
	}
	var unread watch.Unfit
	for _, f := range p.Faulty {
		if f.Service != "" {
			known = append(known, f.Service)
		} else {
			unread = append(unread, f)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, unknown(name, known, unread)
		}
	}
	return list, nil
}

// unknown says that there is no service of a name, and what may be meant.
func unknown(name string, known []string, unread watch.Unfit) error {
	near := fault.Near(name, known)
	switch {
	case len(unread) > 0:
		return fmt.Errorf("there is no service %q that can be read: %w", name, unread.Faults()[0])
	case near != "":
		return fmt.Errorf("there is no service %q; did you mean %q?", name, near)
	case len(known) == 0:
		return fmt.Errorf("there is no service %q; %s", name, config.NoServices)
	}
	slices.Sort(known)
	return fmt.Errorf("there is no service %q, but %s", name, strings.Join(slices.Compact(known), ", ")) // two may have one name
}
