package aws

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
	"github.com/rendered/rendered/sources"
)

const (
	role   = "asked as  arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0"
	toRole = "to        role web in account 111111111111"

	elsewhereHint = "or, where it is in another Region, set aws.region, or name its ARN"
)

func TestFailures(t *testing.T) {
	t.Setenv("INVOCATION_ID", "") // these tests may run in a unit
	const where = "in eu-west-1, account 111111111111"
	tests := []struct {
		name    string
		ref     string
		options Options
		prepare func(*awsfake.Server)
		reason  sources.Reason
		detail  string
		hints   []string
	}{
		{
			name: "parameter", ref: "param /prod/none", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws ssm put-parameter --name /prod/none --type String --value file:///dev/stdin <FILE",
				`or      {{ paramOr "VALUE" "/prod/none" }}`,
				elsewhereHint,
			},
		}, {
			name: "version", ref: "param /prod/host:7", reason: sources.Missing, detail: "it has no version 7, " + where,
			hints: []string{"aws ssm get-parameter-history --name /prod/host  shows what there is"},
		}, {
			name: "label", ref: "param /prod/host:stable", reason: sources.Missing, detail: "it has no version stable, " + where,
			hints: []string{"aws ssm get-parameter-history --name /prod/host  shows what there is"},
		}, {
			name: "version of nothing", ref: "param /prod/none:7", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws ssm put-parameter --name /prod/none --type String --value file:///dev/stdin <FILE",
				`or      {{ paramOr "VALUE" "/prod/none:7" }}`,
				elsewhereHint,
			},
		}, {
			name: "path", ref: "params /none/", reason: sources.Missing, detail: "there is no parameter under it, " + where,
			hints: []string{
				"either  aws ssm put-parameter --name /none/NAME --type String --value file:///dev/stdin <FILE",
				`or      {{ paramsOr dict "/none/" }}`,
			},
		}, {
			name: "secret", ref: "secret prod/none", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws secretsmanager create-secret --name prod/none --secret-string file:///dev/stdin <FILE",
				`or      {{ secretOr "VALUE" "prod/none" }}`,
				elsewhereHint,
			},
		}, {
			name: "secret of a service", ref: "secret rds!none", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws secretsmanager create-secret --name 'rds!none' --secret-string file:///dev/stdin <FILE",
				`or      {{ secretOr "VALUE" "rds!none" }}`,
				elsewhereHint,
			},
		}, {
			name: "ARN of a secret", ref: "secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:gone-abcdef", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws secretsmanager describe-secret --region eu-west-1 --secret-id gone  shows its ARN now: a secret that was made anew has another",
				`or      {{ secretOr "VALUE" "arn:aws:secretsmanager:eu-west-1:111111111111:secret:gone-abcdef" }}`,
			},
		}, {
			name: "a name like the end of an ARN", ref: "secret prod/gone-abcdef", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws secretsmanager create-secret --name prod/gone-abcdef --secret-string file:///dev/stdin <FILE",
				`or      {{ secretOr "VALUE" "prod/gone-abcdef" }}`,
				elsewhereHint,
				"the name ends in a hyphen and six characters, as an ARN does: AWS may look for a secret without them; its whole ARN is found in any case",
			},
		}, {
			name: "ARN of a parameter", ref: "param arn:aws:ssm:eu-west-1:111111111111:parameter/prod/none", reason: sources.Missing, detail: where,
			hints: []string{
				"either  aws ssm put-parameter --name /prod/none --region eu-west-1 --type String --value file:///dev/stdin <FILE",
				`or      {{ paramOr "VALUE" "arn:aws:ssm:eu-west-1:111111111111:parameter/prod/none" }}`,
			},
		}, {
			name: "stage", ref: "secret prod/db:AWSPREVIOUS", reason: sources.Missing, detail: "it has no version AWSPREVIOUS, " + where,
			hints: []string{"aws secretsmanager list-secret-version-ids --secret-id prod/db  shows what there is"},
		}, {
			name: "pending without a value", ref: "secret prod/db:AWSPENDING",
			prepare: func(f *awsfake.Server) { f.BeginRotation("prod/db") },
			reason:  sources.Missing, detail: "it has no version AWSPENDING, " + where,
			hints: []string{"aws secretsmanager list-secret-version-ids --secret-id prod/db  shows what there is"},
		}, {
			name: "version id", ref: "secret prod/db:01234567-89ab-cdef-0123-456789abcdef", reason: sources.Missing,
			detail: "it has no version 01234567-89ab-cdef-0123-456789abcdef, " + where,
			hints:  []string{"aws secretsmanager list-secret-version-ids --secret-id prod/db  shows what there is"},
		}, {
			name: "deleted", ref: "secret prod/db",
			prepare: func(f *awsfake.Server) { f.DeleteSecret("prod/db") },
			reason:  sources.Deleted, detail: where,
			hints: []string{"aws secretsmanager restore-secret --secret-id prod/db"},
		}, {
			name: "secret denied", ref: "secret prod/db",
			prepare: inject(awsfake.Deny),
			reason:  sources.Denied, detail: "no identity-based policy allows secretsmanager:GetSecretValue",
			hints: []string{role,
				`add       {"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-??????"}`,
				toRole},
		}, {
			name: "secret denied by its policy", ref: "secret prod/db",
			prepare: inject(awsfake.DenyByResourcePolicy),
			reason:  sources.Denied, detail: "no resource-based policy allows secretsmanager:GetSecretValue",
			hints: []string{role,
				`add       {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/web"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}`,
				"to        the resource policy of secret prod/db"},
		}, {
			name: "secret denied explicitly", ref: "secret prod/db",
			prepare: inject(awsfake.DenyExplicitly),
			reason:  sources.Denied, detail: "an explicit deny in an identity-based policy",
			hints: []string{role, "undo      the explicit deny; no Allow outweighs it"},
		}, {
			name: "key denied", ref: "secret prod/db",
			prepare: inject(awsfake.DenyKey),
			reason:  sources.Denied, detail: "its KMS key may not be used",
			hints: []string{
				`add       {"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111111111111:key/ID-OF-ITS-KEY"}`,
				"to        the role or user of these credentials; the policy of the key must allow it as well"},
		}, {
			name: "parameter denied", ref: "param /prod/host",
			prepare: inject(awsfake.Deny),
			reason:  sources.Denied, detail: "no identity-based policy allows ssm:GetParameters",
			hints: []string{role,
				`add       {"Effect":"Allow","Action":"ssm:GetParameters","Resource":"arn:aws:ssm:eu-west-1:111111111111:parameter/prod/host"}`,
				toRole},
		}, {
			name: "version denied", ref: "param /prod/host:1",
			prepare: inject(awsfake.Deny),
			reason:  sources.Denied, detail: "no identity-based policy allows ssm:GetParameter",
			hints: []string{role,
				`add       {"Effect":"Allow","Action":"ssm:GetParameter","Resource":"arn:aws:ssm:eu-west-1:111111111111:parameter/prod/host"}`,
				toRole},
		}, {
			name: "path denied", ref: "params /prod",
			prepare: inject(awsfake.Deny),
			reason:  sources.Denied, detail: "no identity-based policy allows ssm:GetParametersByPath",
			hints: []string{role,
				`add       {"Effect":"Allow","Action":"ssm:GetParametersByPath","Resource":["arn:aws:ssm:eu-west-1:111111111111:parameter/prod","arn:aws:ssm:eu-west-1:111111111111:parameter/prod/*"]}`,
				toRole},
		}, {
			name: "key disabled", ref: "secret prod/db",
			prepare: inject(awsfake.Undecryptable),
			reason:  sources.Undecryptable, detail: "Secrets Manager can't decrypt the protected secret text using the provided KMS key",
			hints: []string{"its KMS key must exist and be enabled:  aws kms describe-key --key-id KEY"},
		}, {
			name: "server error", ref: "secret prod/db",
			prepare: inject(awsfake.ServerError),
			reason:  sources.Unavailable, detail: "HTTP 500 InternalServiceError",
			hints: []string{"the trouble is on AWS's side; nothing is to be done here, it is asked again by itself"},
		}, {
			name: "server error, batch", ref: "param /prod/host",
			prepare: inject(awsfake.ServerError),
			reason:  sources.Unavailable, detail: "HTTP 500 InternalServerError",
			hints: []string{"the trouble is on AWS's side; nothing is to be done here, it is asked again by itself"},
		}, {
			name: "load balancer", ref: "param /prod/host",
			prepare: inject(awsfake.Unavailable),
			reason:  sources.Unavailable, detail: "HTTP 503, not from AWS itself",
			hints: []string{"is the way to AWS open? HTTPS_PROXY and NO_PROXY, VPC endpoints and aws.endpoint_url decide where it goes"},
		}, {
			name: "expired", ref: "param /prod/host",
			prepare: inject(awsfake.ExpiredToken),
			reason:  sources.Credentials, detail: "they have expired",
			hints: []string{
				"aws sts get-caller-identity  shows which credentials this environment has",
				"set aws.profile, give the instance a role, or log in again; they are read anew by themselves"},
		}, {
			name: "unknown key", ref: "secret prod/db",
			prepare: inject(awsfake.InvalidToken),
			reason:  sources.Credentials, detail: "AWS does not know them",
			hints: []string{
				"aws sts get-caller-identity  shows which credentials this environment has",
				"set aws.profile, give the instance a role, or log in again; they are read anew by themselves"},
		}, {
			name: "late clock", ref: "secret prod/db",
			prepare: inject(awsfake.ClockSkew),
			reason:  sources.Credentials, detail: "this machine's clock is 10m behind AWS's",
			hints: []string{"timedatectl  shows whether the clock is set by the network; AWS accepts five minutes"},
		}, {
			name: "wrong key", ref: "param /prod/host",
			prepare: inject(awsfake.BadSignature),
			reason:  sources.Credentials, detail: "the signature is not accepted; is the secret access key right, and the clock?",
			hints: []string{
				"aws sts get-caller-identity  shows which credentials this environment has",
				"set aws.profile, give the instance a role, or log in again; they are read anew by themselves"},
		}, {
			name: "wrong Region", ref: "secret far::prod/db",
			options: Options{Accounts: map[string]Account{"far": {Region: "us-east-1"}}},
			prepare: func(f *awsfake.Server) { f.In("", "us-east-1") },
			reason:  sources.Missing, detail: "in us-east-1",
			hints: []string{
				"either  aws secretsmanager create-secret --name prod/db --secret-string file:///dev/stdin <FILE",
				`or      {{ secretOr "VALUE" "far::prod/db" }}`,
				"or, where it is in another Region, set aws.accounts.far.region"},
		}, {
			name: "an account that nobody configured", ref: "secret arn:aws:secretsmanager:us-east-1:222222222222:secret:prod/db-AbCdEf",
			options: Options{RoleARN: "arn:aws:iam::111111111111:role/web"},
			reason:  sources.Unanswerable, detail: "it is in account 222222222222, which aws.accounts does not have",
			hints: []string{
				`to assume a role there:         aws: {accounts: {other: {role_arn: "arn:aws:iam::222222222222:role/NAME"}}}`,
				`where its policy lets us in:    aws: {accounts: {other: {id: "222222222222"}}}`},
		}, {
			name: "partial ARN", ref: "secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db",
			reason: sources.Unanswerable, detail: "the ARN does not end in the hyphen and six characters that Secrets Manager adds to the name",
			hints: []string{"aws secretsmanager describe-secret --secret-id prod/db  shows the whole ARN"},
		}, {
			name: "named account", ref: "secret shared::prod/db",
			options: Options{Accounts: map[string]Account{"shard": {ID: "222222222222"}}},
			reason:  sources.Unanswerable, detail: "aws.accounts has no shared; did you mean shard?",
			hints: []string{`aws: {accounts: {shared: {role_arn: "arn:aws:iam::222222222222:role/reader"}}}`},
		}, {
			name: "not of AWS", ref: "file /etc/motd",
			reason: sources.Unanswerable, detail: "it is not in AWS",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fake, s := start(t, test.options)
			fake.PutSecret("prod/db", canary)
			fake.PutSecret("prod/other", canary)
			fake.PutParameter("/prod/host", "SecureString", canary)
			if fetchOne(t, s, "secret prod/other").Err != nil { // an answer tells the account
				t.Fatal("no answer")
			}
			if test.prepare != nil {
				test.prepare(fake)
			}
			got := fetchOne(t, s, test.ref)
			wantError(t, got, test.reason, test.detail)
			if got.Err != nil {
				if diff := cmp.Diff(test.hints, got.Err.Hints); diff != "" {
					t.Errorf("hints (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// AWS says how far the clocks are apart, and other services say it by a code of their own.
// Who runs as a unit does not see what the user's shell does.
func TestCredentialsOfAUnit(t *testing.T) {
	t.Setenv("INVOCATION_ID", "")
	before := len(credentialHints(&failure{}))
	t.Setenv("INVOCATION_ID", "528995096ca946dca30bde35d65292c7")
	hints := credentialHints(&failure{})
	if len(hints) != before+1 || !strings.Contains(hints[before], "AWS_SHARED_CREDENTIALS_FILE") {
		t.Errorf("%q", hints)
	}
}

func TestClocks(t *testing.T) {
	for message, want := range map[string]string{
		"Signature expired: 20261120T080000Z is now earlier than 20261120T080500Z (20261120T081000Z - 5 min.)":         "this machine's clock is 10m behind AWS's",
		"Signature not yet current: 20261120T091000Z is still later than 20261120T081500Z (20261120T081000Z + 5 min.)": "this machine's clock is 1h0m ahead of AWS's",
		"Signature expired: 20261320T080000Z is now earlier than 20261120T080500Z (20261120T081000Z - 5 min.)":         meanings["SignatureDoesNotMatch"].detail,
	} {
		got := diagnose(&smithy.GenericAPIError{Code: "SignatureDoesNotMatch", Message: message})
		if got.reason != sources.Credentials || got.detail != want {
			t.Errorf("%s: %s", message, got)
		}
	}
	for _, code := range []string{"RequestTimeTooSkewed", "RequestInTheFuture"} {
		got := diagnose(&smithy.GenericAPIError{Code: code, Message: "The difference between the request time and the current time is too large."})
		if got.reason != sources.Credentials || !got.clock || got.detail != "this machine's clock is wrong" {
			t.Errorf("%s: %s", code, got)
		}
	}
}

// A Region that there is not has no host.
func TestRegionThatIsNone(t *testing.T) {
	environment(t, "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true")
	s := open(t, Options{Region: "eu-nowhere-1", Transport: nowhere{}})
	got := fetchOne(t, s, "secret prod/db")
	wantError(t, got, sources.Unavailable, "secretsmanager.eu-nowhere-1.amazonaws.com: no such host")
	if got.Err != nil && !strings.Contains(fmt.Sprint(got.Err.Hints), "is eu-nowhere-1 a Region of AWS? aws.region, AWS_REGION") {
		t.Errorf("%q", got.Err.Hints)
	}
}

// nowhere is a network whose names are unknown.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
}

func inject(kind awsfake.Kind) func(*awsfake.Server) {
	return func(f *awsfake.Server) { f.Inject(awsfake.Fault{Kind: kind}) }
}

func TestUnanswerableIsNotAsked(t *testing.T) {
	fake, s := start(t, Options{})
	fetchOne(t, s, "secret shared::prod/db")
	fetchOne(t, s, "secret arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db")
	wantCalls(t, fake, map[string]int{})
}

func TestDenialInABatchBelongsToItsRef(t *testing.T) {
	for kind, calls := range map[awsfake.Kind]int{
		awsfake.Deny:          2,      // AWS says whom it refuses
		awsfake.DenyKey:       1 + 10, // it does not
		awsfake.Undecryptable: 1 + 10,
	} {
		t.Run(string(kind), func(t *testing.T) {
			fake, s := start(t, Options{})
			var list []sources.Ref
			for _, name := range strings.Fields("/a /b /c /d /e /f /g /h /i /denied") {
				fake.PutParameter("/x"+name, "SecureString", canary)
				list = append(list, ref(t, "param /x"+name))
			}
			clearFault := fake.Inject(awsfake.Fault{Name: "/x/denied", Kind: kind})
			pass := func(good bool, calls int) {
				t.Helper()
				fake.ResetCalls()
				for r, got := range fetchAll(t.Context(), t, s, list...) {
					if denied := r.Name == "/x/denied"; (denied && !good) != (got.Err != nil) {
						t.Errorf("%s: %v", r, got.Err)
					}
				}
				wantCalls(t, fake, map[string]int{"GetParameters": calls})
			}
			pass(false, calls)
			pass(false, 2) // from now on it is asked for apart
			clearFault()
			pass(true, 2)
			pass(true, 1)
		})
	}
}

func TestMissingInABatchTakesNoOtherCall(t *testing.T) {
	fake, s := start(t, Options{})
	fake.PutParameter("/x/a", "String", canary)
	got := fetchAll(t.Context(), t, s, refs(t, "param /x/a", "param /x/none", "param none", "param /none")...)
	for r, result := range got {
		if missing := result.Err != nil && result.Err.Reason == sources.Missing; missing == (r.Name == "/x/a") {
			t.Errorf("%s: %v", r, result.Err)
		}
	}
	wantCalls(t, fake, map[string]int{"GetParameters": 1})
}

func TestPassingFailureIsRetried(t *testing.T) {
	for _, kind := range []awsfake.Kind{awsfake.ServerError, awsfake.Unavailable, awsfake.Drop} {
		t.Run(string(kind), func(t *testing.T) {
			fake, s := start(t, Options{})
			fake.PutSecret("prod/db", canary)
			fake.Inject(awsfake.Fault{Kind: kind, Times: attempts - 1})
			if got := fetchOne(t, s, "secret prod/db"); got.Err != nil {
				t.Error(got.Err)
			}
			wantCalls(t, fake, map[string]int{"GetSecretValue": attempts})
			fake.ResetCalls()
			fake.Inject(awsfake.Fault{Kind: kind})
			if got := fetchOne(t, s, "secret prod/db"); got.Err == nil || got.Err.Reason != sources.Unavailable {
				t.Error(got.Err)
			}
			// A connection that was used before is tried once more by net/http itself when it
			// breaks.
			if n := fake.Calls()["GetSecretValue"]; n != attempts && kind != awsfake.Drop {
				t.Errorf("%d attempts, want %d", n, attempts)
			}
		})
	}
}

func TestThrottledPassSlowsDownAndFinishes(t *testing.T) {
	fake, s := start(t, Options{})
	fake.Inject(awsfake.Fault{Kind: awsfake.Throttle, Times: 40})
	var list []sources.Ref
	for _, name := range strings.Fields("a b c d e f g h i j k l m n o p") {
		fake.PutSecret(name, canary)
		list = append(list, ref(t, "secret "+name))
	}
	for r, got := range fetchAll(t.Context(), t, s, list...) {
		if got.Err != nil {
			t.Errorf("%s: %v", r, got.Err)
		}
	}
	wantCalls(t, fake, map[string]int{"GetSecretValue": 16 + 40})
}

func TestThrottledToTheEnd(t *testing.T) {
	fake, s := start(t, Options{Timeout: 300 * time.Millisecond})
	fake.Inject(awsfake.Fault{Operation: "GetParameters", Kind: awsfake.Throttle})
	fake.PutSecret("prod/db", canary)
	got := fetchAll(t.Context(), t, s, refs(t, "param /x/a", "secret prod/db")...)
	wantError(t, got[ref(t, "param /x/a")], sources.Throttled, "still after 300ms")
	if err := got[ref(t, "secret prod/db")].Err; err != nil {
		t.Error(err)
	}
}

func TestEndWhileARequestHangs(t *testing.T) {
	fake, s := start(t, Options{})
	fake.PutSecret("quick", canary)
	fake.Inject(awsfake.Fault{Operation: "GetParameters", Kind: awsfake.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		if err := fake.Await(ctx, "GetParameters", 1); err != nil {
			t.Error(err)
		}
		if err := fake.Await(ctx, "GetSecretValue", 1); err != nil {
			t.Error(err)
		}
	}()
	began := time.Now()
	got := fetchAll(ctx, t, s, refs(t, "param /x/a", "params /x", "secret quick")...)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	wantError(t, got[ref(t, "param /x/a")], sources.Unavailable, "stopped waiting")
}

func TestTimeoutIsOfTheWholeFetch(t *testing.T) {
	fake, s := start(t, Options{Timeout: 50 * time.Millisecond, MaxConcurrency: 1})
	fake.Inject(awsfake.Fault{Kind: awsfake.Hang})
	for _, got := range fetchAll(t.Context(), t, s, refs(t, "param /x/a", "param /x/b:1", "params /x", "secret a", "secret b")...) {
		wantError(t, got, sources.Unavailable, "within 50ms")
	}
	if _, _, _, err := s.Identity(t.Context(), ""); err == nil || err.Error() != "no answer: nothing within 50ms" {
		t.Errorf("who asks: %v", err)
	}
}

func TestEndedBeforeItBegan(t *testing.T) {
	fake, s := start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := fetchAll(ctx, t, s, ref(t, "secret a"))
	wantError(t, got[ref(t, "secret a")], sources.Unavailable, "stopped waiting")
	wantCalls(t, fake, map[string]int{})
}

// The endpoint's password must not be in the error, nor anything else of the URL but the host.
func TestUnreachable(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := closed.Addr().String()
	closed.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	speaksPlain := strings.TrimPrefix(plain.URL, "http://")
	tests := map[string]string{
		"http://user:" + canary + "@" + host + "/" + canary: host + ": connection refused",
		"https://" + speaksPlain:                            speaksPlain + ": it does not speak TLS",
		plain.URL:                                           "HTTP 404, not from AWS itself",
	}
	for endpoint, want := range tests {
		_, s := start(t, Options{EndpointURL: endpoint})
		wantError(t, fetchOne(t, s, "secret prod/db"), sources.Unavailable, want)
		wantError(t, fetchOne(t, s, "param /prod/x"), sources.Unavailable, want)
	}
}

// A server that answers 200 with something else must not be quoted: it may be the secret.
func TestAnswerThatCannotBeRead(t *testing.T) {
	for _, body := range []string{canary, `{"SecretString": "` + canary, `{"SecretString": ["` + canary + `"]}`, `{}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
		defer server.Close()
		_, s := start(t, Options{EndpointURL: server.URL})
		for _, text := range []string{"secret prod/db", "param /prod/x", "param /prod/x:1"} {
			if got := fetchOne(t, s, text); got.Err == nil || got.Err.Reason != sources.Unavailable {
				t.Errorf("%s: %q: %v", text, body, got.Err)
			}
		}
	}
}

// Whoever can mend a refusal is named.
func TestTurn(t *testing.T) {
	const user = "User: arn:aws:sts::111111111111:assumed-role/web/i-0abc is not authorized to perform: "
	for message, want := range map[string]string{
		user + "ssm:GetParameters": "the owner of role web in account 111111111111",
		user + "ssm:GetParameters because no identity-based policy allows the ssm:GetParameters action":                                        "the owner of role web in account 111111111111",
		user + "secretsmanager:GetSecretValue because no resource-based policy allows the secretsmanager:GetSecretValue action":                "the owner of secret prod/db",
		user + "secretsmanager:GetSecretValue with an explicit deny in a service control policy":                                               "the administrator of the organization",
		user + "secretsmanager:GetSecretValue because no VPC endpoint policy allows the secretsmanager:GetSecretValue action":                  "the owner of the VPC endpoint",
		user + "kms:Decrypt on resource: arn:aws:kms:eu-west-1:222222222222:key/ab-12 because no identity-based policy allows the kms:Decrypt": "the owner of role web in account 111111111111, and the owner of the key",
		"Access to KMS is not allowed": "the owner of the role or user of these credentials, and the owner of the key",
	} {
		if got := readDenial(message).turn(sources.Ref{Kind: sources.Secret, Name: "prod/db"}); got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", message, got, want)
		}
	}
}

func TestReadDenial(t *testing.T) {
	const user = "User: arn:aws:iam::111111111111:user/ops/ann is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:eu-west-1:111111111111:parameter/x"
	tests := map[string]string{
		user: "not allowed to ssm:GetParameter",
		user + " because no identity-based policy allows the ssm:GetParameter action":                        "no identity-based policy allows ssm:GetParameter",
		user + " because no VPC endpoint policy allows the ssm:GetParameter action":                          "no VPC endpoint policy allows ssm:GetParameter",
		user + " because no permissions boundary allows the ssm:GetParameter action":                         "no permissions boundary allows ssm:GetParameter",
		user + " with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1": "an explicit deny in a service control policy",
		"Access to KMS is not allowed": "its KMS key may not be used",
		"User: x is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111111111111:key/ab-12 because no resource-based policy allows the kms:Decrypt action": "no resource-based policy allows kms:Decrypt",
		canary: "",
	}
	for message, want := range tests {
		if got := readDenial(message).detail(); got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", message, got, want)
		}
	}
	if got := principal("arn:aws:iam::111111111111:user/ops/ann"); got != "user ops/ann in account 111111111111" {
		t.Error(got)
	}
}
