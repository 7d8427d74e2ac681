package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/lookups"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newLookups(g *settings.Settings) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lookups [SERVICE|PATH...]",
		Short: "List what the services look up, and where that stands",
		Long: `lookups reads the config and its templates and lists every lookup of the
services, or of the services and files that are named: where it stands, what it
looks up, and how that was found. It asks nobody and reads no value.

  written    the name stands in the template
  derived    vars, env, hostname or a list in the template make it
  computed   only the render can tell, as it is made of what a lookup gives

What is written or derived is looked up before anything is rendered, also where
a condition may leave it out.

It exits with 0 where all is known, and with 1 where the config has a fault:
what a service that has one looks up is not listed.`,
		Example: `  rendered lookups                           all of them
  rendered lookups nginx                     those of a service
  rendered lookups /etc/nginx/tls/site.key   those of a file
  rendered lookups --json | jq '.lookups[] | select(.found == "computed")'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Reading(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			good, err := lookups.List(cmd.Context(), o, absolute(names), asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(good)
		},
		ValidArgsFunction: func(_ *cobra.Command, names []string, _ string) ([]string, cobra.ShellCompDirective) {
			o, err := g.Quiet()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return lookups.Names(o, names), cobra.ShellCompDirectiveNoFileComp
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// addJSON gives a verb the flag by which programs read what it says.
func addJSON(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "print all that is known, as JSON")
}
