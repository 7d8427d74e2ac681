package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/manual"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema of the config, for editors",
		Long: `schema prints the JSON Schema, draft-07, of the config file and of those of conf.d,
by which an editor completes keys, says what they mean, and marks mistakes while
one writes. The packages bring it as /usr/share/rendered/rendered.schema.json.
Editors with yaml-language-server take it where the config has this line, with a
path that is absolute or relative to the config:

  # yaml-language-server: $schema=/usr/share/rendered/rendered.schema.json

It takes every config that rendered takes. It cannot tell all that check finds:
users, other paths and templates are the machine's.

It exits with 0, and with 1 where it cannot be written.`,
		Example: `  rendered schema >rendered.schema.json
  rendered schema | jq .properties.services.additionalProperties.properties`,
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(manual.Schema())
			return err
		},
	}
}
