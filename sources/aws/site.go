package aws

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rendered/rendered/sources"
)

// A place is where values are: an account, by its name in the config, and a Region.
type place struct {
	account string // "" is that of the daemon's own credentials
	region  string
}

// A site asks one place. What AWS limits, it limits for an account and Region, so each site has a pace and requests of its own, and
// no site's trouble holds up another.
type site struct {
	place
	timeout  time.Duration
	identity *identity
	id       atomic.Pointer[string] // the account's twelve digits; nil until they are known
	known    bool                   // id is, from the start

	secrets, params slots
	apart           spoilers
	batchSecrets    bool
	unbatchable     atomic.Bool                  // BatchGetSecretValue was refused
	log             *atomic.Pointer[slog.Logger] // of the source

	// Method values in place of clients: behind an interface the linker would keep every method of the clients, 3.6 MB.
	getSecretValue      call[secretsmanager.GetSecretValueInput, secretsmanager.GetSecretValueOutput, secretsmanager.Options]
	batchGetSecretValue call[secretsmanager.BatchGetSecretValueInput, secretsmanager.BatchGetSecretValueOutput, secretsmanager.Options]
	getParameter        call[ssm.GetParameterInput, ssm.GetParameterOutput, ssm.Options]
	getParameters       call[ssm.GetParametersInput, ssm.GetParametersOutput, ssm.Options]
	getParametersByPath call[ssm.GetParametersByPathInput, ssm.GetParametersByPathOutput, ssm.Options]
	getCallerIdentity   call[sts.GetCallerIdentityInput, sts.GetCallerIdentityOutput, sts.Options]
}

// A call is one operation of an SDK client.
type call[In, Out, Opt any] func(context.Context, *In, ...func(*Opt)) (*Out, error)

// paramsPerSecond is what AWS grants all reads of Parameter Store together, in an account and Region, unless higher throughput is
// paid for (AWS Systems Manager endpoints and quotas). GetSecretValue has 10,000, which no host reaches.
const paramsPerSecond = 40

// batchesPerSecond is what AWS grants BatchGetSecretValue (AWS Secrets Manager endpoints and quotas).
const batchesPerSecond = 100

// with gives a call that goes with an option of its own.
func with[In, Out, Opt any](c call[In, Out, Opt], option func(*Opt)) call[In, Out, Opt] {
	return func(ctx context.Context, in *In, _ ...func(*Opt)) (*Out, error) { return c(ctx, in, option) }
}

// site gives the site of a place, the same each time.
func (s *Source) site(p place) *site {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.sites[p]; known != nil {
		return known
	}
	made := &site{
		place:    p,
		timeout:  s.options.Timeout,
		identity: s.identityOf(p.account),
		secrets:  make(slots, s.options.MaxConcurrency),
		params:   make(slots, s.options.MaxConcurrency),

		batchSecrets: s.options.BatchSecrets,
		log:          &s.log,
	}
	if id := s.accountID(p.account); id != "" {
		made.id.Store(&id)
	}
	cfg := s.config.Copy()
	cfg.Region, cfg.Credentials = p.region, made.identity
	made.connect(cfg, s.options, s.connections)
	s.sites[p] = made
	return made
}

// identityOf gives the credentials for an account. There is one cache of them for a role, however many accounts and Regions use it.
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

// connect makes the clients. Each has connections of its own, so that one service's trouble does not hold up the other where
// both stand behind one endpoint.
func (s *site) connect(cfg awssdk.Config, o Options, c *connections) {
	patience := o.patience.orDefault()
	cfg.APIOptions = nil // they carry requests over the connections of the chain
	cfg.HTTPClient = c.client(answerWithin)
	secrets := secretsmanager.NewFromConfig(cfg, func(c *secretsmanager.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(0)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	cfg.HTTPClient = c.client(answerWithin)
	params := ssm.NewFromConfig(cfg, func(c *ssm.Options) {
		c.Retryer = &retryer{retry.NewStandard(), patience, newPacer(paramsPerSecond)}
		override(&c.BaseEndpoint, o.EndpointURL)
	})
	cfg.HTTPClient = c.client(answerWithin)
	tokens := sts.NewFromConfig(cfg, func(c *sts.Options) { override(&c.BaseEndpoint, o.EndpointURL) })
	s.getSecretValue = secrets.GetSecretValue
	batches := &retryer{retry.NewStandard(), patience, newPacer(batchesPerSecond)}
	s.batchGetSecretValue = with(secrets.BatchGetSecretValue, func(c *secretsmanager.Options) { c.Retryer = batches })
	s.getParameter = params.GetParameter
	s.getParameters = params.GetParameters
	s.getParametersByPath = params.GetParametersByPath
	s.getCallerIdentity = tokens.GetCallerIdentity
}

// learn takes the account that is asked from the ARN of something in it, so that messages can name it without a call.
func (s *site) learn(text string) {
	a, ok := parseARN(text)
	if !ok || s.known || !accountID.MatchString(a.account) {
		return // public parameters have no account
	}
	if known := s.id.Load(); known == nil || *known != a.account {
		s.id.Store(&a.account)
	}
}

// accountOr gives the account, other where no answer has told it yet.
func (s *site) accountOr(other string) string {
	if known := s.id.Load(); known != nil {
		return *known
	}
	return other
}

// where says which Region and account were asked, as far as they are known.
func (s *site) where() string {
	if account := s.accountOr(""); account != "" {
		return "in " + s.region + ", account " + account
	}
	return "in " + s.region
}

// whoami asks STS.
func (s *site) whoami(ctx context.Context) (account, arn string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := s.getCallerIdentity(ctx, new(sts.GetCallerIdentityInput))
	switch {
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", "", &trouble{reason: sources.Unavailable, detail: within(s.timeout)}
	case err != nil:
		return "", "", describe(err)
	}
	account, arn = awssdk.ToString(out.Account), awssdk.ToString(out.Arn)
	s.learn(arn)
	return account, arn, nil
}
