package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/ask"
)

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [SERVICE|PATH]",
		Short: "How the daemon and its services stand",
		Long: `status asks the daemon how its services stand: which are current, failing or owe somebody a notice, which wait for their time or a
gate, whose change has yet to be seen to be well, was not, or was put back; since when, why, whose turn it is, and when each is looked at
next. Of one service, named by its name or by the path of a file, it tells more: the versions that its lookups read last, when its
dependents were told, and what to do. No value is shown.

It exits with 0 where everything is current, with 1 where something is not, and with 2 where no daemon answers.`,
		Example: `  rendered status
  rendered status nginx
  rendered status /etc/nginx/tls/site.key
  rendered status --json`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, names []string) error {
			return answered(ask.Asker{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr(), JSON: asJSON}.Status(cmd.Context(), about(names)))
		},
		ValidArgsFunction: completeService,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all that is known, as JSON")
	return cmd
}

// completeService completes the one service of a verb by what the daemon says: its name, or, once
// it is begun, the path of a file.
func completeService(cmd *cobra.Command, names []string, begun string) (list []string, _ cobra.ShellCompDirective) {
	switch {
	case len(names) > 0:
	case strings.HasPrefix(begun, "/"):
		list = ask.Paths(cmd.Context())
	default:
		list = ask.Services(cmd.Context(), nil)
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}

// completeServices completes the names of services by what the daemon says.
func completeServices(cmd *cobra.Command, names []string, _ string) ([]string, cobra.ShellCompDirective) {
	return ask.Services(cmd.Context(), names), cobra.ShellCompDirectiveNoFileComp
}

// answered gives the exit of a verb that has asked the daemon.
func answered(good bool, err error) error {
	switch {
	case err == ask.ErrNoDaemon:
		return exit{exitNoDaemon}
	case err != nil:
		return err
	}
	return exitUnless(good)
}

func newWait() *cobra.Command {
	var a ask.Asker
	cmd := &cobra.Command{
		Use:   "wait [SERVICE...]",
		Short: "Wait until services are current",
		Long: `wait returns when the services, or all where none is named, are current: their files are up to date, everybody who reads them was told,
and where something stands under healthy, it was seen to be well. It exits with 1 where they are not within the timeout, and with 2 where
no daemon answers. In a unit that reads the files it can stand as ExecStartPre=.`,
		Example: `  rendered wait
  rendered wait nginx --timeout 10s`,
		RunE: func(cmd *cobra.Command, names []string) error {
			a.Out, a.Err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return answered(a.Wait(cmd.Context(), names))
		},
		ValidArgsFunction: completeServices,
	}
	cmd.Flags().BoolVar(&a.JSON, "json", false, "print how they stand then, as JSON")
	addSpan(cmd, &a.Timeout, "timeout", time.Minute, "give up after this `time`; 0: never")
	return cmd
}
