package awsfake_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/rendered/rendered/internal/awsfake"
)

const (
	other  = "222222222222"
	reader = "arn:aws:iam::222222222222:role/reader"
	web    = "arn:aws:sts::111111111111:assumed-role/web/i-0123456789abcdef0"
)

// in gives clients of s in a Region, with the server's own credentials.
func in(s *awsfake.Server, region string) clients {
	cfg := inProcess(s)
	cfg.Region = region
	return connect(cfg)
}

// as gives clients of s that have assumed a role.
func as(s *awsfake.Server, region, role string) clients {
	cfg := inProcess(s)
	cfg.Region = region
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(in(s, region).sts, role, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "test" }))
	return connect(cfg)
}

// value gives a secret's text, or the code and text of the refusal.
func value(t *testing.T, c clients, id string) string {
	t.Helper()
	out, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		got := refused(t, err)
		return got.code + ": " + got.text
	}
	return *out.SecretString
}

// setting gives a parameter's text, or the code and text of the refusal.
func setting(t *testing.T, c clients, name string) string {
	t.Helper()
	out, err := c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		got := refused(t, err)
		return got.code + ": " + got.text
	}
	return *out.Parameter.Value
}

func TestPlaces(t *testing.T) {
	s, home := start()
	places := map[string]*awsfake.Place{
		"home": s.In("", ""), "home far": s.In("", "us-east-1"), "other": s.In(other, ""), "other far": s.In(other, "us-east-1"),
	}
	for name, p := range places {
		p.PutSecret("db", "secret of "+name)
		p.PutParameter("/a", "String", "parameter of "+name)
		p.PutParameter("/of/"+name[:4], "String", name)
	}
	s.PutSecret("db", "secret of home, too") // the server is its own place
	for name, c := range map[string]clients{
		"home": home, "home far": in(s, "us-east-1"), "other": as(s, "eu-west-1", reader), "other far": as(s, "us-east-1", reader),
	} {
		want := "secret of " + name
		if name == "home" {
			want += ", too"
		}
		if got := value(t, c, "db"); got != want {
			t.Errorf("%s: secret %q", name, got)
		}
		if got := value(t, c, places[name].SecretARN("db")); got != want {
			t.Errorf("%s: secret by ARN %q", name, got)
		}
		if got := setting(t, c, "/a"); got != "parameter of "+name {
			t.Errorf("%s: parameter %q", name, got)
		}
		if got := setting(t, c, places[name].ParameterARN("/a")); got != "parameter of "+name {
			t.Errorf("%s: parameter by ARN %q", name, got)
		}
		out, err := c.ssm.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: aws.String("/of")})
		if err != nil || len(out.Parameters) != 1 || *out.Parameters[0].Value != name {
			t.Errorf("%s: by path %v, %v", name, out, err)
		}
	}
	seen := make(map[string]int)
	for _, r := range s.Requests() {
		if r.Operation == "GetSecretValue" {
			seen[r.Account+" "+r.Region]++
		}
	}
	if diff := cmp.Diff(map[string]int{"111111111111 eu-west-1": 2, "111111111111 us-east-1": 2, "222222222222 eu-west-1": 2, "222222222222 us-east-1": 2}, seen); diff != "" {
		t.Errorf("requests by place: got + want -\n%s", diff)
	}
	places["other"].DeleteSecret("db")
	places["other far"].RemoveSecret("db")
	places["other far"].DeleteParameter("/a")
	if got := value(t, home, "db"); got != "secret of home, too" {
		t.Errorf("after another's deletion: %q", got)
	}
	if got := setting(t, as(s, "us-east-1", reader), "/a"); !strings.HasPrefix(got, "ParameterNotFound") {
		t.Errorf("after its deletion: %q", got)
	}
}

// An endpoint knows its own Region only, whatever ARN it is asked for.
func TestAnotherRegion(t *testing.T) {
	s, home := start()
	far := s.In("", "us-east-1")
	far.PutSecret("db", "far")
	far.PutParameter("/a", "String", "far")
	if got, want := value(t, home, far.SecretARN("db")), "ResourceNotFoundException: Secrets Manager can't find the specified secret."; got != want {
		t.Errorf("secret: %s", got)
	}
	if got, want := setting(t, home, far.ParameterARN("/a")), "ParameterNotFound: "; got != want {
		t.Errorf("parameter: %s", got)
	}
	const invalid = "InvalidSignatureException: Credential should be scoped to a valid region. "
	if got := value(t, in(s, "ap-south-1"), "db"); got != invalid {
		t.Errorf("in a Region that there is not: %s", got)
	}
	// A host of AWS's is for one Region.
	cfg := aws.Config{Region: "us-east-1", Credentials: config("").Credentials, Retryer: config("").Retryer, HTTPClient: &http.Client{Transport: s.Transport()}}
	if got := value(t, connect(cfg), "db"); got != "far" {
		t.Errorf("at AWS's host: %s", got)
	}
	wrong := secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
		o.BaseEndpoint = aws.String("https://secretsmanager.eu-west-1.amazonaws.com")
	})
	if got := value(t, clients{sm: wrong}, "db"); got != invalid {
		t.Errorf("at the host of another Region: %s", got)
	}
}

func TestAnotherAccount(t *testing.T) {
	s, home := start()
	there := s.In(other, "")
	there.PutSecret("db", "theirs")
	there.PutParameter("/a", "String", "theirs")
	s.PutSecret("db", "ours")
	s.PutParameter("/a", "String", "ours")
	secret, parameter := there.SecretARN("db"), there.ParameterARN("/a")
	denied := func(action, resource string) string {
		return "AccessDeniedException: User: " + web + " is not authorized to perform: " + action + " on resource: " + resource +
			" because no resource-based policy allows the " + action + " action"
	}
	const nowhere = "arn:aws:secretsmanager:eu-west-1:333333333333:secret:db-AbCdEf"
	for asked, want := range map[string]string{
		secret:                 denied("secretsmanager:GetSecretValue", secret),
		secret[:len(secret)-7]: denied("secretsmanager:GetSecretValue", secret[:len(secret)-7]),
		// Whether it exists is not to be seen.
		nowhere:                 denied("secretsmanager:GetSecretValue", nowhere),
		parameter:               denied("ssm:GetParameter", parameter),
		parameter + ":1":        denied("ssm:GetParameter", parameter),
		parameter + "/nowhere":  denied("ssm:GetParameter", parameter+"/nowhere"),
		s.SecretARN("db"):       "ours",
		s.ParameterARN("/a"):    "ours",
		there.ParameterARN("x"): denied("ssm:GetParameter", there.ParameterARN("x")),
	} {
		ask := value
		if strings.Contains(asked, ":ssm:") {
			ask = setting
		}
		if got := ask(t, home, asked); got != want {
			t.Errorf("%s\n got %s\nwant %s", asked, got, want)
		}
	}
	if got := refused(t, parameters(t.Context(), home, "/a", parameter)); got.code != "AccessDeniedException" {
		t.Errorf("GetParameters: %v", got)
	}

	there.Share("db", "111111111111")
	there.Share("/a", "111111111111")
	if got := value(t, home, secret); got != "theirs" {
		t.Errorf("shared secret: %s", got)
	}
	found, _ := asked(t, home, parameter, "/a", parameter+":1")
	slices.Sort(found)
	if diff := cmp.Diff([]string{"/a  1 ours", "/a  1 theirs", "/a :1 1 theirs"}, found); diff != "" {
		t.Errorf("shared parameter: got + want -\n%s", diff)
	}
	if got := value(t, as(s, "eu-west-1", "arn:aws:iam::333333333333:role/r"), secret); !strings.Contains(got, "assumed-role/r/test is not authorized") {
		t.Errorf("shared with another: %s", got)
	}
	batch, err := home.sm.BatchGetSecretValue(t.Context(), &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{"db", secret}})
	if err != nil || len(batch.SecretValues) != 1 || len(batch.Errors) != 1 || *batch.Errors[0].ErrorCode != "AccessDeniedException" {
		t.Errorf("a batch over accounts: %v, %v", batch, err)
	}
	// To write by an ARN of another account does not touch what has the same name here.
	if _, err := home.ssm.DeleteParameter(t.Context(), &ssm.DeleteParameterInput{Name: &parameter}); refused(t, err).code != "ParameterNotFound" {
		t.Error(err)
	}
	if _, err := home.sm.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: &secret, ForceDeleteWithoutRecovery: aws.Bool(true)}); err != nil {
		t.Error(err)
	}
	if got := value(t, home, "db") + setting(t, home, "/a"); got != "oursours" {
		t.Errorf("ours became %s", got)
	}
}

// What AWS publishes is the same for every account of a Region, and of none.
func TestPublicParameters(t *testing.T) {
	const name = "/aws/service/ami-amazon-linux-latest/al2023"
	s, home := start()
	s.In("", "us-east-1")
	s.PutParameter(name, "String", "ami-1")
	if arn := s.ParameterARN(name); arn != "arn:aws:ssm:eu-west-1::parameter"+name {
		t.Error(arn)
	}
	for _, c := range []clients{home, as(s, "eu-west-1", reader)} {
		if got := setting(t, c, name) + setting(t, c, s.ParameterARN(name)); got != "ami-1ami-1" {
			t.Error(got)
		}
	}
	if got := setting(t, in(s, "us-east-1"), name); got != "ParameterNotFound: " {
		t.Errorf("in another Region: %s", got)
	}
	for path, want := range map[string]int{"/": 0, "/aws/service/ami-amazon-linux-latest": 1} {
		out, err := home.ssm.GetParametersByPath(t.Context(), &ssm.GetParametersByPathInput{Path: &path, Recursive: aws.Bool(true)})
		if err != nil || len(out.Parameters) != want {
			t.Errorf("%s: %v, %v", path, out, err)
		}
	}
}

// A fault can be had by one account, or in one Region.
func TestFaultOfAPlace(t *testing.T) {
	s, home := start()
	s.In("", "us-east-1")
	all := map[string]clients{"home": home, "far": in(s, "us-east-1"), "other": as(s, "eu-west-1", reader)}
	for _, c := range all {
		_ = parameters(context.Background(), c, "/a") // roles are assumed before any fault
	}
	for want, f := range map[string]awsfake.Fault{
		"far":      {Region: "us-east-1", Kind: awsfake.Throttle},
		"other":    {Account: other, Name: "/a", Kind: awsfake.Deny},
		"far home": {Account: "111111111111", Kind: awsfake.Throttle},
	} {
		clearFault := s.Inject(f)
		var hit []string
		for name, c := range all {
			if parameters(t.Context(), c, "/a") != nil {
				hit = append(hit, name)
			}
		}
		slices.Sort(hit)
		if got := strings.Join(hit, " "); got != want {
			t.Errorf("%+v hit %q, want %q", f, got, want)
		}
		clearFault()
	}
}
