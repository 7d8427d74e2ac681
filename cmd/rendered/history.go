package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
)

func newHistory() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history [SERVICE|PATH]",
		Short: "What changed on this machine, why, and who was told",
		Long: `history prints what happened to the services, or to one, named by its name or by the path of a file, the newest first: which files got
new contents, from which versions of what, what the look was for, who was told and in which time, who refused, and when a service failed and
was well again. The state directory keeps the last 1,000 events, 1 MiB at most, across restarts. No value is in it.

It exits with 1 where no service or file has that name, and with 2 where no daemon answers.`,
		Example: `  rendered history
  rendered history nginx
  rendered history --json`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, names []string) error {
			return answered(ask.Asker{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: asJSON}.History(cmd.Context(), about(names)))
		},
		ValidArgsFunction: completeService,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON, the oldest first")
	return cmd
}
