package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/recipes"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [RECIPE] [DIRECTORY]",
		Short: "Begin with a recipe: a config, its templates, and values to try it with",
		Long: `init writes a recipe of the cookbook to a directory, by default to one of its name: the config, its templates, a file of values that answers
in the place of AWS, and a README of what to do next. There check and once --root work at once, without AWS and without a Region.
Without arguments it lists the recipes.

It makes the directory, or takes one that is empty, and writes over nothing. In the config that it writes an owner whom this machine does not
know is a comment.

It exits with 1 where the directory is not empty or cannot be written to.`,
		Example: `  rendered init                    which recipes there are
  rendered init nginx-tls demo     write one to the directory demo
  cd demo && rendered check && rendered once --root out`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				console.Say(cmd.ErrOrStderr(), "rendered init RECIPE [DIRECTORY] writes one of these:")
				return recipes.List(cmd.OutOrStdout())
			}
			return recipes.Write(args[0], args[len(args)-1], cmd.OutOrStdout())
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(words) {
			case 0:
				return recipes.Names(), cobra.ShellCompDirectiveNoFileComp
			case 1:
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
	}
}
