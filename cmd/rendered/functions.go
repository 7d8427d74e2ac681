package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/manual"
)

func newFunctions() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "functions [NAME]",
		Short: "Say what functions templates have, and show each at work",
		Long: `functions lists what a template may call: how, and what it gives. With a NAME it
says of that function when it fails, and shows an example and what that prints.

It knows the names that confd, consul-template, gomplate, sprig, Helm and Ansible
have for theirs, and says what each is here, or why it is not here.

It reads no config and asks nobody. It exits with 1 where there is no function of
that name.`,
		Example: `  rendered functions | less
  rendered functions paramsOr
  rendered functions getv
  rendered functions --json | jq -r '.functions[].name'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			switch {
			case asJSON:
				return manual.JSON(cmd.OutOrStdout(), strings.Join(words, ""))
			case len(words) == 0:
				return manual.Functions(cmd.OutOrStdout())
			}
			return manual.Function(cmd.OutOrStdout(), words[0])
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) (list []string, _ cobra.ShellCompDirective) {
			if len(words) == 0 {
				list = manual.FunctionNames()
			}
			return list, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON, for editors and other programs")
	return cmd
}
