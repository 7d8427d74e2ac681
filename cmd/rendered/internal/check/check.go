// Package check finds what is wrong with a config and its templates, and prints what they mean.
package check

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/exposure"
	"github.com/rendered/rendered/cmd/rendered/internal/lint"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch"
)

// Options are what a check works with.
type Options struct {
	Plan   plan.Options
	Format Format
	// Stage is the staging label of the versions that secrets are looked up in, where they have one
	// with it, as AWSPENDING; "": the current ones. It takes Online.
	Stage   string
	Online  bool // every lookup is resolved, and whoever is asked for what a pass takes
	Verbose bool // text has the files of each service, and what they look up
}

// A Format is how the findings are written.
type Format string

const (
	Text   Format = "text"   // for people
	JSON   Format = "json"   // one document
	GitHub Format = "github" // text, with the findings as annotations of GitHub's
)

// Formats are all there are.
var Formats = []string{string(Text), string(JSON), string(GitHub)}

// Set sets the format to that of a name.
func (f *Format) Set(name string) error {
	if !slices.Contains(Formats, name) {
		return fmt.Errorf("it is one of %s", strings.Join(Formats, ", "))
	}
	*f = Format(name)
	return nil
}

func (f *Format) String() string { return string(*f) }

// Type names what a flag takes.
func (f *Format) Type() string { return "FORMAT" }

// A checker looks at one config, and says what it finds.
type checker struct {
	Options
	cfg  *config.Config
	plan *watch.Plan
	// redactor knows what lookups gave.
	redactor *redact.Redactor
	report   Report
	out      io.Writer // results for people
	err      io.Writer // remarks for people
	notes    io.Writer // annotations
	// terminal may be one: it shows what is waited for.
	terminal io.Writer
}

// Run prints every fault of a config, or what it means, and reports whether the daemon would work
// with it. Online it asks AWS, systemd and this machine, too.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) bool {
	c := &checker{Options: o, out: stdout, err: stderr, notes: stdout, terminal: stderr}
	if o.Format == JSON {
		c.out, c.err = io.Discard, io.Discard
	}
	if !o.Online {
		c.Options.Plan.Reach = plan.ToValues
	}
	compiler := plan.NewCompiler(c.Options.Plan)
	c.redactor = compiler.Redactor
	c.cfg, c.plan, _ = compiler.Load(ctx, o.Plan.Source())
	c.report.Good = c.judge(ctx, compiler)
	if o.Format == JSON {
		c.summarize(time.Now())
		console.JSON(stdout, c.report)
	}
	return c.report.Good
}

// judge prints what there is to say of the config, and reports whether it is good.
func (c *checker) judge(ctx context.Context, compiler *plan.Compiler) bool {
	if faults := c.cfg.All(); len(faults) > 0 {
		c.find(Error, ofConfig, faults...)
		console.Say(c.err, concerns(c.cfg, c.plan, faults))
		return false
	}
	if c.cfg.IsEmpty() {
		console.Say(c.out, config.NoServices+"\n  "+c.cfg.FirstService()+"\nok")
		return true
	}
	c.printTable(time.Now())
	c.printCosts()
	if source := compiler.Sources.AWS(); source != nil {
		c.identify(ctx, source, slices.Sorted(maps.Keys(c.cfg.AWS.Accounts)))
	}
	if queue := compiler.Sources.Queue(c.cfg); queue != nil {
		c.lookAtQueue(ctx, queue)
	}
	c.find(Warning, "", lint.Warnings(c.cfg, lintedServices(c.cfg, c.plan))...)
	faults, warnings := exposure.Find(c.cfg, c.plan)
	c.find(Warning, ofExposure, warnings...)
	c.find(Error, ofExposure, faults...)
	good := len(faults) == 0
	if c.Online {
		good = c.works(ctx) && good
		good = c.reaches(ctx) && good
	}
	if good {
		fmt.Fprintln(c.out, "ok")
	}
	return good
}

// Rules gives the rules of warnings, a line each, for a help text.
func Rules() string {
	var b strings.Builder
	for _, rule := range config.Rules {
		fmt.Fprintf(&b, "\n  %-16s %s", rule.Name, rule.What)
	}
	return b.String()
}

// concerns says of a config's faults whom they concern.
func concerns(cfg *config.Config, p *watch.Plan, faults fault.List) string {
	n := console.Count(len(faults), "fault")
	switch {
	case len(cfg.Faults) == len(faults):
		return n + " of all services: the config last in force stays in force"
	case len(cfg.Faults) > 0:
		return fmt.Sprintf("%s, %d of all services: the config last in force stays in force", n, len(cfg.Faults))
	}
	names, as := watch.Unfit(p.Faulty).Names(), "it as it was"
	if strings.Contains(names, ", ") {
		as = "them as they were"
	}
	text := fmt.Sprintf("%s: a start leaves out %s, a reload leaves %s", n, names, as)
	switch len(p.Services) {
	case 0:
		return text
	case 1:
		return text + "; 1 other service is good"
	}
	return fmt.Sprintf("%s; %d other services are good", text, len(p.Services))
}

// lintedServices puts together what the config says of
// each service and what came of it.
func lintedServices(cfg *config.Config, p *watch.Plan) []lint.Service {
	list := make([]lint.Service, len(cfg.Services))
	for i := range cfg.Services {
		list[i].Service = &cfg.Services[i]
		for _, f := range p.Services[i].Files {
			list[i].Templates = append(list[i].Templates, f.Template)
		}
	}
	return list
}

// works reports whether all that a pass needs is there: answers to lookups, and a machine on which
// checks can see new files.
func (c *checker) works(ctx context.Context) bool {
	resolves := c.resolves
	if c.Stage != "" {
		resolves = c.tries
	}
	good := resolves(ctx)
	if failed := plan.Foresee(ctx, c.plan); failed != nil {
		c.find(Error, ofMachine, failed)
		return false
	}
	return good
}
