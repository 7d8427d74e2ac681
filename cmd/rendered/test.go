package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/cases"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newTest(g *settings.Settings) *cobra.Command {
	o := cases.Options{Format: cases.Text}
	cmd := &cobra.Command{
		Use:   "test [DIRECTORY|FILE...]",
		Short: "Run the test cases that stand beside templates",
		Long: `test runs the cases in files whose names end in .test.yaml, those that are named or in the directories that are, by default the working
directory and all below it. A case has vars, values and what is expected: a text, a golden file, or an error. app.env.test.yaml is about
app.env.tmpl beside it, as rendered.yaml beside it or above conf.d has it: with its vars, format and delimiters.

Nobody is asked: what a case does not have does not exist. Checks and verify: do not run. Nothing is written but golden files, with --update.

The format is in docs/testing.md. For CI --format junit writes a document, and --format github annotations of GitHub's.

It exits with 1 where a case fails, a file of cases has a fault, or there are none.`,
		Example: `  rendered test
  rendered test templates/app.env.test.yaml -v
  rendered test --update && git diff
  rendered test --format junit >report.xml`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o.Paths, o.Config = paths, g.NamedConfig()
			good, err := cases.Run(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(good)
		},
	}
	cmd.Flags().BoolVar(&o.Update, "update", false, "write golden files that are missing or hold something else")
	cmd.Flags().BoolVarP(&o.Verbose, "verbose", "v", false, "list cases that pass, too")
	cmd.Flags().Var(&o.Format, "format", "`FORMAT` of the results: text, junit or github")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(cases.Formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
