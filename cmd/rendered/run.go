package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/daemon"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newRun(g *settings.Settings) *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "The daemon: keep the files true until it is told to stop",
		Long: `run looks at every service on its schedule, whenever a file that it depends on changes (the config, templates, the values
file, inputs of the function file), and whenever a notice through the queue of triggers.sqs says that something it looks up has
changed. It logs to stderr.

SIGHUP, or rendered reload, reads the config again, SIGUSR1 looks at everything again, SIGTERM and SIGINT end it with exit code
0. A service with a fault in the config is left out at the start, and keeps its old self later; the others follow. A fault that concerns
all services leaves the config last in force in force, which the state directory remembers. A start ends with 78 where there never was
a config that can be used, and with 75 where that may pass, as a file system or instance metadata does not answer.

Under systemd it says when every service has been tried, how they stand, and that it is alive (Type=notify, WatchdogSec=).`,
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return keep(cmd.Context(), g, root, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "write below this `directory` and tell nobody")
	return cmd
}

func keep(ctx context.Context, g *settings.Settings, root string, stderr io.Writer) error {
	// From the first moment on a signal means what it says, and is not the end.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	defer signal.Stop(signals)
	defer endWith(ctx, exitOK)()
	o, err := g.Daemon(root, stderr)
	if err != nil {
		return err
	}
	d, err := daemon.Start(ctx, daemon.Options{Plan: o, System: settings.Files, Log: stderr, Commit: commit})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return notStarted(err, console.ForJournal(stderr))
	}
	defer d.Close()
	go relay(ctx, signals, d)
	if mistake := d.Run(ctx); mistake != nil {
		return panicked(mistake, stderr)
	}
	return nil
}

// notStarted prints why the daemon does not start.
func notStarted(err error, stderr io.Writer) error {
	code := exitFailed
	if none, ok := errors.AsType[*daemon.NoConfigError](err); ok {
		code, err = exitConfig, none.Faults
		if none.Temporary {
			code = exitTempFail
		}
	}
	console.Faults(stderr, err)
	return exit{code}
}

// relay turns signals into what they mean.
func relay(ctx context.Context, signals <-chan os.Signal, d *daemon.Daemon) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == syscall.SIGHUP {
				_ = d.Reload("SIGHUP") // the log says what is wrong
			} else {
				d.Refresh("SIGUSR1")
			}
		}
	}
}
