package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/once"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
	"github.com/rendered/rendered/internal/fault"
)

// exitUnknown is that of diff, as of diff(1), where it could not find out what differs.
const exitUnknown = 2

func newDiff(g *settings.Settings) *cobra.Command {
	var root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff [SERVICE...]",
		Short: "Show what a pass would change, and no value",
		Long: `diff asks AWS what the services look up, renders their files, and shows what
once would change: files that are new or other than those on disk, owners and
modes, and what would run then. It changes nothing, runs nothing, tells nobody
and takes no lock: it works beside the daemon.

No value is shown. In new lines a label stands for what a lookup gives, with the
version that it is of. Of lines on disk those are shown that the template has,
too; of others their length.

It exits with 0 where nothing would change, and prints nothing then, with 1 where
something would, and with 2 where that could not be found out: the config has a
fault, a lookup fails, or a file must not be written.`,
		Example: `  rendered diff                     all services
  rendered diff nginx               one
  rendered diff --root /tmp/try     what once --root would write there
  rendered diff --json | jq -r '.services[].files[].path'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			defer endWith(cmd.Context(), exitUnknown)()
			o, err := g.Verb(root, cmd.ErrOrStderr())
			if err != nil {
				return notFoundOut(err, cmd.ErrOrStderr())
			}
			found, err := once.Diff(cmd.Context(), once.Options{Plan: o, System: settings.Files, Services: names}, asJSON, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil || found == once.Same {
				return notFoundOut(err, cmd.ErrOrStderr())
			}
			return exit{map[once.Finding]int{once.Different: exitFailed, once.Unknown: exitUnknown}[found]}
		},
		ValidArgsFunction: completeNames(g),
	}
	cmd.Flags().StringVar(&root, "root", "", "compare with what is below this `directory`")
	addJSON(cmd, &asJSON)
	return cmd
}

// notFoundOut prints the faults that keep diff from finding out what differs, and gives the exit
// that they lead to. Another error it leaves to run.
func notFoundOut(err error, stderr io.Writer) error {
	if list, faulty := err.(fault.List); faulty {
		console.Faults(stderr, list)
		return exit{exitUnknown}
	}
	return err
}
