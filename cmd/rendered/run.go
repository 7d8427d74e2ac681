package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/journal"
	"github.com/rendered/rendered/cmd/rendered/internal/systemd"
	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch"
	"github.com/rendered/rendered/watch/inputs"
	"github.com/rendered/rendered/watch/push"
)

func newRun(g *globals) *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "The daemon: keep the files true until it is told to stop",
		Long: `run looks at every service on its schedule, whenever a file that it depends on changes (the config, templates, the values
file, inputs of the function file), and whenever a notice through the queue of triggers.sqs says that something it looks up has
changed. It logs to stderr.

SIGHUP, or rendered reload, reads the config again, SIGUSR1 looks at everything again, SIGTERM and SIGINT end it with exit code
0. A config that cannot be used at the start ends it with 78, or with 75 where it may be usable later: a file system or instance
metadata does not answer. One that cannot be used later leaves the old one in force.

Under systemd it says when every service has been tried, how they stand, and that it is alive (Type=notify, WatchdogSec=).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return keep(cmd.Context(), g, root, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "write below this `directory` and tell nobody")
	return cmd
}

func keep(ctx context.Context, g *globals, root string, stderr io.Writer) error {
	// From the first moment on a signal means what it says, and is not the end.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	defer signal.Stop(signals)
	defer endWith(ctx, exitOK)()
	o, err := g.options(root)
	if err != nil {
		return err
	}
	c := newCompiler(g.config, o)
	cfg, plan, err := c.load(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		printFaults(journal.Errors(stderr), err)
		if passing(err) {
			return exit{exitLater}
		}
		return exit{exitConfig}
	}
	state, err := watch.OpenStateDir(ctx, files, cfg.StateDir)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		printFaults(journal.Errors(stderr), err)
		return exit{exitFailed}
	}
	defer state.Close()
	level := new(slog.LevelVar)
	level.Set(cfg.Log.Level)
	log := newLog(stderr, cfg.Log.Format, level)
	c.logTo(log)
	d := &upkeep{compiler: c, root: root, stateDir: cfg.StateDir, level: level, log: log, watcher: inputs.New(log), listener: push.New(log)}
	d.prepare(ctx, cfg, plan, state)
	d.run(ctx, signals)
	return nil
}

// An upkeep is the loop and what triggers it.
type upkeep struct {
	*compiler
	root     string
	stateDir string
	level    *slog.LevelVar
	log      *slog.Logger
	watcher  *inputs.Watcher
	listener *push.Listener
	loop     *watch.Loop
}

// prepare makes the loop, whose first plan is the one given.
func (d *upkeep) prepare(ctx context.Context, cfg *config.Config, plan *watch.Plan, state *watch.StateDir) {
	manager := systemd.FromEnviron(d.log)
	d.loop = watch.NewLoop(d.prepared(ctx, cfg, plan), watch.Options{
		Load:   func() (*watch.Plan, error) { return d.load(ctx) },
		State:  state,
		Log:    d.log,
		Watch:  d.watcher.Set,
		Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Idle:   debug.FreeOSMemory, // with it the values of the pass go
		Report: manager.Report,
		Beat:   manager.Beat(),

		Rehearsal: d.root != "",
	})
}

// run keeps the services until ctx ends.
func (d *upkeep) run(ctx context.Context, signals <-chan os.Signal) {
	var triggers sync.WaitGroup
	triggers.Go(func() { d.watcher.Run(ctx, d.loop.Changed) })
	triggers.Go(func() { d.listener.Run(ctx, earOf(d.loop)) })
	if socket := d.listen(); socket != nil {
		triggers.Go(func() { d.serve(ctx, socket) })
	}
	if os.Getpid() == 1 {
		go command.Reap(ctx)
	}
	go d.relay(ctx, signals)
	d.loop.Run(ctx)
	triggers.Wait()
}

// load reads the config anew.
func (d *upkeep) load(ctx context.Context) (*watch.Plan, error) {
	cfg, plan, err := d.compiler.load(ctx)
	if err != nil {
		return plan, err
	}
	if cfg.StateDir != d.stateDir {
		d.log.Warn("a new state_dir takes a restart", "in use", d.stateDir, "configured", cfg.StateDir)
	}
	return d.prepared(ctx, cfg, plan), nil
}

// prepared gives a plan that is about to be put in force, and has the daemon follow its config.
func (d *upkeep) prepared(ctx context.Context, cfg *config.Config, plan *watch.Plan) *watch.Plan {
	d.level.Set(cfg.Log.Level)
	d.listener.Set(d.queue(cfg))
	plan = rehearsed(plan, d.root)
	sayNone(d.log, cfg)
	warnOfChecks(ctx, d.log, plan)
	warnOfPrivate(d.log, plan)
	return plan
}

// reload reads the config again because somebody asks for it, and everything that AWS's own configuration says with it.
func (d *upkeep) reload() error {
	d.forget()
	return d.loop.Reload()
}

// listen gives the socket through which other processes ask, before anybody is told that the daemon is there; nil where there is no
// directory for it. Without it the daemon does its work all the same.
func (d *upkeep) listen() net.Listener {
	if !control.Offered() {
		return nil
	}
	socket, err := control.Listen(control.Path())
	if err != nil {
		d.sayNoSocket(err)
		return nil
	}
	return socket
}

func (d *upkeep) serve(ctx context.Context, socket net.Listener) {
	if err := control.Serve(ctx, socket, d.reload, printFaults); err != nil {
		d.sayNoSocket(err)
	}
}

func (d *upkeep) sayNoSocket(err error) {
	d.log.Warn("rendered reload will not work", "err", err, "hint", "SIGHUP does")
}

// warnOfChecks says at the start what a service would meet with its first change only, at night.
func warnOfChecks(ctx context.Context, log *slog.Logger, plan *watch.Plan) {
	if failed := foresee(ctx, plan); failed != nil && ctx.Err() == nil {
		log.Error(failed.What, "hint", strings.Join(failed.Hints, "\n"))
	}
}

// warnOfPrivate says which files nobody will find, though nothing fails.
func warnOfPrivate(log *slog.Logger, plan *watch.Plan) {
	for _, s := range plan.Services {
		for _, f := range s.Files {
			if sandbox.Private(f.Path) {
				log.Warn("this file is seen by the daemon alone: /tmp and /var/tmp are its own", "service", s.Name, "file", f.Path,
					"hint", "have it in another directory, as below /run, or set PrivateTmp=no in a drop-in")
			}
		}
	}
}

// earOf lets a loop hear of changes.
func earOf(loop *watch.Loop) push.Ear {
	return push.Ear{
		Changed: func(changes []push.Change, origin push.Origin) {
			var list []watch.Announcement
			for _, c := range changes {
				matches := func(r sources.Ref) bool { return c.Concerns(r, origin) }
				list = append(list, watch.Announcement{Matches: matches, Version: c.Version, At: c.At, Region: c.Region, Account: c.Account, Origin: origin})
			}
			loop.Announced(list)
		},
		Missed: func() {
			loop.Announced([]watch.Announcement{{Matches: func(sources.Ref) bool { return true }}})
		},
	}
}

// relay turns signals into what they mean.
func (d *upkeep) relay(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				_ = d.reload() // the log says what is wrong
			} else {
				d.loop.Refresh()
			}
		}
	}
}

// printFaults prints every fault of an error as a person reads it.
func printFaults(w io.Writer, err error) {
	list, ok := err.(fault.List)
	if !ok {
		list = fault.List{{What: err.Error(), Hints: watch.Remedy(err)}}
	}
	for _, f := range list {
		fmt.Fprintf(w, "error: %s", f.Text())
	}
}
