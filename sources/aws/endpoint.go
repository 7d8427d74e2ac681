package aws

import (
	"context"
	"errors"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// checkEndpoint refuses what cannot be an endpoint. The error does not repeat it: a URL can hold a
// password.
func checkEndpoint(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("aws.endpoint_url is not a URL like http://127.0.0.1:4566")
	}
	return nil
}

// override sets the endpoint of the config, which goes before those of the environment for one
// service.
func override(endpoint **string, url string) {
	if url != "" {
		*endpoint = &url
	}
}

// An endpoint is AWS_ENDPOINT_URL for the STS clients within the chain of credentials: the SDK
// makes those before it knows the endpoint, and would ask AWS itself for the role of a profile.
type endpoint struct {
	url *string // set before the first call; nil is AWS's own
}

func (e *endpoint) forRoles(o *stscreds.AssumeRoleOptions) {
	if o.Client != nil { // it is nil in the SDK's rehearsal
		o.Client = stsClient{endpoint: e, AssumeRoleAPIClient: o.Client}
	}
}

func (e *endpoint) forTokens(o *stscreds.WebIdentityRoleOptions) {
	if o.Client != nil {
		o.Client = stsClient{endpoint: e, AssumeRoleWithWebIdentityAPIClient: o.Client}
	}
}

// apply sets the endpoint where AWS_ENDPOINT_URL_STS has not.
func (e *endpoint) apply(o *sts.Options) {
	if o.BaseEndpoint == nil {
		o.BaseEndpoint = e.url
	}
}

// An stsClient is one of the chain's, which makes one of these calls.
type stsClient struct {
	*endpoint
	stscreds.AssumeRoleAPIClient
	stscreds.AssumeRoleWithWebIdentityAPIClient
}

func (c stsClient) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	return c.AssumeRoleAPIClient.AssumeRole(ctx, in, append(opts, c.apply)...)
}

func (c stsClient) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, opts ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return c.AssumeRoleWithWebIdentityAPIClient.AssumeRoleWithWebIdentity(ctx, in, append(opts, c.apply)...)
}
