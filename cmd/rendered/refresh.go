package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
)

func newRefresh() *cobra.Command {
	var a ask.Asker
	var wait bool
	cmd := &cobra.Command{
		Use:   "refresh [SERVICE...]",
		Short: "Have the daemon look at services now, and say what comes of it",
		Long: `refresh has the daemon look at the services, or at all where none is named, at once. With --wait it waits until that is done and
everybody who is to be told was told, and prints what once prints: a line for each file that is new and each dependent, and what is wrong.
A dependent whose min_interval is not over stays owed, and files wait for their window and their gate. A change that was rolled back is
tried again, in a fleet when somebody has resumed it (rendered fleet resume), and what was not well is looked at again.

It exits with 1 where a file could not be brought up to date, its gate is shut, its change is halted in its fleet, a dependent could not be
told or the service is not seen to be well, or where that takes longer than the timeout, which ends the waiting alone; and with 2 where no
daemon answers.`,
		Example: `  rendered refresh
  rendered refresh nginx --wait --timeout 10s`,
		RunE: func(cmd *cobra.Command, names []string) error {
			a.Out, a.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if !wait {
				return answered(a.Refresh(cmd.Context(), names))
			}
			return answered(a.RefreshAndWait(cmd.Context(), names))
		},
		ValidArgsFunction: completeServices,
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is done, and print what came of it")
	cmd.Flags().BoolVar(&a.JSON, "json", false, "with --wait, print what came of it as JSON")
	addSpan(cmd, &a.Timeout, "timeout", time.Minute, "with --wait, wait no longer than this `time`; 0: as long as it takes")
	return cmd
}
