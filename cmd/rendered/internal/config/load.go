package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/cron"
	"github.com/rendered/rendered/watch/inputs"
)

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"auto", "text", "json"}
)

// A loader collects a config from its files.
type loader struct {
	Options
	cfg      *Config
	faults   fault.List
	schedule cron.Schedule
	vars     map[string]any
	level    string
	values   string                  // of the config, though another is set from outside
	services map[string]fault.Place  // by name
	byPath   map[string]*destination // links followed
	none     bool                    // the main file says that there are no services yet
}

// Load reads the config file and conf.d beside it. Everything that is wrong is in the list, by place; the Config is complete only
// where the list is empty, and holds what could be read where it is not.
func Load(path string, o Options) (*Config, fault.List) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	l := &loader{
		Options:  o,
		cfg:      &Config{Path: abs, Settle: defaultSettle, StateDir: defaultStateDir, files: make(map[string]*reader)},
		services: make(map[string]fault.Place),
		byPath:   make(map[string]*destination),
		level:    "info",
	}
	l.cfg.Log.Format = "auto"
	l.cfg.AWS = AWS{MaxConcurrency: 8, Timeout: 30 * time.Second}
	l.cfg.ConfD = filepath.Join(filepath.Dir(abs), "conf.d")
	l.schedule, _ = cron.Parse(defaultSchedule)
	l.reads(inputs.Input{Path: l.cfg.ConfD, Match: IsPart})
	parts := l.parts()
	l.main(abs, len(parts) > 0)
	for _, part := range parts {
		l.part(part)
	}
	l.finish()
	if len(l.faults) == 0 && len(l.cfg.Services) == 0 && !l.none {
		l.faults = append(l.faults, &fault.Fault{Place: fault.Place{File: abs}, What: "there are no services, here or in conf.d"})
	}
	l.faults.Sort()
	return l.cfg, l.faults
}

// reads notes what is about to be read.
func (l *loader) reads(in inputs.Input) { l.cfg.Inputs = append(l.cfg.Inputs, in.Look()) }

const servicesHint = "services: {app: {files: [{template: app.env.tmpl, path: /etc/app/app.env}]}}"

// main reads the main file. Parts are what may hold the services that it does not.
func (l *loader) main(path string, parts bool) {
	l.reads(inputs.Input{Path: path})
	r, root := open(path, &l.faults, mainHints)
	l.cfg.files[path] = r
	if root == nil {
		return
	}
	var services func()
	known := fields{
		"schedule": r.scheduleInto(&l.schedule),
		"splay": func(n *yaml.Node, where string) {
			if d, ok := r.durationOf(n, where); ok {
				l.cfg.Splay = &d
			}
		},
		"settle":    r.durationInto(&l.cfg.Settle),
		"vars":      r.varsInto(&l.vars),
		"values":    r.filePathInto(&l.values),
		"state_dir": r.pathInto(&l.cfg.StateDir),
		"log": func(n *yaml.Node, where string) {
			r.mapping(n, where, fields{
				"level":  r.choiceInto(&l.level, logLevels...),
				"format": r.choiceInto(&l.cfg.Log.Format, logFormats...),
			})
		},
		"aws": func(n *yaml.Node, where string) { l.aws(r, n, where) },
		"triggers": func(n *yaml.Node, where string) {
			r.mapping(n, where, fields{"sqs": func(n *yaml.Node, where string) { l.queue(r, n, where) }})
		},
		// Services take the defaults that may stand below them, so they are read last.
		"services": func(n *yaml.Node, where string) {
			services = func() {
				// Written out, "none yet" is no mistake: a machine is set up before it has services, and a person comments them out.
				if l.none = n.Tag == "!!null" || n.Kind == yaml.MappingNode && len(n.Content) == 0; !l.none {
					l.readServices(r, n, where)
				}
			}
		},
	}
	good := r.mapping(root, "", known)
	if services == nil {
		if good && !parts {
			r.fault(root, "", "there are no services", servicesHint)
		}
		return
	}
	services()
}

// part reads one file of conf.d, which adds services and nothing else.
func (l *loader) part(path string) {
	l.reads(inputs.Input{Path: path})
	r, root := open(path, &l.faults, func(_ string, err error) []string { return permissionHint(err) })
	l.cfg.files[path] = r
	if root == nil {
		return
	}
	known := fields{"services": func(n *yaml.Node, where string) { l.readServices(r, n, where) }}
	for _, name := range []string{"schedule", "splay", "settle", "vars", "values", "state_dir", "log", "aws", "triggers"} {
		known[name] = func(n *yaml.Node, where string) {
			r.fault(n, where, "a file of conf.d adds services and sets nothing else; this belongs in "+l.cfg.Path)
		}
	}
	if r.mapping(root, "", known) && !hasKey(root, "services") {
		r.fault(root, "", "there are no services", servicesHint)
	}
}

func (l *loader) readServices(r *reader, n *yaml.Node, where string) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, where, "here must be a mapping of names to services, not "+kindOf(n), servicesHint)
		return
	}
	if len(n.Content) == 0 {
		r.fault(n, where, "there are no services", servicesHint)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			r.fault(key, where, "a service has a name; << and aliases are not supported", aliasHint)
			continue
		}
		l.readService(r, n.Content[i], n.Content[i+1], where)
	}
}

// finish applies what is set from outside.
func (l *loader) finish() {
	c := l.cfg
	slices.SortFunc(c.Services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	for i := range c.Services {
		c.Services[i].Vars = merged(l.vars, c.Services[i].Vars, l.Vars)
	}
	c.Values = l.values
	if l.Options.Values != "" {
		if abs, err := filepath.Abs(l.Options.Values); err == nil {
			c.Values = abs
		}
	}
	if l.LogLevel != "" {
		l.level = l.LogLevel
	}
	if l.LogFormat != "" {
		c.Log.Format = l.LogFormat
	}
	if !slices.Contains(logFormats, c.Log.Format) {
		l.outside("unknown log format", c.Log.Format, "; it is one of "+strings.Join(logFormats, ", "))
	}
	if c.Log.Level.UnmarshalText([]byte(l.level)) != nil {
		l.outside("unknown log level", l.level, "; it is one of "+strings.Join(logLevels, ", "))
	}
	for name := range l.Vars {
		if !varName.MatchString(name) {
			l.outside("impossible variable name", name, "; it has letters, digits and _, and begins with no digit")
		}
	}
	l.destinations()
	if l.Root == "" {
		return
	}
	root, err := filepath.Abs(l.Root)
	if err != nil {
		root = l.Root
	}
	c.StateDir = filepath.Join(root, c.StateDir)
	for i := range c.Services {
		below(root, c.Services[i].Verify)
		for j := range c.Services[i].Files {
			f := &c.Services[i].Files[j]
			f.Path = filepath.Join(root, f.Path)
		}
	}
}

// outside notes that a flag or an environment variable is wrong.
func (l *loader) outside(what, text, known string) {
	l.faults = append(l.faults, &fault.Fault{What: fmt.Sprintf("%s %q, set by a flag or an environment variable%s", what, short(text), known)})
}
