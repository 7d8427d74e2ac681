package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/swap"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/sources/aws"
	"github.com/rendered/rendered/sources/local"
	"github.com/rendered/rendered/sources/redact"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/inputs"
)

// A compiler makes plans of configs. It keeps what answers from AWS, with its connections and
// credentials, from one plan to the next.
type compiler struct {
	path     string
	options  config.Options
	hostname string
	machine  string           // machine-id(5); "" where there is none
	redactor *redact.Redactor // knows what any plan of this process has looked up
	log      *slog.Logger     // for what belongs to no pass; nil: none
	offline  bool             // nobody will ask the plan's source: AWS is left out of it

	source   holding[*aws.Source]
	metadata holding[*aws.Metadata]
	renew    atomic.Bool // the source's credentials are to be read anew
}

func newCompiler(path string, o config.Options) *compiler {
	c := &compiler{path: path, options: o, redactor: redact.New()}
	c.hostname, _ = os.Hostname()
	id, _ := os.ReadFile("/etc/machine-id")
	c.machine = strings.TrimSpace(string(id))
	return c
}

// logTo names the log for what belongs to no pass.
func (c *compiler) logTo(log *slog.Logger) {
	c.log = log
	if s := c.source.held; s != nil {
		s.LogTo(log)
	}
}

// forget makes the next compile have the credentials read anew. It may be called at any time.
func (c *compiler) forget() { c.renew.Store(true) }

// load reads the config and compiles it whole. The error is a fault.List; beside it are the config as far as it could be read, and a
// plan that says no more than which files it was read from.
func (c *compiler) load(ctx context.Context) (*config.Config, *watch.Plan, error) {
	cfg, faults := config.Load(c.path, c.options)
	plan, faults := c.compile(ctx, cfg, faults)
	if faults = unique(faults); len(faults) > 0 {
		faults.Sort()
		return cfg, plan, faults
	}
	return cfg, plan, nil
}

// unique leaves out what was found more than once: a partial is read for every template beside it.
func unique(faults fault.List) fault.List {
	seen := make(map[string]bool)
	return slices.DeleteFunc(faults, func(f *fault.Fault) bool {
		was := seen[f.Error()]
		seen[f.Error()] = true
		return was
	})
}

// compile makes the plan of a config, and adds its faults to those found before. AWS is asked for nothing while there are any: a Region or
// a values file may be what could not be read.
func (c *compiler) compile(ctx context.Context, cfg *config.Config, faults fault.List) (*watch.Plan, fault.List) {
	plan := &watch.Plan{Settle: cfg.Settle, Within: cfg.AWS.Timeout, Values: cfg.Values, Inputs: planInputs(cfg), Redactor: c.redactor}
	if more := silent(plan.Inputs, cfg.Values); len(more) > 0 {
		return plan, append(faults, more...)
	}
	faults = append(faults, distrust(slices.Concat(plan.Inputs, ownFiles(ctx, cfg)))...)
	now := time.Now()
	kinds := make(map[sources.Kind]bool)
	beside := newLibrary(cfg)
	for i := range cfg.Services {
		s, more := c.service(cfg, &cfg.Services[i], beside, now)
		faults = append(faults, more...)
		plan.Services = append(plan.Services, s)
		if len(more) == 0 {
			for kind := range kindsOf(s) {
				kinds[kind] = true
			}
		}
	}
	if cfg.Values != "" {
		more := local.CheckValues(cfg.Values)
		if len(more) > 0 && more[0].Place.Line == 0 { // it could not be read
			more[0].Hints = slices.Concat(more[0].Hints, sandbox.Unseen(cfg.Values))
		}
		faults = append(faults, more...)
	}
	bare := &watch.Plan{Inputs: plan.Inputs, Values: plan.Values}
	if len(faults) > 0 {
		return bare, faults
	}
	source, f := c.answers(ctx, cfg, kinds)
	if f != nil {
		return bare, fault.List{f}
	}
	plan.Source = source
	return plan, nil
}

// ownFiles gives what else root must be alone to write to: whoever writes to the state directory,
// or to what is in it, has it rename what he likes.
func ownFiles(ctx context.Context, cfg *config.Config) []inputs.Input {
	all := func(string) bool { return true }
	list := []inputs.Input{{Path: cfg.StateDir, Match: all}}
	if cfg.Values != "" {
		return append(list, inputs.Input{Path: cfg.Values})
	}
	return append(list, filesOfAWS(ctx, awsOptions(cfg.AWS))...)
}

// filesOfAWS gives those files of AWS's configuration that are there; /dev/null is none. They name
// programs to run (credential_process), and where AWS is.
func filesOfAWS(ctx context.Context, o aws.Options) (list []inputs.Input) {
	for _, path := range aws.Files(ctx, o) {
		if way, err := disk.Walk(path); err == nil && way.Found() && way.Last().Type == 0 {
			list = append(list, inputs.Input{Path: path})
		}
	}
	return list
}

// planInputs gives every file and directory that a plan is made from: what the config was read from, and what is still to be read.
func planInputs(cfg *config.Config) []inputs.Input {
	list := slices.Clone(cfg.Inputs)
	known := make(map[string]bool)
	for _, in := range list {
		known[in.Path] = true
	}
	add := func(path string, match func(string) bool) {
		if path != "" && !known[path] {
			known[path] = true
			list = append(list, inputs.Input{Path: path, Match: match}.Look())
		}
	}
	for _, s := range cfg.Services {
		for _, f := range s.Files {
			add(f.Template.Path, nil)
			add(f.Template.Dir, isPartial)
		}
	}
	return list
}

// lookupKinds says what the lookup functions look up.
var lookupKinds = map[string]sources.Kind{"file": sources.File, "imds": sources.IMDS}

// kindsOf gives the kinds of a service's lookups; Secret stands for all that AWS answers.
func kindsOf(s *watch.Service) map[sources.Kind]bool {
	kinds := make(map[sources.Kind]bool)
	for _, f := range s.Files {
		for _, l := range f.Template.Lookups() {
			kinds[cmp.Or(lookupKinds[l.Function], sources.Secret)] = true
		}
	}
	return kinds
}

// answers gives the source of a plan: a values file where there is one, else AWS and instance metadata where a template asks for
// them; local files in any case.
func (c *compiler) answers(ctx context.Context, cfg *config.Config, kinds map[sources.Kind]bool) (sources.Source, *fault.Fault) {
	mux := sources.Mux{sources.File: new(local.Files)}
	unusable := func(err error) *fault.Fault {
		failed := &fault.Fault{Place: fault.Place{File: cfg.Path}, What: "aws: " + err.Error(), Hints: disk.Hints(err), Err: err}
		if aws.LacksRegion(err) {
			failed.Hints = regionHint(c.path)
		}
		return failed
	}
	if cfg.Values != "" {
		c.metadata.drop()
		c.source.drop()
		values := local.NewValues(cfg.Values)
		for _, kind := range []sources.Kind{sources.Secret, sources.Param, sources.Params, sources.IMDS, sources.Own} {
			mux[kind] = values
		}
		return mux, nil
	}
	if kinds[sources.IMDS] && !c.offline {
		metadata, err := c.metadata.get(ctx, awsOptions(cfg.AWS), aws.NewMetadata)
		if err != nil {
			return nil, unusable(err)
		}
		mux[sources.IMDS] = metadata
	} else {
		c.metadata.drop()
	}
	if kinds[sources.Secret] && !c.offline {
		source, err := c.aws(ctx, cfg.AWS)
		if err != nil {
			return nil, unusable(err)
		}
		for _, kind := range []sources.Kind{sources.Secret, sources.Param, sources.Params, sources.Own} {
			mux[kind] = source
		}
	} else {
		c.source.drop()
	}
	return mux, nil
}

// aws gives the AWS source.
func (c *compiler) aws(ctx context.Context, a config.AWS) (*aws.Source, error) {
	source, err := c.source.get(ctx, awsOptions(a), aws.New)
	if err != nil {
		return nil, err
	}
	source.LogTo(c.log)
	if c.renew.Swap(false) {
		source.Renew()
	}
	return source, nil
}

// queue gives the queue of change notices; nil where there is none, or nothing that notices could be about. A rehearsal reads none: it
// would take the daemon's notices away.
func (c *compiler) queue(cfg *config.Config) *aws.Queue {
	if cfg.Queue == "" || cfg.Values != "" || c.options.Root != "" || c.source.held == nil {
		return nil
	}
	return c.source.held.Queue(cfg.Queue)
}

func awsOptions(a config.AWS) aws.Options {
	o := aws.Options{
		Region:         a.Region,
		Profile:        a.Profile,
		RoleARN:        a.RoleARN,
		ExternalID:     a.ExternalID,
		SessionName:    a.SessionName,
		EndpointURL:    a.EndpointURL,
		MaxConcurrency: a.MaxConcurrency,
		Timeout:        a.Timeout,
		BatchSecrets:   a.BatchSecrets,
		Version:        version,
		Accounts:       make(map[string]aws.Account, len(a.Accounts)),
	}
	for name, account := range a.Accounts {
		o.Accounts[name] = aws.Account(account)
	}
	return o
}

// service compiles one service. Its faults are all those of its templates.
func (c *compiler) service(cfg *config.Config, s *config.Service, beside library, now time.Time) (*watch.Service, fault.List) {
	spread := watch.DefaultSplay(s.Schedule)
	if cfg.Splay != nil {
		spread = *cfg.Splay
	}
	compiled := &watch.Service{
		Name:        s.Name,
		Schedule:    s.Schedule,
		Splay:       watch.HostSplay(spread, c.machine, c.hostname, s.Name),
		Jitter:      watch.HostSplay(watch.Jitter(spread, cfg.Splay != nil), c.machine, c.hostname, s.Name),
		Check:       s.Check,
		Verify:      s.Verify,
		Dependents:  s.Notify,
		MinInterval: s.MinInterval,
	}
	print := sha256.New()
	fmt.Fprintf(print, "%#v %q\n", cfg.AWS, cfg.Values)
	fmt.Fprintln(print, s.Schedule, compiled.Splay, s.MinInterval, s.Vars)
	fmt.Fprintf(print, "%#v %#v\n", s.Check, s.Verify)
	for _, n := range s.Notify {
		fmt.Fprintf(print, "%#v\n", n)
	}
	var faults fault.List
	for i := range s.Files {
		f := &s.Files[i]
		o, fault := c.template(f, s.Vars, beside)
		if fault != nil {
			faults = append(faults, fault)
			continue
		}
		if cfg.Values == "" {
			o.Check = aws.Offline(awsOptions(cfg.AWS)).Check
		}
		t, more := render.Parse(o)
		faults = append(faults, more...)
		compiled.Files = append(compiled.Files, c.file(f, t))
		fmt.Fprintf(print, "%#v %q\n", f.Unplaced(), texts(o))
	}
	compiled.Fingerprint = hex.EncodeToString(print.Sum(nil))
	return compiled, faults
}

// texts gives the texts that a template is made of, with their names.
func texts(o render.Options) []string {
	list := []string{o.Main.Name, o.Main.Body}
	for _, p := range o.Partials {
		list = append(list, p.Name, p.Body)
	}
	return list
}

// file gives the file that a template is rendered to. Below another root directories are made as needed, and an ordinary user owns
// what it writes: it is a rehearsal.
func (c *compiler) file(f *config.File, t *render.Template) *render.File {
	file := &render.File{
		Path:     f.Path,
		Template: t,
		UID:      f.UID,
		GID:      f.GID,
		Mode:     f.Mode,
		KeepMode: f.KeepMode,
		DirMode:  f.DirMode,
		Format:   f.Format,
		Check:    f.Check,

		InPlace:    f.InPlace,
		AllowEmpty: f.AllowEmpty,
	}
	if c.options.Root == "" {
		return file
	}
	if file.DirMode == 0 {
		file.DirMode = rehearsalDirMode
	}
	if os.Geteuid() != 0 {
		file.UID, file.GID = swap.Keep, swap.Keep
	}
	return file
}

// rehearsalDirMode is the mode of directories that are made below another root.
const rehearsalDirMode = 0o700
