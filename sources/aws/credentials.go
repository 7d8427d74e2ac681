package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	"github.com/rendered/rendered/sources"
)

// A credentialsError is a failure to get credentials, told from the failures of the call that
// needed them.
type credentialsError struct {
	err      error
	metadata string // what instance metadata did in the place of answering, where it was asked last
	sso      string // the profile whose SSO session they come from; "" where they do not
}

func (e *credentialsError) Error() string { return "credentials: " + e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// failure gives what the error means.
func (e *credentialsError) failure() *failure {
	f := &failure{reason: sources.Credentials, detail: e.detail()}
	if e.loggedOut() {
		f.login = e.sso
	} else {
		f.file, _ = errors.AsType[*tokenError](e.err)
	}
	return f
}

// detail says why the chain of credentials ended without any.
func (e *credentialsError) detail() string {
	if e, ok := errors.AsType[*processError](e.err); ok {
		return e.Error()
	}
	if e.loggedOut() {
		return "the SSO session of profile " + e.sso + " has expired, or there is none"
	}
	if e, ok := errors.AsType[*tokenError](e.err); ok {
		return e.Error()
	}
	op, ok := errors.AsType[*smithy.OperationError](e.err)
	const none = "there are none in the environment"
	switch {
	case !ok && fromEndpoint(e.err):
		return "the endpoint that AWS_CONTAINER_CREDENTIALS_… names: " + endpointFailure(e.err)
	case !ok:
		return "none could be read"
	case op.Service() != "ec2imds":
		return op.Service() + " " + op.Operation() + ": " + describe(op.Err).Error()
	case e.metadata != "":
		return none + " and the shared config files, and instance metadata " + e.metadata
	}
	return none + ", the shared config files and instance metadata"
}

// loggedOut tells whether somebody must log in to SSO: there is no token, or it is no longer taken.
func (e *credentialsError) loggedOut() bool {
	if e.sso == "" {
		return false
	}
	api, ok := errors.AsType[smithy.APIError](e.err)
	if !ok {
		return is[*ssocreds.InvalidTokenError](e.err)
	}
	switch api.ErrorCode() {
	case "UnauthorizedException", "InvalidGrantException", "ExpiredTokenException", "InvalidClientException":
		return true
	}
	return false
}

// ssoProfile gives the profile whose SSO session the credentials come from; "" where they do not.
func ssoProfile(cfg awssdk.Config) string {
	if !comesFromSSO(cfg.Credentials) {
		return ""
	}
	p := profileOf(cfg)
	for p != nil && p.Source != nil {
		p = p.Source
	}
	if p == nil {
		return ""
	}
	return p.Profile
}

// fromEndpoint tells whether a request was made whose error is no OperationError: one for the
// credentials of a container.
func fromEndpoint(err error) bool {
	return is[*url.Error](err) || is[*smithy.DeserializationError](err) || httpStatus(err) != 0
}

func endpointFailure(err error) string {
	switch code := httpStatus(err); {
	case isRedirect(code):
		return redirected(code)
	case code != 0:
		return fmt.Sprintf("HTTP %d", code)
	case is[*smithy.DeserializationError](err):
		return "its answer cannot be read"
	}
	return unreachable(err)
}

// httpStatus is status, also for the errors of the client of container credentials.
func httpStatus(err error) int {
	if e, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return e.HTTPStatusCode()
	}
	return 0
}

func metadataFailure(err error) string {
	// Its answer to the first question, that for a token, ends after one hop by default:
	// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
	const hops = "; in a container it takes a hop limit of 2"
	if e, ok := errors.AsType[*badAnswer](err); ok {
		return "cannot be read: " + e.what
	}
	switch code := status(err); {
	case code == http.StatusNotFound:
		return ""
	case isRedirect(code):
		return "answers " + redirected(code)
	case code == http.StatusUnauthorized: // it was asked without a token
		return fmt.Sprintf("answers HTTP %d", code) + hops
	case code != 0:
		return fmt.Sprintf("answers HTTP %d", code)
	case isTimeout(err):
		return "does not answer" + hops
	case is[*url.Error](err):
		return "cannot be reached: " + connection(err)
	}
	return ""
}

// isTimeout tells whether an answer did not come in time.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
