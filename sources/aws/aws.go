// Package aws answers lookups from AWS Secrets Manager and SSM Parameter Store.
//
// It promises the fewest calls that AWS allows without wider permissions: one GetSecretValue a secret, one GetParameters for
// ten parameters, one GetParameter for a parameter with a version or label, one GetParametersByPath a page. An error belongs to
// the ref that caused it, and holds names and ARNs but never a value: bodies and outputs are not printed, and of AWS's texts
// only those parts are kept that are known.
//
// The permissions it needs are secretsmanager:GetSecretValue, ssm:GetParameters, ssm:GetParameter, ssm:GetParametersByPath and
// kms:Decrypt, each for the names that are looked up.
package aws

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Options say which account and Region to ask, and how. The zero value is what the AWS CLI would do in the same environment.
type Options struct {
	Region         string        // "" is the environment's, the profile's, or that of instance metadata
	Profile        string        // of the shared config files; "" is the environment's, or "default"
	RoleARN        string        // assumed with the credentials found; "" uses these themselves
	ExternalID     string        // for RoleARN; "" sends none
	SessionName    string        // for RoleARN; "" is "rendered-" and the host's name
	EndpointURL    string        // for every service; "" is AWS's, or AWS_ENDPOINT_URL and its forms for one service
	MaxConcurrency int           // requests in flight, each service of AWS; 0 is 8
	Timeout        time.Duration // for one Fetch, retries included; 0 is 30 s
	Version        string        // ours, for AWS's logs; "" is none

	// Transport carries the requests; nil is one of our own, with AWS_CA_BUNDLE and the proxies of the environment.
	Transport http.RoundTripper

	patience patience // zero is AWS's
}

// paramsPerSecond is what AWS grants all reads of Parameter Store together, in an account and Region, unless higher throughput is
// paid for (AWS Systems Manager endpoints and quotas). GetSecretValue has 10,000, which no host reaches.
const paramsPerSecond = 40

const (
	defaultConcurrency = 8
	defaultTimeout     = 30 * time.Second
)

// A Source answers Secret, Param and Params refs of one account and Region. It keeps its connections and credentials from one
// Fetch to the next, and may be used from several goroutines.
type Source struct {
	region   string
	timeout  time.Duration
	identity *identity
	account  atomic.Pointer[string] // in which names are looked up; nil until an answer has told it

	secrets, params slots

	// Method values in place of clients: behind an interface the linker would keep every method of the clients, 3.6 MB.
	getSecretValue      call[secretsmanager.GetSecretValueInput, secretsmanager.GetSecretValueOutput, secretsmanager.Options]
	getParameter        call[ssm.GetParameterInput, ssm.GetParameterOutput, ssm.Options]
	getParameters       call[ssm.GetParametersInput, ssm.GetParametersOutput, ssm.Options]
	getParametersByPath call[ssm.GetParametersByPathInput, ssm.GetParametersByPathOutput, ssm.Options]
	getCallerIdentity   call[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput, sts.Options]
}

// A call is one operation of an SDK client.
type call[In, Out, Opt any] func(context.Context, *In, ...func(*Opt)) (*Out, error)

// New reads the environment and the shared config files and gives the source. It asks nobody but, where no Region is set,
// instance metadata, for two seconds at most. The error says what to set; it never quotes a file.
func New(ctx context.Context, o Options) (*Source, error) {
	if o.MaxConcurrency <= 0 {
		o.MaxConcurrency = defaultConcurrency
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if err := checkEndpoint(o.EndpointURL); err != nil {
		return nil, err
	}
	cfg, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if cfg.Region, err = region(ctx, cfg); err != nil {
		return nil, err
	}
	s := &Source{
		region:   cfg.Region,
		timeout:  o.Timeout,
		identity: newIdentity(o, cfg),
		secrets:  make(slots, o.MaxConcurrency),
		params:   make(slots, o.MaxConcurrency),
	}
	cfg.Credentials = s.identity
	s.connect(cfg, o)
	return s, nil
}

// connect makes the clients. Each has connections of its own, so that one service's trouble does not hold up the other where
// both stand behind one endpoint.
func (s *Source) connect(cfg awssdk.Config, o Options) {
	patience := o.patience.orDefault()
	secrets := secretsmanager.NewFromConfig(cfg, func(c *secretsmanager.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(0)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	params := ssm.NewFromConfig(cfg, func(c *ssm.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(paramsPerSecond)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	tokens := sts.NewFromConfig(cfg, func(c *sts.Options) { override(&c.BaseEndpoint, o.EndpointURL) })
	s.getSecretValue = secrets.GetSecretValue
	s.getParameter = params.GetParameter
	s.getParameters = params.GetParameters
	s.getParametersByPath = params.GetParametersByPath
	s.getCallerIdentity = tokens.GetCallerIdentity
}

// Region gives the Region that is asked.
func (s *Source) Region() string { return s.region }

// Identity asks STS who the credentials belong to: the account and the ARN. The error is in our words, without what AWS sent.
func (s *Source) Identity(ctx context.Context) (account, arn string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := s.getCallerIdentity(ctx, new(sts.GetCallerIdentityInput))
	if err != nil {
		return "", "", describe(err)
	}
	account, arn = awssdk.ToString(out.Account), awssdk.ToString(out.Arn)
	s.learn(arn)
	return account, arn, nil
}
