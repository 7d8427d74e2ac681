package aws

import (
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// withOurs replaces the SDK's providers of three kinds of credentials by ours, roles that are
// assumed with them included. The SDK's of a credential_process lets the command write into our
// stderr what it likes, and leaves its children behind. The SDK's of SSO and of aws login open the
// token by its path.
func withOurs(cfg awssdk.Config, c *connections) (awssdk.CredentialsProvider, error) {
	var chain []*config.SharedConfig
	for p := profileOf(cfg); p != nil; p = p.Source {
		chain = append(chain, p)
	}
	if len(chain) == 0 {
		return cfg.Credentials, nil
	}
	first, err := firstOfOurs(cfg, chain[len(chain)-1], c)
	if first == nil || err != nil {
		return cfg.Credentials, err
	}
	provider := awssdk.NewCredentialsCache(sourced{first, cfg.Credentials})
	for _, p := range slices.Backward(chain) {
		if p.RoleARN != "" {
			with := cfg.Copy()
			with.Credentials = provider
			role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(with), p.RoleARN, func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName, o.Duration = p.RoleSessionName, awssdk.ToDuration(p.RoleDurationSeconds)
				if p.ExternalID != "" {
					o.ExternalID = &p.ExternalID
				}
			})
			provider = awssdk.NewCredentialsCache(sourced{role, cfg.Credentials})
		}
	}
	return provider, nil
}

// firstOfOurs gives the provider of the credentials that a chain of roles begins with; nil where it
// stays the SDK's.
func firstOfOurs(cfg awssdk.Config, last *config.SharedConfig, c *connections) (awssdk.CredentialsProvider, error) {
	switch {
	case comesFrom(cfg.Credentials, awssdk.CredentialSourceProcess):
		return &process{last.CredentialProcess, last.Profile, c}, nil
	case comesFromSSO(cfg.Credentials):
		return newSSORole(cfg, last)
	case comesFrom(cfg.Credentials, awssdk.CredentialSourceLogin):
		return newLoginSession(cfg, last)
	}
	return nil, nil
}

// A sourced provider says that its credentials come from where those of another do.
type sourced struct {
	awssdk.CredentialsProvider
	as awssdk.CredentialsProvider
}

// ProviderSources gives the chain of providers.
func (s sourced) ProviderSources() []awssdk.CredentialSource { return providerSources(s.as) }

func providerSources(p awssdk.CredentialsProvider) []awssdk.CredentialSource {
	if from, ok := p.(awssdk.CredentialProviderSource); ok {
		return from.ProviderSources()
	}
	return nil
}

// comesFrom tells whether the SDK's chain of credentials begins, or began, at the source.
func comesFrom(p awssdk.CredentialsProvider, source awssdk.CredentialSource) bool {
	return slices.Contains(providerSources(p), source)
}

func comesFromSSO(p awssdk.CredentialsProvider) bool {
	return comesFrom(p, awssdk.CredentialSourceSSO) || comesFrom(p, awssdk.CredentialSourceSSOLegacy)
}
