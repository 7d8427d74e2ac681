// Package daemon keeps services until it is told to stop: it starts with a config, reloads it, and
// runs the loop with what triggers it.
package daemon

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/inventory"
	"github.com/rendered/rendered/cmd/rendered/internal/lastgood"
	"github.com/rendered/rendered/cmd/rendered/internal/member"
	"github.com/rendered/rendered/cmd/rendered/internal/metrics"
	"github.com/rendered/rendered/cmd/rendered/internal/outcome"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/cmd/rendered/internal/systemd"
	"github.com/rendered/rendered/cmd/rendered/internal/web"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/pass"
	"github.com/rendered/rendered/watch/push"
)

// Options are what a daemon works with.
type Options struct {
	Plan   plan.Options
	System disk.System // what files are written to
	Log    io.Writer
	Commit string // that the program was built from; "": it is not known
}

// A Daemon keeps the services of a config. It has the lock of the state directory.
type Daemon struct {
	compiler  *plan.Compiler
	state     *pass.StateDir
	stateDir  string
	level     *slog.LevelVar
	log       *slog.Logger
	watcher   *inputs.Watcher
	listener  *push.Listener
	lastGood  *lastgood.Writer
	inventory *inventory.Writer
	loop      *watch.Loop
	members   *member.Members
	meets     member.Place // where the hosts of the fleet met last
	metrics   *metrics.Metrics
	web       *web.Server
	textfile  *metrics.Textfile
	named     atomic.Bool     // what is looked up may be, for a browser
	said      map[remark]bool // of the config that was read last
	version   string
	started   time.Time
}

// Start reads the config and opens the state directory. The error is a NoConfigError, or another
// where the state directory cannot be opened; where ctx ends it returns with any.
func Start(ctx context.Context, o Options) (*Daemon, error) {
	compiler := plan.NewCompiler(o.Plan)
	b, err := begin(ctx, compiler, o.System)
	if err != nil {
		return nil, err
	}
	state, err := pass.OpenStateDir(ctx, o.System, b.stateDir)
	if err != nil {
		return nil, err
	}
	level := new(slog.LevelVar)
	level.Set(b.cfg.Log.Level)
	log := console.NewLog(o.Log, b.cfg.Log.Format, level)
	compiler.Sources.LogTo(log)
	d := &Daemon{
		version: o.Plan.Version, started: time.Now(),
		compiler: compiler, state: state, stateDir: b.stateDir, level: level, log: log,
		watcher: inputs.New(log), lastGood: lastgood.NewWriter(o.System, b.stateDir, log),
		inventory: inventory.NewWriter(o.System, log),
	}
	d.members = member.New(member.Options{
		Host: compiler.Host(), Disk: o.System, State: b.stateDir, Log: log,
		Wake:   func(services []string) { d.loop.TakeTurn(services) },
		Counts: func(kind string) { d.metrics.Turn(kind) }, Waited: func(t time.Duration) { d.metrics.Waited(t) },
	})
	d.counted(o)
	d.listener = push.New(log, d.metrics.Heard)
	compiler.Sources.CountTo(d.metrics.Called)
	d.follow(ctx, b.cfg, b.plan, b.read)
	manager := systemd.FromEnviron(log)
	d.loop = watch.NewLoop(b.plan, watch.Options{
		Unusable: b.unusable,

		Load:   func() (*watch.Plan, error) { return d.load(ctx) },
		Pass:   pass.Options{State: state, Redactor: compiler.Redactor, Fleet: d.members},
		Log:    log,
		Watch:  d.watcher.Set,
		Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Idle:   debug.FreeOSMemory, // with it the values of the pass go
		Report: func(r watch.Report) {
			manager.Report(r)
			d.inventory.Wake()
		},
		Seen: d.metrics,
		Beat: manager.Beat(),

		Rehearsal: o.Plan.Root != "",
	})
	return d, nil
}

// Run keeps the services until ctx ends. It is called once. Where a trigger panics it ends, too,
// and gives what was wrong; nil: nothing.
func (d *Daemon) Run(ctx context.Context) *fault.Fault {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var triggers sync.WaitGroup
	trigger := func(run func()) {
		triggers.Go(func() {
			if mistake := fault.Caught(run); mistake != nil {
				end(mistake)
			}
		})
	}
	trigger(func() { d.watcher.Run(ctx, d.loop.Changed) })
	trigger(func() { d.lastGood.Run(ctx) })
	trigger(func() { d.inventory.Run(ctx, d.loop.Ask) })
	trigger(func() { d.listener.Run(ctx, d.loop.Announced) })
	trigger(func() { d.web.Run(ctx) })
	trigger(func() { d.textfile.Run(ctx) })
	d.members.TakePart(ctx, trigger)
	if socket := d.listen(); socket != nil {
		trigger(func() { d.serve(ctx, socket) })
	}
	if os.Getpid() == 1 {
		go command.Reap(ctx)
	}
	d.loop.Run(ctx)
	triggers.Wait()
	mistake, _ := errors.AsType[*fault.Fault](context.Cause(ctx))
	return mistake
}

// Close gives the state directory up.
func (d *Daemon) Close() error { return d.state.Close() }

// Reload reads the config again because somebody asks for it, and everything that AWS's own
// configuration says with it; then it looks at everything. It returns when the config was read. The
// error is that of watch.Loop.Reload, and is in the log.
func (d *Daemon) Reload(who string) error {
	d.compiler.Sources.Renew()
	_, err := d.loop.For(who).Reload(context.Background())
	return err
}

// reload is Reload, and gives what came of it, and of the looks that follow, where it is to wait
// for them.
func (d *Daemon) reload(ctx context.Context, wait bool) (any, error) {
	d.compiler.Sources.Renew()
	var came watch.Reloaded
	var looks *outcome.Outcome
	var err error
	if wait {
		var r watch.Result
		came, r, err = d.loop.For(control.Who(ctx)).ReloadAndWait(ctx)
		o := outcome.Of(r)
		looks = &o
	} else {
		came, err = d.loop.For(control.Who(ctx)).Reload(ctx)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	answer := outcome.Reload{Services: came.Services, New: came.New, Changed: came.Changed, Removed: came.Removed, Outcome: looks}
	if why := refusal(err); why != nil {
		answer.Refused = why.Error()
	}
	return answer, nil
}

// Refresh looks at everything again, as somebody asks.
func (d *Daemon) Refresh(who string) { d.loop.For(who).Refresh() }

// load reads the config anew.
func (d *Daemon) load(ctx context.Context) (*watch.Plan, error) {
	read := lastgood.NewRecorder(config.Machine)
	cfg, p, err := d.compiler.Load(ctx, read)
	if err != nil {
		return p, err
	}
	if cfg.StateDir != d.stateDir {
		d.log.Warn("a new state_dir takes a restart", "in use", d.stateDir, "configured", cfg.StateDir)
	}
	d.follow(ctx, cfg, p, read)
	return p, nil
}

// follow has the daemon follow a config whose plan is about to be put in force, and keeps for the
// next start what it was read from; nil: that is kept.
func (d *Daemon) follow(ctx context.Context, cfg *config.Config, p *watch.Plan, read *lastgood.Recorder) {
	d.level.Set(cfg.Log.Level)
	d.inventory.Set(cfg.Inventory)
	d.answerAsIn(cfg, p)
	if d.compiler.Root == "" { // a rehearsal would take the daemon's notices away
		d.listener.Set(d.compiler.Sources.Queue(cfg))
		groups, services := member.Of(cfg, p)
		d.members.Set(groups, services, d.meeting(ctx, cfg, len(groups) > 0))
	}
	if read != nil && isUsable(cfg, p) {
		d.lastGood.Put(read.Config(cfg))
	}
	d.say(remarks(ctx, cfg, p))
}

// isUsable tells whether a start could do something with a config.
func isUsable(cfg *config.Config, p *watch.Plan) bool {
	good := func(s config.Service) bool { return len(s.Faults) == 0 }
	return len(p.Faulty) == 0 || slices.ContainsFunc(cfg.Services, good)
}
