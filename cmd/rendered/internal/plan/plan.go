// Package plan makes the watch.Plan of a config: it reads templates, finds their lookups, opens the
// sources that answer them, and leaves out, or keeps as they were, services that have a fault.
package plan

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/connect"
	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/inputs"
)

// Options are what is set from outside the config.
type Options struct {
	Config string // path of the config file; for those who call FromInput "-" is their input
	// Files are what Config is read from by those who say so; nil: those of this machine.
	Files config.Files
	// Vars, Values, LogLevel and LogFormat override what the config says; "" does not.
	Vars      map[string]string
	Values    string
	LogLevel  string
	LogFormat string
	// Root makes plans of a rehearsal: everything is written below this directory, nobody is told,
	// and checks of services do not run, because both would see the files in force; "": none.
	Root  string
	Reach Reach
	// Trace makes templates that note what their outputs are of.
	Trace bool

	Version string // ours, for AWS's logs
	// EnvironmentFile is the path of the environment file of the unit that the config is for; "":
	// there is none.
	EnvironmentFile string
}

// MostInput is how much of an input is read, in bytes: more is no config and no template.
const MostInput = 16<<20 + 1

// FromInput reads the config from an input where Config is "-". What is relative in it is relative
// to the working directory.
func (o *Options) FromInput(in io.Reader) error {
	if o.Config != "-" {
		return nil
	}
	path, err := filepath.Abs(o.Config)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(in, MostInput))
	o.Files = config.Text{Path: path, Body: string(body)}
	return err
}

// Source gives what the config is read from.
func (o Options) Source() config.Files {
	if o.Files == nil {
		return config.Machine
	}
	return o.Files
}

// A Reach is how far one may go beyond the config and its templates to make a plan.
type Reach int

const (
	ToSources Reach = iota // which are opened: a pass is to be made
	ToValues               // the values file is checked, and no other source opened
	Nowhere                // the plan is looked at, and no value read
)

// ReadConfig reads the config from files. What is wrong is in the Config.
func (o Options) ReadConfig(files config.Files) *config.Config {
	return config.Load(o.Config, config.Options{
		Files:     files,
		Vars:      o.Vars,
		Values:    o.Values,
		Root:      o.Root,
		Strangers: o.Root != "" && os.Geteuid() != 0, // their files will be ours
		LogLevel:  o.LogLevel,
		LogFormat: o.LogFormat,
	})
}

// A Compiler makes one plan after another of a config that changes. One goroutine at
// a time uses it; any may call Sources.Renew.
type Compiler struct {
	Options
	Redactor *redact.Redactor // knows what any plan of this process has looked up
	Sources  connect.Sources  // that answer the last plan

	hostname  string
	machineID string              // machine-id(5); "" where there is none
	inForce   map[string]compiled // what the last plan has, by name
}

// Host names this host.
func (c *Compiler) Host() string { return c.hostname }

// NewCompiler makes a compiler that has made no plan yet.
func NewCompiler(o Options) *Compiler {
	c := &Compiler{Options: o, Redactor: redact.New()}
	c.Sources.Version, c.Sources.EnvironmentFile = o.Version, o.EnvironmentFile
	c.hostname, _ = os.Hostname()
	id, _ := os.ReadFile("/etc/machine-id")
	c.machineID = strings.TrimSpace(string(id))
	return c
}

// Load reads the config from files and compiles it, service by service: the plan says in Faulty
// which of them it has not as the config has them. The error is a fault.List, of everything that is
// wrong where something is wrong that concerns all services, which is said first; beside it are the
// config as far as it could be read, and a plan that says no more than which files it was read
// from.
func (c *Compiler) Load(ctx context.Context, files config.Files) (*config.Config, *watch.Plan, error) {
	return c.load(ctx, c.ReadConfig(files), files, false)
}

// LoadTemplate is Load with one service in the place of the config's, which has one file of this
// template, and the vars that hold for all services. What is wrong with the config's own services
// makes no difference.
func (c *Compiler) LoadTemplate(ctx context.Context, files config.Files, t config.Template) (*config.Config, *watch.Plan, error) {
	cfg := c.ReadConfig(files)
	cfg.Only(t)
	return c.load(ctx, cfg, files, false)
}

// LoadLast is Load of files that are those of the config last in force. On this machine they may be
// gone, or others.
func (c *Compiler) LoadLast(ctx context.Context, files config.Files) (*config.Config, *watch.Plan, error) {
	return c.load(ctx, c.ReadConfig(files), files, true)
}

func (c *Compiler) load(ctx context.Context, cfg *config.Config, files config.Files, last bool) (*config.Config, *watch.Plan, error) {
	plan := c.compile(ctx, cfg, files, last)
	collect()
	if len(cfg.Faults) > 0 {
		return cfg, &watch.Plan{Inputs: plan.Inputs, Values: plan.Values}, graveFirst(cfg)
	}
	return cfg, plan, nil
}

// graveFirst gives everything that is wrong, and before all else what concerns all services: where
// there is room for one fault, it is to be one that has to be mended.
func graveFirst(cfg *config.Config) fault.List {
	list := slices.Clone(cfg.Faults)
	list.Sort()
	return append(list, cfg.All()...).Unique()
}

// compile makes the plan of a config, and adds to it what is wrong. AWS is asked for nothing while
// there is anything wrong that concerns all services: a Region or a values file may be what could
// not be read.
func (c *Compiler) compile(ctx context.Context, cfg *config.Config, files config.Files, last bool) *watch.Plan {
	plan := &watch.Plan{Settle: cfg.Settle, Within: cfg.AWS.Timeout, Values: cfg.Values, Inputs: allInputs(cfg)}
	own := ownInputs(ctx, cfg)
	checker := trust.NewChecker(slices.Concat(plan.Inputs, own))
	if last { // what it was read from need not be there, and lookups say what the values file is
		own = slices.DeleteFunc(own, func(in inputs.Input) bool { return in.Path == cfg.Values })
		cfg.Faults = append(cfg.Faults, checker.Check(own)...)
		checker = nil
	} else {
		distrust(cfg, own, checker)
		if c.Reach != Nowhere {
			cfg.Faults = append(cfg.Faults, connect.CheckValues(cfg)...)
		}
	}
	chosen, faulty := c.choose(cfg, c.compileAll(cfg, files, checker))
	plan.Services, plan.Faulty = services(cfg, chosen), faulty
	if len(cfg.Faults) > 0 {
		return plan
	}
	source, failed := c.Sources.Open(ctx, cfg, c.kinds(plan))
	if failed != nil {
		cfg.Faults = append(cfg.Faults, failed)
		return plan
	}
	plan.Source = source
	c.inForce = chosen
	return plan
}

// kinds gives the kinds of a plan's lookups, as far as they are to be answered.
func (c *Compiler) kinds(plan *watch.Plan) map[sources.Kind]bool {
	asked := make(map[sources.Kind]bool)
	if c.Reach != ToSources {
		return asked
	}
	for _, s := range plan.Services {
		for _, f := range s.Files {
			for _, l := range f.Lookups() {
				asked[l.Kind] = true
			}
		}
	}
	return asked
}

// Foresee says why the checks of a plan's services cannot see new files on this machine; nil where
// they can, and where there are no such checks.
func Foresee(ctx context.Context, p *watch.Plan) *fault.Fault {
	if !slices.ContainsFunc(p.Services, func(s *watch.Service) bool { return !s.Check.IsZero() }) {
		return nil
	}
	return render.Foresee(ctx)
}
