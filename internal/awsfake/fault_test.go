package awsfake_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

// three operations, one of each service.
func secretValue(ctx context.Context, c clients) error {
	_, err := c.sm.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("prod/db")})
	return err
}

func parameters(ctx context.Context, c clients, names ...string) error {
	_, err := c.ssm.GetParameters(ctx, &ssm.GetParametersInput{Names: names, WithDecryption: aws.Bool(true)})
	return err
}

func whoAmI(ctx context.Context, c clients) error {
	_, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

func TestFaultWording(t *testing.T) {
	const user = "User: arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0 is not authorized to perform: "
	const badSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	s, c := start()
	s.PutSecret("prod/db", "x")
	s.PutParameter("/a", "SecureString", "x")
	ask := map[string]func() error{
		"secret":     func() error { return secretValue(t.Context(), c) },
		"parameters": func() error { return parameters(t.Context(), c, "/a") },
		"who":        func() error { return whoAmI(t.Context(), c) },
	}
	secretARN := s.SecretARN("prod/db")
	for _, tc := range []struct {
		kind awsfake.Kind
		ask  string
		want refusal
	}{
		{awsfake.Throttle, "secret", refusal{"ThrottlingException", 400, "Rate exceeded"}},
		{awsfake.Throttle, "parameters", refusal{"ThrottlingException", 400, "Rate exceeded"}},
		{awsfake.Throttle, "who", refusal{"Throttling", 400, "Rate exceeded"}},
		{awsfake.ServerError, "secret", refusal{"InternalServiceError", 500, "An error occurred on the server side."}},
		{awsfake.ServerError, "parameters", refusal{"InternalServerError", 500, "An error occurred on the server side."}},
		{awsfake.ServerError, "who", refusal{"InternalFailure", 500, "An error occurred on the server side."}},
		{awsfake.Deny, "secret", refusal{"AccessDeniedException", 400, user + "secretsmanager:GetSecretValue on resource: " + secretARN + " because no identity-based policy allows the secretsmanager:GetSecretValue action"}},
		{awsfake.Deny, "parameters", refusal{"AccessDeniedException", 400, user + "ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:111111111111:parameter/a because no identity-based policy allows the ssm:GetParameters action"}},
		{awsfake.Deny, "who", refusal{"AccessDenied", 403, user + "sts:GetCallerIdentity because no identity-based policy allows the sts:GetCallerIdentity action"}},
		{awsfake.DenyByResourcePolicy, "secret", refusal{"AccessDeniedException", 400, user + "secretsmanager:GetSecretValue on resource: " + secretARN + " because no resource-based policy allows the secretsmanager:GetSecretValue action"}},
		{awsfake.DenyExplicitly, "secret", refusal{"AccessDeniedException", 400, user + "secretsmanager:GetSecretValue on resource: " + secretARN + " with an explicit deny in an identity-based policy"}},
		{awsfake.DenyKey, "secret", refusal{"AccessDeniedException", 400, "Access to KMS is not allowed"}},
		{awsfake.DenyKey, "parameters", refusal{"AccessDeniedException", 400, "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."}},
		{awsfake.Undecryptable, "secret", refusal{"DecryptionFailure", 400, "Secrets Manager can't decrypt the protected secret text using the provided KMS key."}},
		{awsfake.DenyByEndpoint, "secret", refusal{"AccessDeniedException", 400, user + "secretsmanager:GetSecretValue on resource: " + secretARN + " because no VPC endpoint policy allows the secretsmanager:GetSecretValue action"}},
		{awsfake.BadSignature, "secret", refusal{"InvalidSignatureException", 400, badSignature}},
		{awsfake.BadSignature, "who", refusal{"SignatureDoesNotMatch", 403, badSignature}},
		{awsfake.ExpiredToken, "secret", refusal{"ExpiredTokenException", 400, "The security token included in the request is expired"}},
		{awsfake.ExpiredToken, "who", refusal{"ExpiredToken", 403, "The security token included in the request is expired"}},
		{awsfake.InvalidToken, "parameters", refusal{"UnrecognizedClientException", 400, "The security token included in the request is invalid."}},
		{awsfake.InvalidToken, "who", refusal{"InvalidClientTokenId", 403, "The security token included in the request is invalid."}},
	} {
		t.Run(string(tc.kind)+" "+tc.ask, func(t *testing.T) {
			defer s.Inject(awsfake.Fault{Kind: tc.kind})()
			if diff := cmp.Diff(tc.want, refused(t, ask[tc.ask]()), cmp.AllowUnexported(refusal{})); diff != "" {
				t.Errorf("got + want -\n%s", diff)
			}
		})
	}
	if err := errors.Join(ask["secret"](), ask["parameters"](), ask["who"]()); err != nil {
		t.Errorf("after all faults were cleared: %v", err)
	}
}

func TestClockSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which begins with the millennium
		s, c := start()
		s.SetLatency(0)
		s.Inject(awsfake.Fault{Kind: awsfake.ClockSkew})
		want := refusal{"InvalidSignatureException", 400, "Signature expired: 19991231T235000Z is now earlier than 19991231T235500Z (20000101T000000Z - 5 min.)"}
		if got := refused(t, parameters(t.Context(), c, "/a")); got != want {
			t.Errorf("got %v", got)
		}
	})
}

func TestUndecryptableParameter(t *testing.T) {
	s, c := start()
	s.PutParameter("/a", "SecureString", "x")
	s.Inject(awsfake.Fault{Kind: awsfake.Undecryptable})
	got := refused(t, parameters(t.Context(), c, "/a"))
	if got.code != "InvalidKeyId" || got.status != 400 || !strings.HasSuffix(got.text, " is disabled.") {
		t.Errorf("got %v", got)
	}
}

// A load balancer's page is no error of the API: the SDK knows its status only.
func TestUnavailable(t *testing.T) {
	s, c := start()
	s.Inject(awsfake.Fault{Kind: awsfake.Unavailable})
	for _, err := range []error{secretValue(t.Context(), c), parameters(t.Context(), c, "/a"), whoAmI(t.Context(), c)} {
		var answer *smithyhttp.ResponseError
		if !errors.As(err, &answer) || answer.HTTPStatusCode() != http.StatusServiceUnavailable {
			t.Errorf("got %v, want a 503", err)
		}
		var api smithy.APIError
		if errors.As(err, &api) && api.ErrorMessage() == "Rate exceeded" {
			t.Errorf("got %v", err)
		}
	}
}

func TestDrop(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		s, c := start()
		s.Inject(awsfake.Fault{Kind: awsfake.Drop})
		if err := secretValue(t.Context(), c); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, want an unexpected EOF", err)
		}
	})
	t.Run("over a socket", func(t *testing.T) {
		s := awsfake.Start(t)
		s.Inject(awsfake.Fault{Kind: awsfake.Drop})
		var answer *smithyhttp.ResponseError
		err := secretValue(t.Context(), connect(config(s.URL)))
		if err == nil || errors.As(err, &answer) && answer.HTTPStatusCode() != 0 {
			t.Errorf("got %v, want no answer", err)
		}
	})
}

func TestHang(t *testing.T) {
	t.Run("until the client goes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			s.Inject(awsfake.Fault{Kind: awsfake.Hang})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			begun := time.Now()
			if err := secretValue(ctx, c); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Hour {
				t.Errorf("got %v after %v", err, time.Since(begun))
			}
		})
	})
	t.Run("until it is cleared", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, c := start()
			s.PutSecret("prod/db", "x")
			s.Inject(awsfake.Fault{Kind: awsfake.Hang})
			done := make(chan error, 1)
			go func() { done <- secretValue(t.Context(), c) }()
			synctest.Wait()
			select {
			case err := <-done:
				t.Errorf("answered: %v", err)
			default:
			}
			s.Clear()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("over a socket until the test ends", func(t *testing.T) {
		var done chan error
		t.Run("hang", func(t *testing.T) {
			s := awsfake.Start(t)
			s.Inject(awsfake.Fault{Kind: awsfake.Hang})
			done = make(chan error, 1)
			c := connect(config(s.URL))
			go func() { done <- secretValue(context.Background(), c) }()
			if err := s.Await(t.Context(), "GetSecretValue", 1); err != nil {
				t.Fatal(err)
			}
		})
		if err := <-done; err == nil {
			t.Error("it was answered")
		}
	})
}

func TestFaultChoosesItsRequests(t *testing.T) {
	s, c := start()
	s.PutSecret("prod/db", "x")
	s.PutParameter("/a", "String", "1")
	s.PutParameter("b", "String", "2")
	ctx := t.Context()
	ask := func(want bool, what string, err error) {
		t.Helper()
		if (err != nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	t.Run("by operation", func(t *testing.T) {
		defer s.Inject(awsfake.Fault{Operation: "GetParameters", Kind: awsfake.Throttle})()
		ask(true, "its own", parameters(ctx, c, "/a"))
		ask(false, "another", secretValue(ctx, c))
	})
	t.Run("by name", func(t *testing.T) {
		defer s.Inject(awsfake.Fault{Name: "/b", Kind: awsfake.Deny})()
		ask(false, "another", parameters(ctx, c, "/a"))
		ask(true, "one of two", parameters(ctx, c, "/a", "/b"))
		ask(true, "without the slash", parameters(ctx, c, "b"))
		ask(true, "by version", parameters(ctx, c, "b:1"))
		ask(true, "by ARN", parameters(ctx, c, s.ParameterARN("/b")))
		ask(true, "missing version", parameters(ctx, c, "/b:9"))
	})
	t.Run("by a secret's name", func(t *testing.T) {
		defer s.Inject(awsfake.Fault{Name: "prod/db", Kind: awsfake.Deny})()
		ask(true, "by name", secretValue(ctx, c))
		_, err := c.sm.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(s.SecretARN("prod/db"))})
		ask(true, "by ARN", err)
		ask(false, "another", parameters(ctx, c, "/a"))
	})
	t.Run("by count", func(t *testing.T) {
		s.Inject(awsfake.Fault{Kind: awsfake.Throttle, After: 1, Times: 2})
		for i, want := range []bool{false, true, true, false, false} {
			ask(want, string(rune('0'+i)), parameters(ctx, c, "/a"))
		}
		s.Clear()
	})
	t.Run("the first one injected", func(t *testing.T) {
		defer s.Clear()
		s.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken, Times: 1})
		s.Inject(awsfake.Fault{Kind: awsfake.Throttle, Times: 1})
		for _, want := range []string{"ExpiredTokenException", "ThrottlingException"} {
			if got := refused(t, parameters(ctx, c, "/a")).code; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		ask(false, "after both", parameters(ctx, c, "/a"))
	})
}

// The denied name, and no other, is what AWS's text says.
func TestDeniedNameIsNamed(t *testing.T) {
	s, c := start()
	s.Inject(awsfake.Fault{Name: "/x/denied", Kind: awsfake.Deny})
	got := refused(t, parameters(t.Context(), c, "/x/a", "/x/denied", "/x/z"))
	if !strings.Contains(got.text, " on resource: arn:aws:ssm:eu-west-1:111111111111:parameter/x/denied because ") {
		t.Error(got.text)
	}
	s.Inject(awsfake.Fault{Name: "none", Kind: awsfake.Deny})
	_, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("none")})
	if got := refused(t, err); !strings.Contains(got.text, " on resource: none because ") {
		t.Error(got.text)
	}
}

func TestPartialBatch(t *testing.T) {
	s, c := start()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		s.PutSecret(name, "value of "+name)
	}
	s.DeleteSecret("d")
	s.BeginRotation("new")
	s.Inject(awsfake.Fault{Name: "b", Kind: awsfake.Deny})
	s.Inject(awsfake.Fault{Operation: "GetSecretValue", Name: "c", Kind: awsfake.DenyKey})
	s.Inject(awsfake.Fault{Name: "e", Kind: awsfake.ServerError})
	ask := func() (*secretsmanager.BatchGetSecretValueOutput, error) {
		return c.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"a", "b", "c", "d", "e", "none", "new"}})
	}
	out, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if len(out.SecretValues) != 1 || *out.SecretValues[0].Name != "a" || *out.SecretValues[0].SecretString != "value of a" {
		t.Errorf("%d values, want that of a", len(out.SecretValues))
	}
	got := make(map[string]string)
	for _, e := range out.Errors {
		got[*e.SecretId] = *e.ErrorCode + ": " + *e.Message
	}
	want := map[string]string{
		"b": "AccessDeniedException: User: arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0 is not authorized to perform: secretsmanager:GetSecretValue on resource: " +
			s.SecretARN("b") + " because no identity-based policy allows the secretsmanager:GetSecretValue action",
		"c":    "AccessDeniedException: Access to KMS is not allowed",
		"d":    "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
		"e":    "InternalServiceError: An error occurred on the server side.",
		"none": "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
		"new":  "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors: got + want -\n%s", diff)
	}

	for _, f := range []awsfake.Fault{
		{Operation: "BatchGetSecretValue", Name: "a", Kind: awsfake.Deny},
		// AWS: one secret that the endpoint's policy denies fails them all.
		{Name: "a", Kind: awsfake.DenyByEndpoint},
	} {
		clearFault := s.Inject(f)
		_, err = ask()
		if got := refused(t, err); got.code != "AccessDeniedException" || got.status != 400 {
			t.Errorf("%+v: %v", f, got)
		}
		clearFault()
	}
	if _, err := ask(); err != nil {
		t.Errorf("after both: %v", err)
	}
}

func TestPages(t *testing.T) {
	s, c := start()
	for _, name := range []string{"/app/a", "/app/b", "/app/c"} {
		s.PutParameter(name, "String", "x")
	}
	s.Inject(awsfake.Fault{Kind: awsfake.ShortPage, Times: 1})
	s.Inject(awsfake.Fault{Kind: awsfake.EmptyPage, Times: 1})
	var pages []string
	p := ssm.NewGetParametersByPathPaginator(c.ssm, &ssm.GetParametersByPathInput{Path: aws.String("/app")})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range out.Parameters {
			names = append(names, *v.Name)
		}
		pages = append(pages, strings.Join(names, " "))
	}
	if diff := cmp.Diff([]string{"/app/a", "", "/app/b /app/c"}, pages); diff != "" {
		t.Errorf("pages: got + want -\n%s", diff)
	}
}

// A page without a parameter may be followed by another that has none either.
func TestEmptyLastPage(t *testing.T) {
	s, c := start()
	s.Inject(awsfake.Fault{Kind: awsfake.EmptyPage, Times: 1})
	in := &ssm.GetParametersByPathInput{Path: aws.String("/none")}
	for _, more := range []bool{true, false} {
		out, err := c.ssm.GetParametersByPath(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Parameters) != 0 || (out.NextToken != nil) != more {
			t.Errorf("%d parameters and a NextToken %v, want none and %v", len(out.Parameters), out.NextToken != nil, more)
		}
		in.NextToken = out.NextToken
	}
}
