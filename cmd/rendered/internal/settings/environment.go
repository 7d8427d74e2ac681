package settings

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/unitenv"
)

// The unit reads AWS_REGION and the like from a file that root's shell knows nothing of
// (EnvironmentFile=). Who checks the config that the unit works from wants to know what the unit
// will make of it.

// UnitEnvironment is the path of that file: it stands beside the config as installed. Where another
// config is meant there is none.
func UnitEnvironment(config string) string {
	if config != Installed {
		return ""
	}
	return filepath.Join(filepath.Dir(Installed), "rendered.env")
}

// takeEnvironment takes what the unit's environment has, where root works with the unit's config
// and the shell has not set it. Flags that stand for variables follow, unless they were given. It
// says so, by names: some values are secrets.
func (s *Settings) takeEnvironment(path string, w io.Writer) error {
	taken, err := unitenv.Apply(path)
	if err != nil || len(taken) == 0 {
		return err
	}
	for flag, name := range variables {
		if f := s.flags.Lookup(flag); !f.Changed && slices.Contains(taken, name) && os.Getenv(name) != "" {
			_ = f.Value.Set(os.Getenv(name))
		}
	}
	console.Say(w, fmt.Sprintf("%s from %s, as the unit has it", strings.Join(taken, ", "), path))
	return nil
}
