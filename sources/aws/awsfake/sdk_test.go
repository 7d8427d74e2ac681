package awsfake_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rendered/rendered/sources/aws/awsfake"
)

// clients are the real SDK's, without retries: a test wants to see each answer.
type clients struct {
	sm  *secretsmanager.Client
	ssm *ssm.Client
	sts *sts.Client
}

func config(url string) aws.Config {
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func connect(cfg aws.Config) clients {
	return clients{secretsmanager.NewFromConfig(cfg), ssm.NewFromConfig(cfg), sts.NewFromConfig(cfg)}
}

func start(t *testing.T) (*awsfake.Server, clients) {
	t.Helper()
	s := awsfake.Start(t)
	return s, connect(config(s.URL))
}

func TestSmoke(t *testing.T) {
	s, c := start(t)
	s.PutSecret("prod/db", "x")
	s.PutParameter("/a", "SecureString", "v")
	v, err := c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("prod/db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(*v.ARN, *v.VersionId, v.VersionStages, *v.SecretString, v.CreatedDate)
	p, err := c.ssm.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/a:1", "/b"}, WithDecryption: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.InvalidParameters, *p.Parameters[0].Name, *p.Parameters[0].Selector, *p.Parameters[0].Value)
	w, err := c.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(*w.Arn, *w.Account, *w.UserId, s.Calls(), s.Requests())
	_, err = c.ssm.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/nix")})
	t.Log(err)
	_, err = c.sm.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("nix")})
	t.Log(err)
}
