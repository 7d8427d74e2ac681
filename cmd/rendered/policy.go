package main

import (
	"github.com/spf13/cobra"

	"github.com/rendered/rendered/cmd/rendered/internal/lookups"
	"github.com/rendered/rendered/cmd/rendered/internal/settings"
)

func newPolicy(g *settings.Settings) *cobra.Command {
	var po lookups.PolicyOptions
	cmd := &cobra.Command{
		Use:   "iam-policy",
		Short: "Print the IAM policy that the config needs, and no more",
		Long: `iam-policy prints what AWS must allow so that everything can be looked up that
the config looks up: each secret, parameter and path by its name, the queue of
change notices, the roles of other accounts. It asks nobody and reads no value.

Each identity that asks has a policy of its own: the role or user that rendered
runs as (own), the role of each account in aws.accounts, and, where aws.role_arn
is set, the credentials that it is assumed with (base). Several follow one
another, and standard error says whose each is; --for prints one alone.

Values under a KMS key of your own take a permission on it: name the key with
--kms-key. It is granted for what Secrets Manager and Parameter Store decrypt,
and for nothing else. AWS's own keys need no permission.

Lookups of which only the render can tell what they look up are in no policy:
standard error says where they stand, and in the output of --terraform comments
do. A values file makes no difference: the policy is for a host without one.

It exits with 0 where the policies are whole but for those, and with 1 where the
config has a fault: what a service that has one looks up is in no policy.`,
		Example: `  rendered iam-policy >policy.json
  aws iam put-role-policy --role-name web --policy-name rendered \
      --policy-document file://policy.json
  rendered iam-policy --account 111111111111 --for shared
  rendered iam-policy --terraform \
      --kms-key arn:aws:kms:eu-west-1:111111111111:key/0ab1c2d3 >rendered.tf`,
		Args: noNames,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer endWith(cmd.Context(), exitFailed)()
			o, err := g.Reading(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			whole, err := lookups.IAM(cmd.Context(), o, po, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return exitUnless(whole)
		},
	}
	addPolicyFlags(cmd, g, &po)
	return cmd
}

func addPolicyFlags(cmd *cobra.Command, g *settings.Settings, po *lookups.PolicyOptions) {
	f := cmd.Flags()
	f.BoolVar(&po.Terraform, "terraform", false, "as data sources of Terraform")
	f.StringArrayVar(&po.Keys, "kms-key", nil, "`ARN` of a KMS key that values are encrypted with; may be repeated")
	f.StringVar(&po.Account, "account", "", "`DIGITS` of the account that rendered runs in, where aws.role_arn does not tell it")
	f.StringVar(&po.For, "for", "", "only the policy of own, of base, or of an `ACCOUNT` of aws.accounts")
	addJSON(cmd, &po.JSON)
	cmd.MarkFlagsMutuallyExclusive("json", "terraform")
	_ = cmd.RegisterFlagCompletionFunc("for", func(*cobra.Command, []string, string) (list []string, _ cobra.ShellCompDirective) {
		if o, err := g.Quiet(); err == nil {
			list = lookups.Roles(o)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
	for _, name := range []string{"kms-key", "account"} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}
