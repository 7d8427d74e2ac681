package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/manual"
)

// newManual is for who makes packages, and for who installs with go install.
func newManual() *cobra.Command {
	return &cobra.Command{
		Use:    "manual DIRECTORY",
		Short:  "Write the manual pages of this program",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			book := manual.Book{Version: version, Date: date[:min(len("2026-11-24"), len(date))], SeeAlso: []string{"rendered.yaml(5)", "rendered-functions(7)"}}
			err := book.Write(cmd.Root(), args[0])
			if err != nil {
				console.Faults(cmd.ErrOrStderr(), err)
			}
			return exitUnless(err == nil)
		},
	}
}
