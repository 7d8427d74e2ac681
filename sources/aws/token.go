package aws

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/rendered/rendered/internal/disk"
)

// maxToken bounds a file that holds a token, in bytes. STS takes 20,000 characters
// (AssumeRoleWithWebIdentity, WebIdentityToken).
const maxToken = 64 << 10

// A tokenFile is a file from which credentials are got. It is read each time that they are: whoever
// issues the token replaces the file.
type tokenFile struct {
	path   string
	remedy string // who names or writes the file
}

// read gives the content. The SDK would open the file by its path, wait for the other end of a pipe
// and read a device for ever. As root it is read from where root alone can change it: the token
// decides who AWS takes us for. The error is a *tokenError.
func (f tokenFile) read() ([]byte, error) {
	content, err := disk.ReadToken(absolute(f.path), maxToken)
	if err != nil {
		return nil, &tokenError{f, disk.Reason(err)}
	}
	return content, nil
}

// store replaces the file, whose token has expired: 0600 and whole.
func (f tokenFile) store(content []byte) error {
	path := absolute(f.path)
	d, err := disk.Host.Open(filepath.Dir(path))
	if err == nil {
		defer d.Close()
		err = disk.Replace(d, filepath.Base(path), content)
	}
	if err != nil {
		return &tokenError{f, fmt.Errorf("the token has expired, and another cannot be stored there: %w", disk.Reason(err))}
	}
	return nil
}

// A tokenError is that a file of a token cannot be used. It holds nothing of what the file says.
type tokenError struct {
	file tokenFile
	err  error
}

func (e *tokenError) Error() string {
	return fmt.Sprintf("token file %s: %v", absolute(e.file.path), e.err)
}

func (e *tokenError) Unwrap() error { return e.err }

// Hints says what helps.
func (e *tokenError) Hints() []string { return append(disk.Hints(e.err), e.file.remedy) }

// GetIdentityToken gives the token of AWS_WEB_IDENTITY_TOKEN_FILE or web_identity_token_file.
func (f tokenFile) GetIdentityToken() ([]byte, error) { return f.read() }

// forWebIdentity has the token read by us.
func forWebIdentity(o *stscreds.WebIdentityRoleOptions) {
	// The retriever is nil in the SDK's rehearsal.
	if path, ok := o.TokenRetriever.(stscreds.IdentityTokenFile); ok {
		o.TokenRetriever = tokenFile{string(path), "AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile, names it"}
	}
}

// forContainer has the token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE read by us. It is put into
// the request itself: the SDK makes a text of the error of a provider of such tokens.
func forContainer(o *endpointcreds.Options) {
	if o.AuthorizationTokenProvider == nil {
		return
	}
	o.AuthorizationTokenProvider, o.AuthorizationToken = nil, ""
	const variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	f := tokenFile{os.Getenv(variable), variable + " names it"}
	o.APIOptions = append(slices.Clip(o.APIOptions), func(stack *middleware.Stack) error {
		return stack.Build.Add(middleware.BuildMiddlewareFunc("token",
			func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (out middleware.BuildOutput, m middleware.Metadata, err error) {
				token, err := f.read()
				if err == nil && strings.ContainsAny(string(token), "\r\n") {
					err = &tokenError{f, errors.New("it holds a line break, and no header can")}
				}
				if err != nil {
					return out, m, err
				}
				in.Request.(*smithyhttp.Request).Header.Set("Authorization", string(token))
				return next.HandleBuild(ctx, in)
			}), middleware.After)
	})
}
