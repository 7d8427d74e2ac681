package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/render/fault"
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

SIGHUP reads the config again, SIGUSR1 looks at everything again, SIGTERM and SIGINT end it with exit code 0. A config that
cannot be used at the start ends it with 78; one that cannot be used later leaves the old one in force.`,
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
		printFaults(stderr, err)
		return exit{exitConfig}
	}
	ledger, err := watch.OpenLedger(ctx, files, cfg.StateDir)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		printFaults(stderr, err)
		return exit{exitFailed}
	}
	defer ledger.Close()
	level := new(slog.LevelVar)
	level.Set(cfg.Log.Level)
	log := newLog(stderr, cfg.Log.Format, level)
	c.logTo(log)
	watcher, listener := inputs.New(log), push.New(log)
	listener.Set(c.queue(cfg))
	plan = rehearsed(plan, root)
	warnOfChecks(ctx, log, plan)
	loop := watch.NewLoop(plan, watch.Options{
		Load: func() (*watch.Plan, error) {
			fresh, plan, err := c.load(ctx)
			if err != nil {
				return plan, err
			}
			level.Set(fresh.Log.Level)
			if fresh.StateDir != cfg.StateDir {
				log.Warn("a new state_dir takes a restart", "in use", cfg.StateDir, "configured", fresh.StateDir)
			}
			listener.Set(c.queue(fresh))
			plan = rehearsed(plan, root)
			warnOfChecks(ctx, log, plan)
			return plan, nil
		},
		Ledger: ledger,
		Log:    log,
		Watch:  watcher.Set,
		Chance: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Idle:   debug.FreeOSMemory, // with it the values of the pass go
	})
	var triggers sync.WaitGroup
	triggers.Go(func() { watcher.Run(ctx, loop.Changed) })
	triggers.Go(func() { listener.Run(ctx, earOf(loop)) })
	go relay(ctx, signals, loop, c)
	loop.Run(ctx)
	triggers.Wait()
	return nil
}

// warnOfChecks says at the start what a service would meet with its first change only, at night.
func warnOfChecks(ctx context.Context, log *slog.Logger, plan *watch.Plan) {
	if failed := foresee(ctx, plan); failed != nil && ctx.Err() == nil {
		log.Error(failed.What, "hint", strings.Join(failed.Hints, "\n"))
	}
}

// earOf lets a loop hear of changes.
func earOf(loop *watch.Loop) push.Ear {
	return push.Ear{
		Changed: func(changes []push.Change, origin push.Origin) {
			var list []watch.Announcement
			for _, c := range changes {
				matches := func(r sources.Ref) bool { return c.Concerns(r, origin) }
				list = append(list, watch.Announcement{Matches: matches, Version: c.Version, At: c.At})
			}
			loop.Announced(list)
		},
		Missed: func() {
			loop.Announced([]watch.Announcement{{Matches: func(sources.Ref) bool { return true }}})
		},
	}
}

// relay turns signals into what they mean.
func relay(ctx context.Context, signals <-chan os.Signal, loop *watch.Loop, c *compiler) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				c.forget()
				_ = loop.Reload() // the log says what is wrong
			} else {
				loop.Refresh()
			}
		}
	}
}

// printFaults prints every fault of an error as a person reads it.
func printFaults(w io.Writer, err error) {
	list, ok := err.(fault.List)
	if !ok {
		fmt.Fprintf(w, "error: %v\n", err)
		return
	}
	for _, f := range list {
		fmt.Fprintf(w, "error: %s", f.Text())
	}
}
