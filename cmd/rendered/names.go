package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// oneName is an error where there are several names, or one that is empty, as that of a variable
// that is not set.
func oneName(cmd *cobra.Command, names []string) error {
	if len(names) == 1 && names[0] == "" {
		return errors.New("the name of the service is empty")
	}
	return cobra.MaximumNArgs(1)(cmd, names)
}

// noNames is an error where there are names.
func noNames(cmd *cobra.Command, names []string) error {
	if len(names) > 0 {
		return fmt.Errorf("%s takes no name, as %q", cmd.CommandPath(), names[0])
	}
	return nil
}

// about gives which service or file a verb is asked about; "" where that is none.
func about(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return absolute(names)[0]
}

// absolute gives names of services as they are, and paths, which alone have a slash, as those of
// files stand in the config.
func absolute(names []string) []string {
	list := slices.Clone(names)
	for i, name := range list {
		if strings.Contains(name, "/") {
			if path, err := filepath.Abs(name); err == nil {
				list[i] = path
			}
		}
	}
	return list
}
