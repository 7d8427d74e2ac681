package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
)

func newPause() *cobra.Command {
	var a ask.Asker
	var lasts time.Duration
	var why string
	cmd := &cobra.Command{
		Use:   "pause SERVICE... --why TEXT",
		Short: "Have the daemon leave services alone for a while",
		Long: `pause has the daemon leave services alone: it does not look at them, their files stay as they are, whoever changes them, and nobody is told
of them, whatever triggers it. What is owed stays owed, and a new config of theirs comes into force when they are resumed. It lasts until
resume ends it, or for the time that --for gives, and across restarts, reloads and a new name of the service. status, log and history say
who paused what, until when and why.

It returns when nothing is under way any more, and exits with 1 where a service is none, the record cannot be written, or what is under
way takes longer than the timeout; and with 2 where no daemon answers.`,
		Example: `  rendered pause nginx --for 2h --why "certificate by hand, ticket 4711"
  rendered pause app worker --why "database migration"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			a.Out, a.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return answered(a.Pause(cmd.Context(), names, lasts, why))
		},
		ValidArgsFunction: completeServices,
	}
	addSpan(cmd, &lasts, "for", 0, "end it after this `time`; 0: when it is resumed")
	cmd.Flags().StringVar(&why, "why", "", "say why, in one line of at most 200 characters; it is no place for secrets")
	cmd.Flags().BoolVar(&a.JSON, "json", false, "print what is paused as JSON")
	addSpan(cmd, &a.Timeout, "timeout", time.Minute, "wait no longer than this `time` for what is under way; 0: as long as it takes")
	_ = cmd.MarkFlagRequired("why")
	return cmd
}

func newResume() *cobra.Command {
	var a ask.Asker
	cmd := &cobra.Command{
		Use:   "resume [SERVICE...]",
		Short: "End pauses, and have the services looked at",
		Long: `resume ends the pauses of services, or all where none is named, and has the daemon look at them at once: what changed meanwhile comes,
and whoever is owed a notice is told.

It exits with 1 where a service is not paused or the record cannot be written, and with 2 where no daemon answers.`,
		Example: `  rendered resume nginx
  rendered resume`,
		RunE: func(cmd *cobra.Command, names []string) error {
			a.Out, a.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return answered(a.Resume(cmd.Context(), names))
		},
		ValidArgsFunction: func(cmd *cobra.Command, names []string, _ string) ([]string, cobra.ShellCompDirective) {
			return ask.Paused(cmd.Context(), names), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&a.JSON, "json", false, "print what was resumed as JSON")
	return cmd
}
