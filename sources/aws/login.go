package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/signin/types"
)

// A loginSession gives the credentials that aws login leaves in a file of its cache, and renews
// them. The SDK's provider does it, on a copy of the file in memory.
type loginSession struct {
	file   tokenFile
	client *signin.Client
}

func newLoginSession(cfg awssdk.Config, p *config.SharedConfig) (awssdk.CredentialsProvider, error) {
	path, err := logincreds.StandardCachedTokenFilepath(p.LoginSession, os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"))
	if err != nil {
		return nil, err
	}
	cfg = cfg.Copy()
	cfg.BaseEndpoint = nil // AWS_ENDPOINT_URL is not that of logins, as with the SDK
	return &loginSession{tokenFile{path, "aws login --profile " + quoted(p.Profile) + "  writes it"}, signin.NewFromConfig(cfg)}, nil
}

// Retrieve gets the credentials.
func (s *loginSession) Retrieve(ctx context.Context) (c awssdk.Credentials, err error) {
	content, err := s.file.read()
	if err != nil {
		return c, err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil || fields == nil { // the SDK breaks down over a null
		return c, &tokenError{s.file, errors.New("it holds no session of aws login")}
	}
	held, drop, err := aside(content)
	if err != nil {
		return c, err
	}
	defer drop()
	c, err = logincreds.New(loginRenewer{s, content}, held.Name()).Retrieve(ctx)
	if err != nil {
		return c, err
	}
	now, err := io.ReadAll(io.NewSectionReader(held, 0, maxToken))
	if err == nil && !bytes.Equal(now, content) {
		err = s.file.store(now)
	}
	return c, err
}

// A loginRenewer asks for credentials in the place of those that have expired.
type loginRenewer struct {
	*loginSession
	content []byte
}

// CreateOAuth2Token asks AWS. What renews the credentials may do so once only, so it is not spent
// where the new ones could not be stored.
func (r loginRenewer) CreateOAuth2Token(ctx context.Context, in *signin.CreateOAuth2TokenInput, options ...func(*signin.Options)) (*signin.CreateOAuth2TokenOutput, error) {
	if err := r.file.store(r.content); err != nil {
		return nil, err
	}
	out, err := r.client.CreateOAuth2Token(ctx, in, options...)
	if _, denied := errors.AsType[*types.AccessDeniedException](err); denied {
		return nil, &tokenError{r.file, errors.New("AWS takes the session of this login no longer")}
	}
	return out, err
}
