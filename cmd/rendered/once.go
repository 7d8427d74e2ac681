package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/once"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newOnce(g *settings.Settings) *cobra.Command {
	var root string
	var silent bool
	cmd := &cobra.Command{
		Use:   "once [SERVICE...]",
		Short: "One pass over all services, or those named, then stop",
		Long: `once looks up, renders, swaps and tells, one time, and prints a line for each file that it wrote and each dependent
that it told. It exits with 1 where a file could not be brought up to date or a dependent could not be told, and where the config has a
fault: the services that it is of are left out, with what is wrong.

Where root works with /etc/rendered/rendered.yaml, what the unit's environment file, /etc/rendered/rendered.env, sets counts, too; what the
shell has set wins.`,
		RunE: func(cmd *cobra.Command, names []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Verb(root, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			good, err := once.Run(cmd.Context(), once.Options{Plan: o, System: settings.Files, Services: names, Silent: silent}, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(good)
		},
		ValidArgsFunction: completeNames(g),
	}
	cmd.Flags().StringVar(&root, "root", "", "write below this `directory` and tell nobody")
	cmd.Flags().BoolVar(&silent, "no-notify", false, "tell nobody now; what is owed is told by the next pass")
	return cmd
}

// completeNames gives the services of the config that are not named yet.
func completeNames(g *settings.Settings) cobra.CompletionFunc {
	return func(_ *cobra.Command, names []string, _ string) (others []string, _ cobra.ShellCompDirective) {
		if o, err := g.Quiet(); err == nil {
			others = once.Names(o, names)
		}
		return others, cobra.ShellCompDirectiveNoFileComp
	}
}
