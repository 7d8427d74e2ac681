package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/check"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newCheck(g *settings.Settings) *cobra.Command {
	var asJSON bool
	var stage string
	co := check.Options{Format: check.Text}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find every fault of the config and its templates",
		Long:  fmt.Sprintf(checkHelp, check.Rules()),
		Example: `  rendered check
  rendered check -v --online
  rendered check --online --stage AWSPENDING
  rendered check -c etc/rendered.yaml --format github
  rendered check --json | jq -r '.findings[] | "\(.file):\(.line): \(.what)"'`,
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Reading(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if co.Plan = o; asJSON {
				co.Format = check.JSON
			}
			if stage != "" {
				if err := co.SetStage(stage); err != nil {
					return fmt.Errorf("--stage %q: %w", stage, err)
				}
			}
			return exitUnless(check.Run(cmd.Context(), co, cmd.OutOrStdout(), cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().BoolVar(&co.Online, "online", false, "also resolve every lookup")
	cmd.Flags().StringVar(&stage, "stage", "", "with --online: look secrets up by this staging `LABEL`, where they have it, and run checks")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions([]string{"AWSPENDING"}, cobra.ShellCompDirectiveNoFileComp))
	addFindingFlags(cmd, &co, &asJSON)
	return cmd
}

const checkHelp = `check reads the config and its templates and prints every fault with its place, or a table of what the config
means. It asks nobody, unless --online is given: then it also renders every file in memory, which finds lookups that fail and
certificates that verify: refuses, says which account and identity it asked as, whether the queue of change notices is there, whether
this machine lets the checks of services see new files, and whether systemd knows the units that are told. It never writes
a file, so that no check of a file or a service runs, takes no notice out of the queue, and tells nobody.

With --stage AWSPENDING it looks each secret up in its version with that staging label, where it has one, and the checks of files and services
run as well, over files in a directory of their own: a version that is being rotated in is found to be good or not before it is the current
one. It says which secrets have such a version; the others, and refs that select a version themselves, are looked up as ever. Files in force
stay as they are, and nobody is told.

As root it also looks at the paths on this machine: a destination, a pid file or a local file that other users can change, or have led
elsewhere, is a fault where the daemon refuses it, and a warning where they can do no more than they may be meant to.

Where root checks /etc/rendered/rendered.yaml, what the unit's environment file, /etc/rendered/rendered.env, sets counts, too; what the
shell has set wins.

It warns of what works and would be regretted, which "allow: [RULE]" of a service silences. The rules:
%s

With -c - the config is read from standard input, as lookups, uses, iam-policy and render do, and what is relative in it is relative to
the working directory.

For CI --json writes one document, and --format github the findings as annotations of GitHub's, each at its line of the change.

It exits with 1 where there are faults, and with 0 where there are only warnings. Its last line then says whom they concern: a fault of a
service is no other's.`

// addFindingFlags adds those of how the findings are written.
func addFindingFlags(cmd *cobra.Command, co *check.Options, asJSON *bool) {
	cmd.Flags().BoolVarP(&co.Verbose, "verbose", "v", false, "list the files of each service, and what they look up")
	cmd.Flags().Var(&co.Format, "format", "`FORMAT` of what is found: text, json or github")
	addJSON(cmd, asJSON)
	cmd.MarkFlagsMutuallyExclusive("json", "format")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(check.Formats, cobra.ShellCompDirectiveNoFileComp))
}
