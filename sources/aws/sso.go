package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/smithy-go"
)

// An ssoRole gives the credentials of a profile of SSO: the token that aws sso login has left in a
// file of its cache is exchanged for those of a role. It is not for two goroutines at once.
type ssoRole struct {
	account, role string
	client        *sso.Client
	file          tokenFile
	// renewer is nil where the profile has no sso-session, and its token cannot be renewed.
	renewer *ssooidc.Client
}

func newSSORole(cfg awssdk.Config, p *config.SharedConfig) (awssdk.CredentialsProvider, error) {
	key, region := p.SSOStartURL, p.SSORegion
	if p.SSOSession != nil {
		key, region = p.SSOSession.Name, p.SSOSession.SSORegion
	}
	path, err := ssocreds.StandardCachedTokenFilepath(key)
	if err != nil {
		return nil, err
	}
	cfg = cfg.Copy()
	cfg.Region, cfg.BaseEndpoint = region, nil // AWS_ENDPOINT_URL is not SSO's, as with the SDK
	s := &ssoRole{
		account: p.SSOAccountID, role: p.SSORoleName, client: sso.NewFromConfig(cfg),
		file: tokenFile{path, "aws sso login --profile " + quoted(p.Profile) + "  writes it"},
	}
	if p.SSOSession != nil {
		s.renewer = ssooidc.NewFromConfig(cfg)
	}
	return s, nil
}

// Retrieve gets the credentials. Where somebody must log in the error is an
// *ssocreds.InvalidTokenError, or AWS's.
func (s *ssoRole) Retrieve(ctx context.Context) (c awssdk.Credentials, err error) {
	token, err := s.token(ctx)
	if err != nil {
		return c, err
	}
	out, err := s.client.GetRoleCredentials(ctx, &sso.GetRoleCredentialsInput{AccessToken: &token, AccountId: &s.account, RoleName: &s.role})
	if err != nil {
		return c, err
	}
	if out.RoleCredentials == nil {
		return c, &smithy.OperationError{ServiceID: sso.ServiceID, OperationName: "GetRoleCredentials", Err: errEmptyAnswer}
	}
	r := out.RoleCredentials
	return awssdk.Credentials{
		AccessKeyID: awssdk.ToString(r.AccessKeyId), SecretAccessKey: awssdk.ToString(r.SecretAccessKey), SessionToken: awssdk.ToString(r.SessionToken),
		CanExpire: true, Expires: time.UnixMilli(r.Expiration).UTC(), AccountID: s.account, Source: ssocreds.ProviderName,
	}, nil
}

// token gives the token, renewed and stored where it has expired and can be renewed.
func (s *ssoRole) token(ctx context.Context) (string, error) {
	content, err := s.file.read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &ssocreds.InvalidTokenError{}
	case err != nil:
		return "", err
	}
	var t cachedToken
	if json.Unmarshal(content, &t) != nil || t.AccessToken == "" { // the error quotes the file
		return "", &ssocreds.InvalidTokenError{}
	}
	if time.Now().After(t.ExpiresAt) {
		t, err = s.renew(ctx, content, t)
	}
	return t.AccessToken, err
}

// A cachedToken is what the file holds, as JSON. The fields that are not known here are kept.
type cachedToken struct {
	AccessToken  string    `json:"accessToken"`
	ExpiresAt    time.Time `json:"expiresAt"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	ClientID     string    `json:"clientId,omitempty"`
	ClientSecret string    `json:"clientSecret,omitempty"`
}

// renew asks SSO for a token in the place of one that has expired, and stores it.
func (s *ssoRole) renew(ctx context.Context, content []byte, t cachedToken) (cachedToken, error) {
	if s.renewer == nil || slices.Contains([]string{t.RefreshToken, t.ClientID, t.ClientSecret}, "") {
		return t, &ssocreds.InvalidTokenError{}
	}
	// What renews a token may do so once only. So it is not spent where the new token could not be
	// stored.
	if err := s.file.store(content); err != nil {
		return t, err
	}
	out, err := s.renewer.CreateToken(ctx, &ssooidc.CreateTokenInput{
		ClientId: &t.ClientID, ClientSecret: &t.ClientSecret, RefreshToken: &t.RefreshToken, GrantType: awssdk.String("refresh_token"),
	})
	if err != nil {
		return t, fmt.Errorf("renew the token: %w", err)
	}
	if awssdk.ToString(out.AccessToken) == "" {
		return t, &smithy.OperationError{ServiceID: ssooidc.ServiceID, OperationName: "CreateToken", Err: errEmptyAnswer}
	}
	t.AccessToken, t.RefreshToken = awssdk.ToString(out.AccessToken), awssdk.ToString(out.RefreshToken)
	t.ExpiresAt = time.Now().Add(time.Duration(out.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
	if content, err = t.within(content); err != nil {
		return t, err
	}
	return t, s.file.store(content)
}

// within gives the content of the file with this token in the place of the one in it.
func (t cachedToken) within(content []byte) ([]byte, error) {
	fields := make(map[string]json.RawMessage)
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, err
	}
	delete(fields, "refreshToken")
	changed, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(changed, &fields); err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}
