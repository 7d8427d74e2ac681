package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/lookups"
	"github.com/rendered/rendered/cmd/rendered/internal/once"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newRender(g *settings.Settings) *cobra.Command {
	var reveal bool
	cmd := &cobra.Command{
		Use:   "render SERVICE|PATH|TEMPLATE|-",
		Short: "Print what files would hold",
		Long: `render prints what files would hold: all files of a service, the file of a path, those that a template of the config makes, or what a
template that the config does not have gives with the vars at its top. - is a template on standard input. Such a template needs no config
where there is none. With -c - the config is read from standard input, and what is relative in it is relative to the working directory.

It writes nothing to disk, runs no check and tells nobody. A single file is printed as it would be written, to the byte; several have a line
==> PATH <== before each.

Values of a values file are shown. Without one a label stands for what a lookup or the environment gives, as in diff, unless --reveal is
given: then secrets are printed.

It exits with 0 where everything was printed, and with 1 where the config has a fault, a lookup fails, or what was printed must not be
written, as it is not of its format.`,
		Example: `  rendered render nginx
  rendered render /etc/app/app.env
  rendered render --values values.yaml app.env.tmpl
  echo '{{ param "/app/port" }}' | rendered render --reveal -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Verb("", cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			ro := once.RenderOptions{
				Plan: o, System: settings.Files, What: args[0], Stdin: cmd.InOrStdin(), Optional: !g.NamesConfig(), Reveal: reveal,
			}
			good, err := once.Render(cmd.Context(), ro, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(good)
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			o, err := g.Quiet()
			if err != nil || len(words) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return lookups.Names(o, nil), cobra.ShellCompDirectiveDefault
		},
	}
	cmd.Flags().BoolVar(&reveal, "reveal", false, "print what AWS gives, secrets too")
	return cmd
}
