package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
)

// defaultConfig is where the packages put the config. Tests have it elsewhere.
var defaultConfig = "/etc/rendered/rendered.yaml"

// globals are the flags that every verb has. Each has an environment variable, which the flag overrides.
type globals struct {
	config    string
	values    string
	logLevel  string
	logFormat string
	vars      []string // NAME=TEXT
}

func (g *globals) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&g.config, "config", "c", fromEnv("RENDERED_CONFIG", defaultConfig), "config `file` (RENDERED_CONFIG)")
	f.StringVar(&g.values, "values", fromEnv("RENDERED_VALUES", ""), "answer lookups from this `file` instead of AWS (RENDERED_VALUES)")
	f.StringVar(&g.logLevel, "log-level", fromEnv("RENDERED_LOG_LEVEL", ""), "debug, info, warn or error (RENDERED_LOG_LEVEL)")
	f.StringVar(&g.logFormat, "log-format", fromEnv("RENDERED_LOG_FORMAT", ""), "auto, text or json (RENDERED_LOG_FORMAT)")
	f.StringArrayVar(&g.vars, "var", nil, "set a template variable, `NAME=TEXT`; may be repeated (RENDERED_VAR_NAME)")
}

func fromEnv(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

const varPrefix = "RENDERED_VAR_"

// overrides gives the vars set from outside the config: those of the environment, then those of flags.
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

// options gives what the flags say about reading the config.
func (g *globals) options(root string) (config.Options, error) {
	vars, err := g.overrides()
	return config.Options{
		Vars:      vars,
		Values:    g.values,
		Root:      root,
		Strangers: root != "" && os.Geteuid() != 0, // their files will be ours
		LogLevel:  g.logLevel,
		LogFormat: g.logFormat,
	}, err
}
