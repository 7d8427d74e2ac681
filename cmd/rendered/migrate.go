package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate"
)

func newMigrate() *cobra.Command {
	o := migrate.Options{}
	cmd := &cobra.Command{
		Use:   "migrate " + strings.Join(migrate.Programs, "|") + " PATH...",
		Short: "Write a config and templates for those of another program",
		Long: `migrate reads the config of confd (its directory, /etc/confd by default), of consul-template or Vault Agent (files of HCL or JSON, and
directories of them; --template takes what its flag -template does), with their templates, and writes a config and templates of rendered's to a directory: calls of functions are rewritten, with the order of their arguments turned round where it is another, and owner,
mode, checks, reload commands, intervals, prefixes and delimiters are carried over. What is not understood stays as it is, below a comment
TODO(migrate) with its place and the reason, and is reported. A template with such a thing does not render until somebody has seen to it.

Of paths of Vault it makes names of secrets, and writes them to secrets.yaml, where they can be changed: --names takes that file. What Vault makes
for who asks, as certificates and database users, and service discovery are not here, and are refused by name.

It asks nobody, and changes nothing but the directory that it writes, which must be new or empty. docs/migration.md has the whole way, and
what becomes of each function.

It exits with 0 where all is migrated, and with 1 where something is left to do.`,
		Example: `  rendered migrate confd /etc/confd --backend ssm --output new
  rendered migrate consul-template /etc/consul-template.d --output new
  rendered migrate consul-template --template 'a.ctmpl:/etc/a.conf:reload a'
  cd new && rendered check && rendered diff`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			o.Program, o.Paths = words[0], words[1:]
			if err := wantMigration(o); err != nil {
				return err
			}
			good, err := migrate.Run(o, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(good)
		},
		ValidArgsFunction: func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(words) == 0 {
				return migrate.Programs, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	addMigrateFlags(cmd, &o)
	return cmd
}

// addMigrateFlags adds the flags of migrate.
func addMigrateFlags(cmd *cobra.Command, o *migrate.Options) {
	flags := cmd.Flags()
	flags.StringVarP(&o.Output, "output", "o", "migrated", "write to this `DIRECTORY`, which is new or empty")
	flags.StringVar(&o.Names, "names", "", "`FILE` with the names of secrets here, as an earlier run has written it")
	flags.StringVar(&o.Backend, "backend", "", "the `BACKEND` of confd: ssm, env, secretsmanager, or another")
	flags.StringVar(&o.Prefix, "prefix", "", "the `PREFIX` of all keys of confd")
	flags.StringArrayVar(&o.Templates, "template", nil, "a template of consul-template by its flag -template: `SOURCE:DESTINATION[:COMMAND]`; may be given several times")
	flags.DurationVar(&o.Interval, "interval", 0, "look again this often; 0 is as the config says")
	flags.BoolVar(&o.Quote, "quote", false, "quote values for the notation of their file; the result differs from what it was")
	flags.BoolVar(&o.JSON, "json", false, "print the report as JSON")
	_ = cmd.RegisterFlagCompletionFunc("backend", cobra.FixedCompletions([]string{"ssm", "env", "secretsmanager"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkFlagDirname("output")
}

// wantMigration refuses a use that means nothing.
func wantMigration(o migrate.Options) error {
	switch {
	case !slices.Contains(migrate.Programs, o.Program):
		return fmt.Errorf("there is no program %q, but %s", o.Program, strings.Join(migrate.Programs, ", "))
	case o.Program != "consul-template" && len(o.Templates) > 0:
		return errors.New("--template is about consul-template")
	case len(o.Paths)+len(o.Templates) == 0:
		return fmt.Errorf("rendered migrate %s PATH: which config?", o.Program)
	case o.Program == "confd" && len(o.Paths) > 1:
		return fmt.Errorf("confd has one directory, and these are %d", len(o.Paths))
	case o.Program != "confd" && (o.Backend != "" || o.Prefix != ""):
		return errors.New("--backend and --prefix are about confd")
	case o.Interval != 0 && o.Interval < time.Second:
		return errors.New("--interval is less than a second")
	}
	return nil
}
