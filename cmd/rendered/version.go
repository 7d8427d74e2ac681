package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the build of a release: -ldflags "-X main.version=1.2.3".
var version = "dev"

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "rendered %s%s %s %s/%s\n", version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// commit gives the commit that the binary was built from and its date, as far as the build recorded them.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	found := make(map[string]string)
	for _, s := range info.Settings {
		found[s.Key] = s.Value
	}
	text := ""
	if rev := found["vcs.revision"]; rev != "" {
		text = " (" + rev[:min(12, len(rev))]
		if found["vcs.modified"] == "true" {
			text += ", modified"
		}
		text += ", " + found["vcs.time"] + ")"
	}
	return text
}
