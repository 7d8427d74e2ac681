package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/console"
	"github.com/rendered/rendered/cmd/rendered/internal/plan"
)

// defaultConfig is where the packages put the config. Tests have it elsewhere.
var defaultConfig = "/etc/rendered/rendered.yaml"

// globals are the flags that every verb has. Each has an environment variable, which the flag
// overrides.
type globals struct {
	config    string
	values    string
	logLevel  string
	logFormat string
	vars      []string // NAME=TEXT
	colors    console.Colors
}

// variables are those that stand for flags.
var variables = map[string]string{"config": "RENDERED_CONFIG", "values": "RENDERED_VALUES", "log-level": "RENDERED_LOG_LEVEL", "log-format": "RENDERED_LOG_FORMAT"}

// colorFlag is that of g.colors.
const colorFlag = "color"

func (g *globals) addFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVarP(&g.config, "config", "c", cmp.Or(os.Getenv(variables["config"]), defaultConfig), "config `file` (RENDERED_CONFIG)")
	f.StringVar(&g.values, "values", os.Getenv(variables["values"]), "answer lookups from this `file` instead of AWS (RENDERED_VALUES)")
	f.StringVar(&g.logLevel, "log-level", os.Getenv(variables["log-level"]), "debug, info, warn or error (RENDERED_LOG_LEVEL)")
	f.StringVar(&g.logFormat, "log-format", os.Getenv(variables["log-format"]), "auto, text or json (RENDERED_LOG_FORMAT)")
	f.StringArrayVar(&g.vars, "var", nil, "set a template variable, `NAME=TEXT`; may be repeated (RENDERED_VAR_NAME)")
	g.colors = console.Auto
	f.Var(&g.colors, colorFlag, "`WHEN` to use colors: auto, always or never (NO_COLOR)")
	_ = root.RegisterFlagCompletionFunc(colorFlag, cobra.FixedCompletions(console.Choices, cobra.ShellCompDirectiveNoFileComp))
}

const varPrefix = "RENDERED_VAR_"

// overrides gives the vars set from outside the config: those of the environment, then those of
// flags.
func (g *globals) overrides() (map[string]string, error) {
	vars := make(map[string]string)
	for _, entry := range os.Environ() {
		if rest, ok := strings.CutPrefix(entry, varPrefix); ok {
			name, value, _ := strings.Cut(rest, "=")
			vars[name] = value
		}
	}
	for _, entry := range g.vars {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--var %s: want NAME=TEXT", entry)
		}
		vars[name] = value
	}
	return vars, nil
}

// options gives what the flags say about the plan.
func (g *globals) options(root string) (plan.Options, error) {
	vars, err := g.overrides()
	return plan.Options{
		Config:          g.config,
		Vars:            vars,
		Values:          g.values,
		LogLevel:        g.logLevel,
		LogFormat:       g.logFormat,
		Root:            root,
		Version:         version,
		EnvironmentFile: unitEnvironment(g.config),
	}, err
}
