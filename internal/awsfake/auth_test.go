package awsfake_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rendered/rendered/internal/awsfake"
)

// signed gives the header of a request for a service in a Region.
func signed(region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261120/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=00"
}

func TestFrontEnd(t *testing.T) {
	const jsonForm, queryForm = "application/x-amz-json-1.1", "application/x-www-form-urlencoded; charset=utf-8"
	for _, tc := range []struct {
		name, target, form, auth, body string
		status                         int
		want                           string // in the answer
	}{
		{"unsigned", "secretsmanager.GetSecretValue", jsonForm, "", "{}", 400, `{"Message":"Missing Authentication Token","__type":"MissingAuthenticationTokenException"}`},
		{"unsigned ssm", "AmazonSSM.GetParameters", jsonForm, "", "{}", 400, `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"unsigned sts", "", queryForm, "", "Action=GetCallerIdentity", 403, "<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>"},
		{"not by signature 4", "AmazonSSM.GetParameters", jsonForm, "Basic YTpi", "{}", 400, `"IncompleteSignatureException"`},
		{"other region", "secretsmanager.GetSecretValue", jsonForm, signed("us-east-1", "secretsmanager"), "{}", 400, `{"Message":"Credential should be scoped to a valid region. ","__type":"InvalidSignatureException"}`},
		{"other region sts", "", queryForm, signed("us-west-2", "sts"), "Action=GetCallerIdentity", 403, "<Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped to a valid region. </Message>"},
		{"global sts", "", queryForm, signed("us-east-1", "sts"), "Action=GetCallerIdentity", 200, "<GetCallerIdentityResult><Arn>arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0</Arn>"},
		{"other service", "AmazonSSM.GetParameters", jsonForm, signed("eu-west-1", "secretsmanager"), "{}", 400, "Credential should be scoped to correct service: 'ssm'. "},
		{"unknown operation", "AmazonSSM.GetEverything", jsonForm, signed("eu-west-1", "ssm"), "{}", 400, `{"__type":"UnknownOperationException"}`},
		{"unknown action", "", queryForm, signed("eu-west-1", "sts"), "Action=GetEverything", 400, "<Code>InvalidAction</Code>"},
		{"unknown service", "AWSCognitoIdentityService.GetId", jsonForm, signed("eu-west-1", "cognito-identity"), "{}", 404, "<UnknownOperationException/>"},
		{"no target", "", jsonForm, signed("eu-west-1", "ssm"), "{}", 404, "<UnknownOperationException/>"},
		{"not JSON", "AmazonSSM.GetParameters", jsonForm, signed("eu-west-1", "ssm"), "{", 400, `{"__type":"SerializationException"}`},
		{"another type", "AmazonSSM.GetParameters", jsonForm, signed("eu-west-1", "ssm"), `{"Names":"a"}`, 400, `{"__type":"SerializationException"}`},
		{"a member missing", "AmazonSSM.GetParameters", jsonForm, signed("eu-west-1", "ssm"), "", 400, `"1 validation error detected: Value null at 'names' failed to satisfy constraint: Member must not be null"`},
		{"secret missing", "secretsmanager.GetSecretValue", jsonForm, signed("eu-west-1", "secretsmanager"), "{}", 400, "Value null at 'secretId' failed to satisfy constraint: Member must not be null"},
		{"no token", "secretsmanager.CreateSecret", jsonForm, signed("eu-west-1", "secretsmanager"), `{"Name":"a"}`, 400, `{"Message":"You must provide a ClientRequestToken value. We recommend a UUID-type value.","__type":"InvalidRequestException"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "http://aws.test/", strings.NewReader(tc.body))
			r.Header.Set("Content-Type", tc.form)
			if tc.target != "" {
				r.Header.Set("X-Amz-Target", tc.target)
			}
			if tc.auth != "" {
				r.Header.Set("Authorization", tc.auth)
			}
			w := httptest.NewRecorder()
			awsfake.New().ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("got %d %s, want %d with %s", w.Code, w.Body, tc.status, tc.want)
			}
			if w.Header().Get("X-Amzn-Requestid") == "" {
				t.Error("the answer has no request id")
			}
		})
	}
}

// An answer that overtakes the request's body looks like a broken connection to the client.
func TestReadsTheWholeBodyBeforeItAnswers(t *testing.T) {
	body := &watched{Reader: bytes.NewReader([]byte("{}"))}
	r := httptest.NewRequest(http.MethodPost, "http://aws.test/", body)
	// It is unsigned, too: it is refused by the headers alone.
	r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	w := &eager{ResponseWriter: httptest.NewRecorder(), early: func() bool { return !body.ended }}
	awsfake.New().ServeHTTP(w, r)
	if !w.answered || w.tooEarly {
		t.Errorf("answered %v, before the end of the body %v", w.answered, w.tooEarly)
	}
}

type watched struct {
	io.Reader
	ended bool
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

type eager struct {
	http.ResponseWriter
	early              func() bool
	answered, tooEarly bool
}

func (w *eager) WriteHeader(status int) {
	w.answered, w.tooEarly = true, w.early()
	w.ResponseWriter.WriteHeader(status)
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.PutParameter("/a", "String", "1")
		out, err := c.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::111111111111:role/team/reader"), RoleSessionName: aws.String("rendered-i-0abc"), DurationSeconds: aws.Int32(900),
		})
		if err != nil {
			t.Fatal(err)
		}
		given := out.Credentials
		as := func(token string) clients {
			cfg := inProcess(s)
			cfg.Credentials = credentials.NewStaticCredentialsProvider(*given.AccessKeyId, *given.SecretAccessKey, token)
			return connect(cfg)
		}
		who, err := as(*given.SessionToken).sts.GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:sts::111111111111:assumed-role/reader/rendered-i-0abc"; *who.Arn != want || *out.AssumedRoleUser.Arn != want {
			t.Errorf("the session is %s and %s, want %s", *who.Arn, *out.AssumedRoleUser.Arn, want)
		}

		clear := s.Inject(awsfake.Fault{Kind: awsfake.Deny})
		_, err = read(t.Context(), as(*given.SessionToken))
		if got := refused(t, err).text; !strings.HasPrefix(got, "User: arn:aws:sts::111111111111:assumed-role/reader/rendered-i-0abc is not authorized") {
			t.Errorf("denied as %q", got)
		}
		clear()

		_, err = read(t.Context(), as("another"))
		if got, want := refused(t, err), (refusal{"UnrecognizedClientException", 400, "The security token included in the request is invalid."}); got != want {
			t.Errorf("with another token: %v, want %v", got, want)
		}
		<-time.After(900*time.Second - time.Millisecond)
		_, err = read(t.Context(), as(*given.SessionToken))
		if got, want := refused(t, err), (refusal{"ExpiredTokenException", 400, "The security token included in the request is expired"}); got != want {
			t.Errorf("after its time: %v, want %v", got, want)
		}
		_, err = as(*given.SessionToken).sts.GetCallerIdentity(t.Context(), nil)
		if got, want := refused(t, err), (refusal{"ExpiredToken", 403, "The security token included in the request is expired"}); got != want {
			t.Errorf("STS after its time: %v, want %v", got, want)
		}
	})
}

// The SDK's own provider renews what the fake gives out.
func TestSessionIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := start()
		s.PutParameter("/a", "String", "1")
		cfg := inProcess(s)
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(c.sts, "arn:aws:iam::111111111111:role/reader"))
		role := connect(cfg)
		for range 3 {
			if _, err := read(t.Context(), role); err != nil {
				t.Fatal(err)
			}
			<-time.After(20 * time.Minute) // the provider's sessions last 15
		}
		if n := s.Calls()["AssumeRole"]; n != 3 {
			t.Errorf("the role was assumed %d times, want 3", n)
		}
	})
}

func read(ctx context.Context, c clients) (string, error) {
	out, err := c.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String("/a")})
	if err != nil {
		return "", err
	}
	return *out.Parameter.Value, nil
}
