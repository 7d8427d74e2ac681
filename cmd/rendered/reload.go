package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/cmd/rendered/internal/control"
	"github.com/rendered/rendered/cmd/rendered/internal/journal"
	"github.com/rendered/rendered/internal/fault"
)

func newReload() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the daemon read its config again, and say what comes of it",
		Long: `reload asks the daemon of this machine to read its config again and to look at everything, and returns when the config
was read. A config that cannot be used leaves the old one in force: its faults are printed, and the exit code is 1.

It is what systemctl reload rendered runs. Only the user that the daemon runs as can ask, through the socket in the directory
that RUNTIME_DIRECTORY names, else in /run/rendered. It says where the unit's environment file, /etc/rendered/rendered.env, is newer than the
daemon, which reads it at its start only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return askReload(cmd.Context(), control.Path(), journal.Errors(cmd.ErrOrStderr()))
		},
	}
}

func askReload(ctx context.Context, path string, stderr io.Writer) error {
	err := control.AskReload(ctx, path)
	if err == nil {
		sayOutdated(stderr, path, unitEnvironment(defaultConfig))
		return nil
	}
	if refused, ok := errors.AsType[control.Refused](err); ok {
		fmt.Fprintf(stderr, "%s\nthe old config stays in force\n", refused)
	} else {
		printFaults(stderr, fault.List{{What: err.Error(), Hints: unanswered(err)}})
	}
	return exit{exitFailed}
}

// sayOutdated says where the unit's environment is not that of the daemon, which systemd gave it at
// its start: its socket is as old as it is.
func sayOutdated(w io.Writer, socket, environment string) {
	daemon, err := os.Stat(socket)
	if err != nil {
		return
	}
	if file, err := os.Stat(environment); err == nil && file.ModTime().After(daemon.ModTime()) {
		fmt.Fprintf(w, "warning: %s is newer than the daemon, which has its environment from its start\n  systemctl restart rendered\n", environment)
	}
}

// unanswered says what to do where no daemon answers.
func unanswered(err error) []string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return []string{"ask as root, or as the user that the daemon runs as"}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return []string{"does it run?  systemctl status rendered", "one that systemd did not start reads its config when it is saved, and at SIGHUP"}
	}
	return nil
}
