// Package aws answers lookups from AWS Secrets Manager and SSM Parameter Store.
//
// It promises the fewest calls that AWS allows without wider permissions: one GetSecretValue a
// secret, one GetParameters for ten parameters, one GetParameter for a parameter with a version or
// label, one GetParametersByPath a page. An error belongs to the ref that caused it, and holds
// names and ARNs but never a value: bodies and outputs are not printed, and of AWS's texts only
// those parts are kept that are known.
//
// Policies gives the permissions that it needs, each for the names that are looked up.
package aws

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
)

// Options say which account and Region to ask, and how. The zero value is what the AWS CLI would do
// in the same environment.
type Options struct {
	// Region "" is the environment's, the profile's, or that of instance metadata.
	Region string
	// Profile is one of the shared config files. "" is the environment's, or "default".
	Profile string
	// RoleARN is assumed with the credentials found. "" uses these themselves.
	RoleARN     string
	ExternalID  string // for RoleARN; "" sends none
	SessionName string // for RoleARN; "" is "rendered-" and the host's name
	// EndpointURL is for every service. "" is AWS's, or AWS_ENDPOINT_URL and its forms for one
	// service.
	EndpointURL    string
	MaxConcurrency int                // requests in flight, each service of AWS; 0 is 8
	Timeout        time.Duration      // for one Fetch, retries included; 0 is 30 s
	Accounts       map[string]Account // by the name that stands before :: in a ref
	// BatchSecrets reads secrets by BatchGetSecretValue, which needs a permission of its own.
	BatchSecrets bool
	Version      string // ours, for AWS's logs; "" is none

	// Transport carries the requests; nil is one of our own, with AWS_CA_BUNDLE and the proxies of
	// the environment.
	Transport http.RoundTripper

	patience patience // zero is AWS's
}

// An Account is one more account or Region that refs may name.
type Account struct {
	ID          string // twelve digits; needed where there is no RoleARN to tell it
	RoleARN     string // assumed with the credentials of the home account; "" uses these themselves
	ExternalID  string
	SessionName string // "" is as in Options
	Region      string // "" is the home Region
}

const (
	defaultConcurrency = 8
	defaultTimeout     = 30 * time.Second
)

// A Source answers Secret, Param and Params refs. It keeps its connections and credentials from one
// Fetch to the next, and may be used from several goroutines.
type Source struct {
	options     Options
	config      awssdk.Config // with the home Region; its credentials are not used
	connections *connections
	settings    settings
	home        *clients
	log         atomic.Pointer[slog.Logger]
	count       atomic.Pointer[func(Call)]

	mu         sync.Mutex
	clients    map[location]*clients
	queues     map[string]*Queue     // by URL
	identities map[Account]*identity // by what is assumed; the zero Account is the daemon's own
}

// New reads the environment and the shared config files and gives the source. It asks nobody but,
// where no Region is set, instance metadata, for two seconds at most. The error says what to set;
// it never quotes a file.
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
	c := newConnections(o)
	cfg, files, err := load(ctx, o, c)
	if err != nil {
		return nil, err
	}
	if cfg.Region, err = region(ctx, cfg, c); err != nil {
		return nil, err
	}
	s := &Source{
		options: o, config: cfg, connections: c, settings: files,
		clients: make(map[location]*clients), queues: make(map[string]*Queue), identities: make(map[Account]*identity),
	}
	c.log = &s.log
	s.identities[Account{}] = newIdentity(o, cfg, c)
	s.home = s.clientsAt(location{region: cfg.Region})
	return s, nil
}

// LogTo names the log for what belongs to no ref. Without one nobody is told.
func (s *Source) LogTo(log *slog.Logger) { s.log.Store(log) }

// Current tells whether a source made anew would be the same: no file of AWS's configuration has
// changed, and nobody refuses the credentials.
func (s *Source) Current() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.identities {
		if id.refused.Load() {
			return false
		}
	}
	return s.settings.same()
}

// Renew has the credentials read anew, and roles assumed anew, before the next request.
func (s *Source) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.identities {
		id.expired.Store(true)
	}
}

// Close closes the connections. A Fetch that is under way, or begins later, still works; its
// connections end with it.
func (s *Source) Close() { s.connections.Close() }

// Offline gives a source that can only Check: it reads nothing and asks nobody.
func Offline(o Options) *Source {
	return &Source{options: o, config: awssdk.Config{Region: o.Region}}
}

// Identity asks STS who the credentials for one of Options.Accounts belong to: the account and the
// ARN. "" is the daemon's own. It also gives the Region that is asked there. The error is in our
// words, without what AWS sent.
func (s *Source) Identity(ctx context.Context, name string) (region, account, arn string, err error) {
	at := s.clientsAt(location{name, s.regionOf(s.options.Accounts[name])})
	account, arn, err = at.whoami(ctx)
	return at.region, account, arn, err
}
