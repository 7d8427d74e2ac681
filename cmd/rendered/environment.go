package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/cmd/rendered/internal/unitenv"
)

// The unit reads AWS_REGION and the like from a file that root's shell knows nothing of
// (EnvironmentFile=). Who checks the config that the unit works from wants to know what the unit
// will make of it.

// unitEnvironment is the path of that file: it stands beside the config as installed. Where another
// config is meant there is none.
func unitEnvironment(config string) string {
	if config != defaultConfig {
		return ""
	}
	return filepath.Join(filepath.Dir(defaultConfig), "rendered.env")
}

// unitOptions gives what the flags and the unit's environment say about the plan.
func (g *globals) unitOptions(cmd *cobra.Command, root string) (plan.Options, error) {
	if path := unitEnvironment(g.config); path != "" && os.Geteuid() == 0 {
		if err := takeEnvironment(path, cmd.InheritedFlags(), cmd.ErrOrStderr()); err != nil {
			return plan.Options{}, err
		}
	}
	return g.options(root)
}

// takeEnvironment takes what the unit's environment has, where root works with the unit's config
// and the shell has not set it. Flags that stand for variables follow, unless they were given. It
// says so, by names: some values are secrets.
func takeEnvironment(path string, flags *pflag.FlagSet, w io.Writer) error {
	taken, err := unitenv.Apply(path)
	if err != nil || len(taken) == 0 {
		return err
	}
	for flag, name := range variables {
		if f := flags.Lookup(flag); !f.Changed && slices.Contains(taken, name) && os.Getenv(name) != "" {
			_ = f.Value.Set(os.Getenv(name))
		}
	}
	console.Say(w, fmt.Sprintf("%s from %s, as the unit has it", strings.Join(taken, ", "), path))
	return nil
}
