package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
	"github.com/rendered/rendered/internal/fault"
)

func newReload() *cobra.Command {
	var a ask.Asker
	var wait bool
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the daemon read its config again, and say what comes of it",
		Long: `reload asks the daemon of this machine to read its config again and to look at everything, and returns when the config
was read. It prints which services are new, changed and removed. The config's faults are printed, with what becomes of whom, and the exit
code is 1 where there is one, and 2 where no daemon answers. That of a service leaves the service as it was, and the others follow. One that concerns all leaves the old
config in force. With --wait it waits until everything was looked at and everybody who is to be told was told, and prints what refresh --wait
prints; the exit code is 1, too, where a file could not be brought up to date or a dependent could not be told.

It is what systemctl reload rendered runs. It says where the unit's environment file, /etc/rendered/rendered.env, is newer than the
daemon, which reads it at its start only.`,
		Example: `  rendered reload
  rendered reload --wait --timeout 30s`,
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.Out, a.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			good, err := a.Reload(cmd.Context(), wait)
			if good {
				sayOutdated(console.ForJournal(cmd.ErrOrStderr()), settings.UnitEnvironment(settings.Installed))
			}
			return answered(good, err)
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until everything was looked at, and print what came of it")
	cmd.Flags().BoolVar(&a.JSON, "json", false, "print what came of it as JSON")
	addSpan(cmd, &a.Timeout, "timeout", time.Minute, "wait no longer than this `time`; 0: as long as it takes")
	return cmd
}

// sayOutdated says where the unit's environment is not that of the daemon, which systemd gave it at
// its start: its socket is as old as it is.
func sayOutdated(w io.Writer, environment string) {
	if ask.IsOlderThan(environment) {
		console.Warnings(w, fault.List{{
			What:  environment + " is newer than the daemon, which has its environment from its start",
			Hints: []string{"systemctl restart rendered"},
		}})
	}
}
