package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/lookups"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newUses(g *settings.Settings) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "uses [KIND] REF",
		Short: "Say who uses a secret, and what happens here when it is rotated",
		Long: `uses prints who uses a secret, a parameter, a local file or a fact of the
instance: where the service stands in the config, its files that have it, and
who is told once they have changed. It asks nobody and reads no value.

REF is written as in a template, as an ARN, or as a bare name, which is also that
of other accounts and versions. Before it may stand its kind, as messages have
it: secret, param, params, file, imds. Whoever looks up all parameters under a
path uses each of them.

It exits with 0 where somebody uses it, and with 1 where nobody does, which says
what has a name like it, or where the config has a fault, so that a service is
not known.`,
		Example: `  rendered uses prod/web/tls
  rendered uses shared::prod/db:AWSPREVIOUS
  rendered uses arn:aws:ssm:eu-west-1:111111111111:parameter/prod/api/log_level
  rendered uses secret prod/db --json | jq -r '.uses[].then[]'`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, words []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Reading(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			used, err := lookups.Uses(cmd.Context(), o, words, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(used)
		},
		ValidArgsFunction: func(cmd *cobra.Command, words []string, _ string) (list []string, _ cobra.ShellCompDirective) {
			if o, err := g.Quiet(); err == nil {
				list = lookups.Refs(cmd.Context(), o, words)
			}
			return list, cobra.ShellCompDirectiveNoFileComp
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}
