package aws

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// connections are all connections of a source, those of the SDK's chain of credentials included.
//
// The SDK puts AWS_CA_BUNDLE into a client of its own type only, and each of its clients copies
// that one: nobody can close the connections of the copies or bound what they read. So the
// SDK's own client lends its settings and carries nothing. Every request goes through a client
// of this file instead.
type connections struct {
	transport http.RoundTripper // of the tests; nil: pools are made from settings
	// settings are as the SDK made them for this environment; adopt sets them once.
	settings *http.Transport
	perHost  int                          // connections of one client to one host
	log      *atomic.Pointer[slog.Logger] // nil: nobody is told
	// large has one slot. Who holds it may have a large answer in memory.
	large slots

	chain    *client // of the chain of credentials
	metadata *client // of instance metadata

	mu             sync.Mutex
	closed         bool
	pools          []http.RoundTripper
	metadataFailed error // the latest question to it; nil where it was answered
}

func newConnections(o Options) *connections {
	return &connections{transport: o.Transport, perHost: o.MaxConcurrency, large: make(slots, 1)}
}

const (
	// maxHeaders bounds the headers of an answer, in bytes. AWS's have about one KiB.
	maxHeaders = 64 << 10

	// Instance metadata is a hop away. Where it is not, the chain of credentials must end soon:
	// these are the SDK's times for it.
	metadataDialWithin   = 250 * time.Millisecond
	metadataAnswerWithin = 500 * time.Millisecond
)

// forSDK gives the client that the SDK insists on.
func (c *connections) forSDK() awssdk.HTTPClient {
	if c.transport != nil {
		return &http.Client{Transport: c.transport}
	}
	return awshttp.NewBuildableClient()
}

// adopt takes over the settings of the client that the SDK has made of forSDK's, AWS_CA_BUNDLE
// among them. They stay for the life of the connections.
func (c *connections) adopt(made any) {
	if c.chain != nil {
		return
	}
	if b, ok := made.(*awshttp.BuildableClient); ok {
		c.settings = b.GetTransport()
	}
	c.chain = c.client(answerWithin)
	c.metadata = c.client(answerWithin)
	c.metadata.metadata = true
	if t, ok := c.metadata.http.Transport.(*http.Transport); ok {
		t.Proxy = nil
		t.DialContext = (&net.Dialer{Timeout: metadataDialWithin}).DialContext
		t.ResponseHeaderTimeout = metadataAnswerWithin
	}
}

// client gives a client with a pool of its own. One attempt may take so long, its answer included.
func (c *connections) client(within time.Duration) *client {
	pool := c.transport
	if pool == nil {
		t := c.settings.Clone()
		t.Proxy = proxy
		t.DisableCompression = true
		t.MaxResponseHeaderBytes = maxHeaders
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost = c.perHost, c.perHost
		t.IdleConnTimeout = idleFor
		pool = t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pools = append(c.pools, pool)
	return &client{connections: c, http: &http.Client{
		Transport: pool,
		Timeout:   within,
		// A redirect would carry a signed request, or a token, to whoever the answer names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connections. Those that are in use close when their answers are there; what is
// asked afterwards is answered over a connection that closes with the answer.
func (c *connections) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.closeIdle()
}

func (c *connections) closeIdle() {
	c.mu.Lock()
	pools := slices.Clone(c.pools)
	c.mu.Unlock()
	for _, p := range pools {
		(&http.Client{Transport: p}).CloseIdleConnections()
	}
}

func (c *connections) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// carry has the requests of an SDK client that was made with the SDK's own HTTP client go through
// ours. It takes the place of the handler that would send them.
func (c *connections) carry(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("connections",
		func(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (out middleware.DeserializeOutput, m middleware.Metadata, err error) {
			if !isMetadata(ctx, in.Request) {
				out.RawResponse, m, err = smithyhttp.NewClientHandlerWithOptions(c.chain).Handle(ctx, in.Request)
				return out, m, err
			}
			out.RawResponse, m, err = smithyhttp.NewClientHandlerWithOptions(c.metadata).Handle(ctx, in.Request)
			c.noteMetadata(out.RawResponse, err)
			return out, m, err
		}), middleware.After)
}

// isMetadata tells a request to instance metadata, whose clients have no name in the context, by
// its path (Instance metadata service, "Access instance metadata").
func isMetadata(ctx context.Context, request any) bool {
	r, ok := request.(*smithyhttp.Request)
	return ok && awsmiddleware.GetServiceID(ctx) == "" && strings.HasPrefix(r.URL.Path, "/latest/")
}

// noteMetadata keeps in mind what came of the latest question to instance metadata: where it is
// asked for a token first, the SDK's error does not unwrap.
func (c *connections) noteMetadata(raw any, err error) {
	if resp, ok := raw.(*smithyhttp.Response); ok && err == nil && resp.StatusCode >= 300 {
		err = &smithyhttp.ResponseError{Response: resp}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.metadataFailed = err
}

// metadataFailure says what instance metadata does in the place of answering, as a sentence without
// its subject; "" where it has no answer to give, or is switched off. err is what the SDK makes of
// it.
func (c *connections) metadataFailure(err error) string {
	if why := metadataFailure(err); why != "" {
		return why
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return metadataFailure(c.metadataFailed)
}

// unproxied are the addresses of instance metadata, and of the credentials of ECS and EKS. They are
// the machine's own: a proxy would answer with the role of its own machine, or learn ours.
var unproxied = []string{"169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"}

// proxy gives the proxy of the environment. Loopback has none there (net/http,
// ProxyFromEnvironment).
func proxy(r *http.Request) (*url.URL, error) {
	if slices.Contains(unproxied, r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
