package awsfake_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/rendered/rendered/internal/awsfake"
)

// clients are the real SDK's.
type clients struct {
	sm  *secretsmanager.Client
	ssm *ssm.Client
	sts *sts.Client
	sqs *sqs.Client
}

// config gives a configuration without retries: a test wants to see each answer.
func config(url string) aws.Config {
	return aws.Config{
		Region:       "eu-west-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// inProcess gives a configuration whose clients ask s without a socket.
func inProcess(s *awsfake.Server) aws.Config {
	cfg := config("http://aws.test")
	cfg.HTTPClient = &http.Client{Transport: s.Transport()}
	return cfg
}

func connect(cfg aws.Config) clients {
	return clients{secretsmanager.NewFromConfig(cfg), ssm.NewFromConfig(cfg), sts.NewFromConfig(cfg), sqs.NewFromConfig(cfg)}
}

// start gives a server and clients that ask it without a socket.
func start() (*awsfake.Server, clients) {
	s := awsfake.New()
	return s, connect(inProcess(s))
}

// A refusal is an error as AWS answers it.
type refusal struct {
	code   string
	status int
	text   string
}

// refused takes err apart; it fails the test where err is not an answer of AWS.
func refused(t *testing.T, err error) refusal {
	t.Helper()
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) {
		t.Fatalf("got %v, want an error that AWS answered", err)
	}
	return refusal{api.ErrorCode(), answer.HTTPStatusCode(), api.ErrorMessage()}
}

// tool finds a program that the test needs. Without it the test is skipped, but not in CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is needed in CI: %v", name, err)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}
