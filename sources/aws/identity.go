package aws

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rendered/rendered/internal/lazyregexp"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// renewAfter is the least time between two readings of the shared config files.
	renewAfter = time.Minute
	// failFor is how long a failure to get credentials stands. Without any the chain ends at
	// instance metadata, which takes about ten seconds not to answer; the lookups of one pass must
	// not each wait for it.
	failFor = 5 * time.Second
)

// An identity is the credentials in use. It is the SDK's credentials provider, so that they can
// change under the clients: the SDK reads the shared config files once, and they change when
// someone logs in again.
type identity struct {
	renew       func(context.Context) (awssdk.CredentialsProvider, error)
	connections *connections
	sso         string // the profile whose SSO session they come from; "" where they do not

	mu         sync.Mutex
	provider   awssdk.CredentialsProvider
	generation int // how often the provider was replaced
	renewed    time.Time
	failed     time.Time // when provider gave err
	err        error

	expired atomic.Bool // to be replaced before they are used again
	refused atomic.Bool // AWS refused them last, or there were none: they were of no use
}

// newIdentity gives the identity of cfg, or of the role that is to be assumed with it.
func newIdentity(o Options, cfg awssdk.Config, c *connections) *identity {
	region := cfg.Region
	assume := func(cfg awssdk.Config) awssdk.CredentialsProvider {
		if o.RoleARN == "" {
			return cfg.Credentials
		}
		cfg.Region = region
		return assumeRole(o, cfg)
	}
	return &identity{
		connections: c,
		sso:         ssoProfile(cfg),
		provider:    assume(cfg),
		renewed:     time.Now(),
		renew: func(ctx context.Context) (awssdk.CredentialsProvider, error) {
			cfg, _, err := load(ctx, o, c)
			if err != nil {
				return nil, err
			}
			return assume(cfg), nil
		},
	}
}

func assumeRole(o Options, cfg awssdk.Config) awssdk.CredentialsProvider {
	client := sts.NewFromConfig(cfg, func(c *sts.Options) { override(&c.BaseEndpoint, o.EndpointURL) })
	return awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, o.RoleARN, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = sessionName(o.SessionName)
		if o.ExternalID != "" {
			a.ExternalID = &o.ExternalID
		}
	}))
}

// chain gives the identity of an account's role, which is assumed with the home identity.
func chain(home *identity, o Options, a Account, cfg awssdk.Config) *identity {
	cfg = cfg.Copy()
	cfg.Credentials = home
	o.RoleARN, o.ExternalID = a.RoleARN, a.ExternalID
	if a.SessionName != "" {
		o.SessionName = a.SessionName
	}
	return &identity{
		connections: home.connections,
		sso:         home.sso,
		provider:    assumeRole(o, cfg),
		renewed:     time.Now(),
		renew: func(ctx context.Context) (awssdk.CredentialsProvider, error) {
			home.replace(ctx, home.current())
			return assumeRole(o, cfg), nil
		},
	}
}

// notInSession are the characters that AssumeRole does not take in a RoleSessionName, which has up
// to 64.
var notInSession = lazyregexp.New(`[^A-Za-z0-9_+=,.@-]+`)

// sessionName gives the name under which CloudTrail shows this host.
func sessionName(set string) string {
	if set != "" {
		return set
	}
	host, _ := os.Hostname()
	name := "rendered-" + notInSession.ReplaceAllString(host, "-")
	return name[:min(len(name), 64)]
}

// Retrieve gives the credentials, from a cache while they are valid. The error is a
// *credentialsError unless ctx has ended.
func (id *identity) Retrieve(ctx context.Context) (awssdk.Credentials, error) {
	id.mu.Lock()
	if id.expired.Swap(false) {
		id.read(ctx)
	}
	provider, err := id.provider, id.err
	if time.Since(id.failed) > failFor {
		err = nil
	}
	id.mu.Unlock()
	if err != nil {
		return awssdk.Credentials{}, err
	}
	c, err := provider.Retrieve(ctx)
	if err == nil || ctx.Err() != nil {
		return c, err
	}
	err = &credentialsError{err: err, metadata: id.connections.metadataFailure(err), sso: id.sso}
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.provider == provider {
		id.failed, id.err = time.Now(), err
		id.refused.Store(true)
	}
	return awssdk.Credentials{}, err
}

// current names the credentials in use, for replace.
func (id *identity) current() int {
	id.mu.Lock()
	defer id.mu.Unlock()
	return id.generation
}

// replace reads the credentials anew where those of the generation were refused. It reports whether
// there are others now: not when they were read less than a minute ago.
func (id *identity) replace(ctx context.Context, generation int) bool {
	id.mu.Lock()
	defer id.mu.Unlock()
	if id.generation != generation {
		return true
	}
	if time.Since(id.renewed) < renewAfter {
		return false
	}
	return id.read(ctx)
}

// read reads the credentials anew, and tells whether that could be done. The lock is held.
func (id *identity) read(ctx context.Context) bool {
	id.renewed = time.Now()
	provider, err := id.renew(ctx)
	if err != nil {
		id.connections.say("AWS's configuration cannot be read anew; what was read before stays in force", "err", err.Error())
		return false
	}
	id.provider, id.err = provider, nil
	id.generation++
	return true
}

// judge notes what came of a request with the credentials.
func (id *identity) judge(err error) {
	if refused := unaccepted(err); refused || err == nil {
		id.refused.Store(refused)
	}
}
