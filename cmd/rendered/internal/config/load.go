package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
	"github.com/rendered/rendered/sources/aws"
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
	schedule cron.Schedule
	vars     map[string]any
	level    string
	values   string // of the config, though another is set from outside
	none     bool   // the main file says that there are no services yet
	links    links
}

// Load reads the config file and conf.d beside it. What is wrong is in the Config, which holds what
// could be read; Resolve has yet to find what is wrong between its services.
func Load(path string, o Options) *Config {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	if o.Files == nil {
		o.Files = Machine
	}
	l := &loader{
		Options: o,
		cfg:     &Config{Path: abs, Settle: defaultSettle, StateDir: defaultStateDir, files: make(map[string]*reader)},
		level:   defaultLevel,
		links:   make(links),
	}
	l.cfg.Log.Format = defaultLogFormat
	l.cfg.AWS = aws.Options{MaxConcurrency: defaultConcurrency, Timeout: defaultTimeout}
	l.cfg.Metrics.Refs = true
	l.cfg.ConfD = filepath.Join(filepath.Dir(abs), "conf.d")
	l.schedule, _ = cron.Parse(defaultSchedule)
	l.reads(inputs.Input{Path: l.cfg.ConfD, Match: IsPart})
	parts := l.parts()
	l.main(abs, len(parts) > 0)
	for _, part := range parts {
		l.part(part)
	}
	l.finish()
	if len(l.cfg.All()) == 0 && len(l.cfg.Services) == 0 && !l.none {
		l.cfg.Faults = append(l.cfg.Faults, &fault.Fault{Place: fault.Place{File: abs}, What: "there are no services, here or in conf.d"})
	}
	return l.cfg
}

// reads notes what is about to be read.
func (l *loader) reads(in inputs.Input) { l.cfg.Inputs = append(l.cfg.Inputs, in.Look()) }

const servicesHint = "services: {app: {files: [{template: app.env.tmpl, path: /etc/app/app.env}]}}"

// main reads the main file. Parts are what may hold the services that it does not.
func (l *loader) main(path string, parts bool) {
	l.reads(inputs.Input{Path: path})
	r, root := open(l.Files, l.links, path, &l.cfg.Faults, mainHints)
	l.cfg.files[path] = r
	if root == nil {
		r.guessStateDir(&l.cfg.StateDir)
		return
	}
	r.tags(root, valueOf(root, "services"))
	services, splay, inventory := valueOf(root, "services"), time.Duration(-1), false
	good := r.mapping(root, "", &ofTop, fields{
		"schedule": &l.schedule, "splay": &splay, "settle": &l.cfg.Settle, "vars": &l.vars, "values": &l.values, "state_dir": &l.cfg.StateDir, "inventory": &inventory,
		"log": func(n *yaml.Node, where string) {
			r.mapping(n, where, &ofLog, fields{"level": &l.level, "format": &l.cfg.Log.Format})
		},
		"aws":      func(n *yaml.Node, where string) { l.readAWS(r, n, where) },
		"triggers": func(n *yaml.Node, where string) { r.mapping(n, where, &ofTriggers, fields{"sqs": &l.cfg.Queue}) },
		"fleet":    func(n *yaml.Node, where string) { l.readFleet(r, n, where) },
		"metrics":  func(n *yaml.Node, where string) { l.readMetrics(r, n, where) },
		"services": func(*yaml.Node, string) {}, // below, as they take the defaults that may stand after them
	})
	if splay >= 0 {
		l.cfg.Splay = &splay
	}
	if inventory {
		l.cfg.Inventory = agentDir
	}
	switch {
	case services == nil && good && !parts:
		r.fault(root, "", "there are no services", servicesHint)
	case services != nil && isNone(services):
		l.none = true
	case services != nil:
		l.readServices(r, services, "services")
	}
}

// isNone tells whether "none yet" is written out, which is no mistake: a machine is set up before
// it has services, and a person comments them out.
func isNone(services *yaml.Node) bool {
	return services.Tag == "!!null" || services.Kind == yaml.MappingNode && len(services.Content) == 0
}

// stateDirLine is what a state_dir at the top of a config looks like.
var stateDirLine = lazyregexp.New(`^state_dir:\s+["']?([^"'#\s]+)["']?\s*(#.*)?$`)

// guessStateDir finds the state directory in a file that is not YAML: what is remembered there is
// to be found.
func (r *reader) guessStateDir(to *string) {
	for _, line := range r.lines {
		if m := stateDirLine.FindStringSubmatch(strings.TrimRight(line, "\r")); m != nil {
			*to = r.absolute(m[1])
		}
	}
}

// part reads one file of conf.d, which adds services and nothing else. What is wrong with it beyond
// one service concerns all that it has.
func (l *loader) part(path string) {
	l.reads(inputs.Input{Path: path})
	var faults fault.List
	before := len(l.cfg.Services)
	defer func() {
		l.cfg.fail(path, faults)
		for i := range l.cfg.Services[before:] {
			s := &l.cfg.Services[before+i]
			s.Faults = append(s.Faults, faults...)
		}
	}()
	r, root := open(l.Files, l.links, path, &faults, func(_ string, err error) []string { return permissionHint(err) })
	l.cfg.files[path] = r
	if root == nil {
		return
	}
	r.tags(root, valueOf(root, "services"))
	known := make(fields)
	for _, name := range ofTop.names() {
		known[name] = func(n *yaml.Node, where string) {
			r.fault(n, where, "a file of conf.d adds services and sets nothing else; this belongs in "+l.cfg.Path)
		}
	}
	known["services"] = func(n *yaml.Node, where string) { l.readServices(r, n, where) }
	if r.mapping(root, "", &ofTop, known) && !hasKey(root, "services") {
		r.fault(root, "", "there are no services", servicesHint)
	}
}

// fail notes what is wrong with a part as a whole.
func (c *Config) fail(path string, faults fault.List) {
	if len(faults) > 0 {
		c.Parts = append(c.Parts, Part{path, faults})
	}
}

func (l *loader) readServices(r *reader, n *yaml.Node, where string) {
	if n.Kind != yaml.MappingNode {
		r.tags(n, nil)
		r.fault(n, where, "here must be a mapping of names to services, not "+kindOf(n), servicesHint)
		return
	}
	r.tag(n)
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
	c.vars = merged(l.vars, nil, l.Vars)
	defer c.fleets()
	slices.SortFunc(c.Services, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	for i := range c.Services {
		if s := &c.Services[i]; s.Written != "" {
			s.Written += fmt.Sprintf("\n%v", l.vars)
		}
		c.Services[i].Vars = merged(l.vars, c.Services[i].Vars, l.Vars)
	}
	c.Values = l.values
	if l.Options.Values != "" {
		if abs, err := filepath.Abs(l.Options.Values); err == nil {
			c.Values = abs
		}
	}
	for name := range l.Vars {
		if !varName.MatchString(name) {
			l.outside("impossible variable name", name, "; it has letters, digits and _, and begins with no digit")
		}
	}
	l.logging()
	l.claims()
	if l.Root != "" {
		c.below(l.Root)
	}
}

// logging applies what is set from outside of the log.
func (l *loader) logging() {
	level, log := cmp.Or(l.LogLevel, l.level), &l.cfg.Log
	log.Format = cmp.Or(l.LogFormat, log.Format)
	if !slices.Contains(logFormats, log.Format) {
		l.outside("unknown log format", log.Format, "; it is one of "+strings.Join(logFormats, ", "))
	}
	if log.Level.UnmarshalText([]byte(level)) != nil {
		l.outside("unknown log level", level, "; it is one of "+strings.Join(logLevels, ", "))
	}
}

// below puts everything that is written below another root.
func (c *Config) below(root string) {
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	c.StateDir = filepath.Join(root, c.StateDir)
	if c.Inventory != "" {
		c.Inventory = filepath.Join(root, c.Inventory)
	}
	c.Metrics.Listen = "" // where the daemon's own is
	if c.Metrics.Textfile != "" {
		c.Metrics.Textfile = filepath.Join(root, c.Metrics.Textfile)
	}
	for i := range c.Services {
		below(root, c.Services[i].Verify)
		for j := range c.Services[i].Files {
			f := &c.Services[i].Files[j]
			f.Path = filepath.Join(root, f.Path)
			if f.PathOf != nil {
				f.PathOf = rooted(root, f.PathOf)
			}
		}
	}
}

// outside notes that a flag or an environment variable is wrong.
func (l *loader) outside(what, text, known string) {
	l.cfg.Faults = append(l.cfg.Faults, &fault.Fault{What: fmt.Sprintf("%s %q, set by a flag or an environment variable%s", what, short(text), known)})
}
