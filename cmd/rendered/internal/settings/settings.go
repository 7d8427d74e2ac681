// Package settings says what a verb works with, as flags and the environment have it: which config,
// and what is to take the place of what it says.
package settings

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
	"github.com/rendered/rendered/internal/disk"
)

// Installed is where the packages put the config. Tests have it elsewhere.
var Installed = "/etc/rendered/rendered.yaml"

// Files are where verbs write. Tests put a system in its place whose steps fail.
var Files = disk.Host

// Settings are the flags that every verb has. Each has an environment variable, which the flag
// overrides.
type Settings struct {
	Version string // ours, for AWS's logs

	flags     *pflag.FlagSet
	config    string
	values    string
	logLevel  string
	logFormat string
	vars      []string // NAME=TEXT
}

// variables are those that stand for flags.
var variables = map[string]string{"config": "RENDERED_CONFIG", "values": "RENDERED_VALUES", "log-level": "RENDERED_LOG_LEVEL", "log-format": "RENDERED_LOG_FORMAT"}

// AddFlags adds the flags to a set, by which the verbs are to have them.
func (s *Settings) AddFlags(f *pflag.FlagSet) {
	s.flags = f
	f.StringVarP(&s.config, "config", "c", cmp.Or(os.Getenv(variables["config"]), Installed), "config `file` (RENDERED_CONFIG; else ./rendered.yaml where it is there)")
	f.StringVar(&s.values, "values", os.Getenv(variables["values"]), "answer lookups from this `file` instead of AWS (RENDERED_VALUES)")
	f.StringVar(&s.logLevel, "log-level", os.Getenv(variables["log-level"]), "debug, info, warn or error (RENDERED_LOG_LEVEL)")
	f.StringVar(&s.logFormat, "log-format", os.Getenv(variables["log-format"]), "auto, text or json (RENDERED_LOG_FORMAT)")
	f.StringArrayVar(&s.vars, "var", nil, "set a template variable, `NAME=TEXT`; may be repeated (RENDERED_VAR_NAME)")
}

const varPrefix = "RENDERED_VAR_"

// overrides gives the vars set from outside the config: those of the environment, then those of
// flags.
func (s *Settings) overrides() (map[string]string, error) {
	vars := make(map[string]string)
	for _, entry := range os.Environ() {
		if rest, ok := strings.CutPrefix(entry, varPrefix); ok {
			name, value, _ := strings.Cut(rest, "=")
			vars[name] = value
		}
	}
	for _, entry := range s.vars {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--var %s: want NAME=TEXT", entry)
		}
		vars[name] = value
	}
	return vars, nil
}

// Daemon gives what the daemon works with. Which directory it was started in makes no difference,
// but for a rehearsal: root "" is none.
func (s *Settings) Daemon(root string, stderr io.Writer) (plan.Options, error) {
	if root == "" {
		return s.options(s.config, "")
	}
	return s.Verb(root, stderr)
}

// Verb gives what a verb works with that a person runs: the config in the working directory, which
// is said, or the installed one with the environment of its unit. The error is a fault.List, or a
// mistake in the flags.
func (s *Settings) Verb(root string, stderr io.Writer) (plan.Options, error) {
	path, here, faults := s.locate()
	switch {
	case len(faults) > 0:
		return plan.Options{}, faults
	case here:
		console.Say(stderr, "config: ./"+path)
	case UnitEnvironment(path) != "" && os.Geteuid() == 0:
		if err := s.takeEnvironment(UnitEnvironment(path), stderr); err != nil {
			return plan.Options{}, err
		}
		path = s.config // which that may have named
	}
	return s.options(path, root)
}

// Reading is Verb for what reads a config and writes nothing: the config may be on standard input.
func (s *Settings) Reading(stdin io.Reader, stderr io.Writer) (plan.Options, error) {
	o, err := s.Verb("", stderr)
	if err != nil {
		return o, err
	}
	return o, o.FromInput(stdin)
}

// Quiet is Verb for a shell that completes words: it says nothing, and knows no more of the unit
// than this process does.
func (s *Settings) Quiet() (plan.Options, error) {
	path, _, faults := s.locate()
	if len(faults) > 0 {
		return plan.Options{}, faults
	}
	return s.options(path, "")
}

func (s *Settings) options(path, root string) (plan.Options, error) {
	vars, err := s.overrides()
	return plan.Options{
		Config:          path,
		Vars:            vars,
		Values:          s.values,
		LogLevel:        s.logLevel,
		LogFormat:       s.logFormat,
		Root:            root,
		Version:         s.Version,
		EnvironmentFile: UnitEnvironment(path),
	}, err
}
