package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
)

// help prints what a verb says of itself in as many columns as there are.
func help(cmd *cobra.Command, _ []string) {
	out := cmd.OutOrStdout()
	width := console.Width(out)
	text := console.Filled(cmp.Or(cmd.Long, cmd.Short), width) + "\n"
	if cmd.Runnable() || cmd.HasSubCommands() {
		text += "\n" + console.Fitted(cmd.UsageString(), width)
	}
	_, _ = out.Write([]byte(text)) // a write that fails has nobody to tell
}
