package aws

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/rendered/rendered/sources"
)

// A location is where values are: an account, by its name in the config, and a Region.
type location struct {
	account string // "" is that of the daemon's own credentials
	region  string
}

// clients are those of AWS's services in one account and Region. What AWS limits, it limits for
// these, so each location has a pace and requests of its own, and none holds up another.
type clients struct {
	location
	timeout  time.Duration
	identity *identity
	id       atomic.Pointer[string] // the account's twelve digits; nil until they are known
	known    bool                   // id is, from the start

	slots        map[sources.Service]slots
	apart        sync.Map // the keys of parameters for which AWS refused a whole batch
	batchSecrets bool
	unbatchable  atomic.Bool                  // BatchGetSecretValue was refused
	log          *atomic.Pointer[slog.Logger] // of the source

	// Method values in place of the SDK's clients: behind an interface the linker would keep every
	// method of these, 3.6 MB.
	getSecretValue      call[secretsmanager.GetSecretValueInput, secretsmanager.GetSecretValueOutput, secretsmanager.Options]
	batchGetSecretValue call[secretsmanager.BatchGetSecretValueInput, secretsmanager.BatchGetSecretValueOutput, secretsmanager.Options]
	getParameter        call[ssm.GetParameterInput, ssm.GetParameterOutput, ssm.Options]
	getParameters       call[ssm.GetParametersInput, ssm.GetParametersOutput, ssm.Options]
	getParametersByPath call[ssm.GetParametersByPathInput, ssm.GetParametersByPathOutput, ssm.Options]
	getCallerIdentity   call[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput, sts.Options]
}

// A call is one operation of an SDK client.
type call[In, Out, Opt any] func(context.Context, *In, ...func(*Opt)) (*Out, error)

// with makes the call with an identity, and once more with other credentials where those in use are
// refused.
func (c call[In, Out, Opt]) with(ctx context.Context, id *identity, in *In) (*Out, error) {
	generation := id.current()
	out, err := c(ctx, in)
	if unaccepted(err) && id.replace(ctx, generation) {
		out, err = c(ctx, in)
	}
	id.judge(err)
	return out, err
}

// paramsPerSecond is what AWS grants all reads of Parameter Store together, in an account and
// Region, unless higher throughput is paid for (AWS Systems Manager endpoints and quotas).
// GetSecretValue has 10,000, which no host reaches.
const paramsPerSecond = 40

// batchesPerSecond is what AWS grants BatchGetSecretValue (AWS Secrets Manager endpoints and
// quotas).
const batchesPerSecond = 100

// option gives a call that goes with an option of its own.
func option[In, Out, Opt any](c call[In, Out, Opt], option func(*Opt)) call[In, Out, Opt] {
	return func(ctx context.Context, in *In, _ ...func(*Opt)) (*Out, error) { return c(ctx, in, option) }
}

// clientsAt gives the clients of a location, the same each time.
func (s *Source) clientsAt(at location) *clients {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.clients[at]; known != nil {
		return known
	}
	made := &clients{
		location: at,
		timeout:  s.options.Timeout,
		identity: s.identityOf(at.account),
		slots: map[sources.Service]slots{
			sources.SecretsManager: make(slots, s.options.MaxConcurrency),
			sources.ParameterStore: make(slots, s.options.MaxConcurrency),
		},

		batchSecrets: s.options.BatchSecrets,
		log:          &s.log,
	}
	if id := s.accountID(at.account); id != "" {
		made.id.Store(&id)
	}
	cfg := s.config.Copy()
	cfg.Region, cfg.Credentials = at.region, made.identity
	cfg.APIOptions = []func(*middleware.Stack) error{s.counted} // those of the chain carry requests over its connections
	made.connect(cfg, s.options, s.connections)
	s.clients[at] = made
	return made
}

// identityOf gives the credentials for an account. There is one cache of them for a role, however
// many accounts and Regions use it.
func (s *Source) identityOf(account string) *identity {
	a := s.options.Accounts[account]
	a.ID, a.Region = "", ""
	if account == "" || a.RoleARN == "" {
		a = Account{}
	}
	if s.identities[a] == nil {
		s.identities[a] = chain(s.identities[Account{}], s.options, a, s.config)
	}
	return s.identities[a]
}

// connect makes the clients. Each has connections of its own, so that one service that hangs does
// not hold up the other where both stand behind one endpoint.
func (c *clients) connect(cfg awssdk.Config, o Options, pool *connections) {
	patience := o.patience.orDefault()
	cfg.HTTPClient = pool.client(answerWithin)
	secrets := secretsmanager.NewFromConfig(cfg, func(c *secretsmanager.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(0)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	cfg.HTTPClient = pool.client(answerWithin)
	params := ssm.NewFromConfig(cfg, func(c *ssm.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(paramsPerSecond)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	cfg.HTTPClient = pool.client(answerWithin)
	tokens := sts.NewFromConfig(cfg, func(c *sts.Options) { override(&c.BaseEndpoint, o.EndpointURL) })
	c.getSecretValue = secrets.GetSecretValue
	batches := &retryer{retry.NewStandard(), patience, newPacer(batchesPerSecond)}
	c.batchGetSecretValue = option(secrets.BatchGetSecretValue, func(c *secretsmanager.Options) { c.Retryer = batches })
	c.getParameter = params.GetParameter
	c.getParameters = params.GetParameters
	c.getParametersByPath = params.GetParametersByPath
	c.getCallerIdentity = tokens.GetCallerIdentity
}

// learn takes the account that is asked from the ARN of something in it, so that messages can name
// it without a call.
func (c *clients) learn(text string) {
	a, ok := sources.ParseARN(text)
	if !ok || c.known || !accountID.MatchString(a.Account) {
		return // public parameters have no account
	}
	if known := c.id.Load(); known == nil || *known != a.Account {
		c.id.Store(&a.Account)
	}
}

// accountOr gives the account, other where no answer has told it yet.
func (c *clients) accountOr(other string) string {
	if known := c.id.Load(); known != nil {
		return *known
	}
	return other
}

// where says which Region and account were asked, as far as they are known.
func (c *clients) where() string {
	if account := c.accountOr(""); account != "" {
		return "in " + c.region + ", account " + account
	}
	return "in " + c.region
}

// whoami asks STS.
func (c *clients) whoami(ctx context.Context) (account, arn string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out, err := c.getCallerIdentity(ctx, new(sts.GetCallerIdentityInput))
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", "", &failure{reason: sources.Unavailable, detail: within(c.timeout)}
	case err != nil:
		return "", "", describe(err)
	}
	account, arn = awssdk.ToString(out.Account), awssdk.ToString(out.Arn)
	c.learn(arn)
	return account, arn, nil
}
