package once

import (
	"context"
	"io"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/diff"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/pass"
)

// A Finding is what came of looking for differences.
type Finding int

const (
	Same Finding = iota
	Different
	Unknown // something could not be found out
)

// Diff prints what a pass over the services would change, and changes nothing. An error that is no
// fault.List is a mistake in the names.
func Diff(ctx context.Context, o Options, asJSON bool, stdout, stderr io.Writer) (Finding, error) {
	o.Plan.Trace = true
	c := plan.NewCompiler(o.Plan)
	cfg, p, err := c.Load(ctx, config.Machine)
	if err != nil {
		return Unknown, err
	}
	c.Sources.LogTo(console.NewLog(stderr, cfg.Log.Format, cfg.Log.Level))
	if cfg.IsEmpty() && len(o.Services) == 0 {
		console.Say(stderr, config.NoServices+"\n  "+cfg.FirstService())
	}
	unfit := concerned(p.Faulty, o.Services)
	if len(unfit) > 0 {
		console.Faults(stderr, unfit.Faults())
		console.Say(stderr, unfit.Fates())
	}
	services, err := chosen(p, o.Services)
	if err != nil {
		return Unknown, err
	}
	state := pass.PeekStateDir(o.System, cfg.StateDir)
	line := console.NewLine(stderr)
	found := watch.Foresee(ctx, p, services, pass.Options{State: state, Redactor: c.Redactor}, progressOn(line))
	line.Clear()
	d := diff.Of(found, failures)
	for _, f := range unfit {
		d.Faulty = append(d.Faulty, f.Name())
	}
	if asJSON {
		console.JSON(stdout, d)
	} else {
		d.Print(stdout, stderr)
	}
	return findingOf(d), nil
}

func findingOf(d diff.Diff) Finding {
	switch files, _ := d.Files(); {
	case d.Failed():
		return Unknown
	case files > 0:
		return Different
	}
	return Same
}

// failures says why a pass would change nothing, an entry each.
func failures(f pass.Foresight) (list []string) {
	for _, failed := range outcome.Failures(f.Name, f.Err) {
		list = append(list, failed.Lines())
	}
	return list
}
