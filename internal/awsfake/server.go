// Package awsfake is an HTTP server that answers as AWS does, for tests: Secrets Manager and
// Parameter Store over AWS JSON 1.1, SQS and DynamoDB over AWS JSON 1.0, STS over its query
// protocol, and instance metadata by IMDSv2. It holds any number of accounts and Regions, and can
// publish what changes into queues, as EventBridge, SNS and CloudTrail do.
//
// It promises the limits, error codes, texts and HTTP statuses of AWS as far as they are known,
// counts what it was asked, and fails on demand. It does not check signatures, only that a request
// is signed for the right service and Region. It shares no code with an SDK: what a client and the
// fake agree on is the protocol. It never keeps or shows a value that came with a request but in
// the answers AWS would give.
//
// Most tests want Start. Inside a testing/synctest bubble, where sockets are out of place, hand the
// client Transport.
package awsfake

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Server answers as AWS does. It is an http.Handler, and safe for concurrent use.
type Server struct {
	URL string // the endpoint, set by Start; "" for a server made by New

	// The Place is where the callers are that have not assumed a role, and where its methods put
	// what they make.
	*Place

	metadata    *Metadata
	connections atomic.Int64

	mu       sync.Mutex                       // guards what follows, and every place
	places   map[[2]string]*Place             // by account and Region
	regions  map[string]bool                  // that have an endpoint
	public   map[string]map[string]*parameter // AWS's own parameters, by Region and key
	sessions map[string]session               // by access key: what AssumeRole gave out
	roles    map[string]trust                 // by ARN; nil: everybody may assume every role
	lifetime time.Duration                    // of new sessions; 0 is what is asked for
	serial   int                              // makes each generated id a new one

	lag       time.Duration // behind which readers are
	pageBytes int           // of a query's page; 0: AWS's
	latency   time.Duration
	limits    map[Family]limit
	faults    []*fault

	calls     map[string]int
	throttled map[string]int
	requests  []Request
	arrived   chan struct{} // closed and replaced at each request
	inFlight  int
	busiest   int
}

// An Option changes what New makes.
type Option func(*Server)

// Region sets the server's own Region, eu-west-1 by default.
func Region(name string) Option { return func(s *Server) { s.region = name } }

// Account sets the twelve digits of the server's own account, 111111111111 by default.
func Account(id string) Option { return func(s *Server) { s.account = id } }

// New gives a server that holds nothing yet and answers after a millisecond: an answer without any
// delay can overtake the end of the request, which net/http's client reports as a broken connection
// about once in a hundred calls.
func New(opts ...Option) *Server {
	s := &Server{
		places:    make(map[[2]string]*Place),
		regions:   make(map[string]bool),
		public:    make(map[string]map[string]*parameter),
		sessions:  make(map[string]session),
		latency:   time.Millisecond,
		limits:    make(map[Family]limit),
		calls:     make(map[string]int),
		throttled: make(map[string]int),
		arrived:   make(chan struct{}),
	}
	s.Place = newPlace(s, "111111111111", "eu-west-1")
	for _, o := range opts {
		o(s)
	}
	s.places[[2]string{s.account, s.region}], s.regions[s.region] = s.Place, true
	s.metadata = newMetadata(s)
	return s
}

// SetLatency makes every answer wait for d; 0 answers at once.
func (s *Server) SetLatency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latency = d
}

// A call is one request on its way through the server.
type call struct {
	service   *service
	operation string
	input     operation
	caller    identity
	place     *Place // the caller's account in the Region that is asked
	agent     string
}

// An operation is the decoded input of one, and knows how to answer it.
type operation interface {
	names() []string // the secrets, parameters or path asked for, as asked
	// run works at the call's place, and is called with the server locked. The error is a *refusal
	// or a *later.
	run(*Place, *call) (any, error)
}

// ServeHTTP answers one request. It reads the whole body first.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.metadata.serves(r) {
		s.metadata.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	c, refused := s.receive(r, body)
	if c == nil {
		refused.unroutable(w)
		return
	}
	defer s.enter(c)()
	var result any
	if refused == nil {
		result, err = s.perform(r.Context(), w, c)
	} else {
		err = refused
	}
	switch {
	case r.Context().Err() != nil || err == errAnswered:
	case err != nil:
		s.refuse(w, c, err.(*refusal))
	default:
		c.service.answer(w, c.operation, result)
	}
}

// receive finds out what is asked and by whom. Without a call there is no service to answer in the
// name of.
func (s *Server) receive(r *http.Request, body []byte) (*call, *refusal) {
	svc, name := route(r, body)
	if svc == nil {
		return nil, &refusal{code: "UnknownOperationException", status: http.StatusNotFound}
	}
	c := &call{service: svc, operation: name, agent: r.UserAgent()}
	var refused *refusal
	if refused = s.authenticate(r, c); refused != nil {
		return c, refused
	}
	fresh := svc.operations[name]
	if fresh == nil {
		return c, svc.unknown(name)
	}
	in := fresh()
	if refused = svc.decode(body, in); refused != nil {
		return c, refused
	}
	c.input = in
	return c, nil
}

// route tells the service and the operation by the header of AWS JSON or by the form of the query
// protocol.
func route(r *http.Request, body []byte) (*service, string) {
	target, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	for _, svc := range []*service{secretsManager, parameterStore, messageQueues, tables} {
		if ok && svc.target == target {
			return svc, name
		}
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return tokenService, formAction(body)
	}
	return nil, ""
}

// perform takes a token, waits as long as AWS would, meets the faults and runs the operation.
func (s *Server) perform(ctx context.Context, w http.ResponseWriter, c *call) (any, error) {
	s.mu.Lock()
	latency := s.latency
	s.mu.Unlock()
	refused := s.admit(c)
	if err := pause(ctx, latency); err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	f := s.strike(c)
	if f != nil {
		if err := s.suffer(ctx, w, c, f); err != nil {
			return nil, err
		}
	}
	result, err := s.answer(ctx, c)
	switch {
	case f == nil || ctx.Err() != nil:
	case f.Kind == Doubled:
		_, _ = s.run(c)
	case f.Kind == Lost:
		panic(http.ErrAbortHandler)
	}
	return result, err
}

// answer runs the operation, as often as it has to wait.
func (s *Server) answer(ctx context.Context, c *call) (any, error) {
	for {
		result, err := s.run(c)
		wait, ok := err.(*later)
		if !ok {
			return result, err
		}
		if err := wait.wait(ctx); err != nil {
			return nil, err
		}
	}
}

func (s *Server) run(c *call) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := c.input.run(c.place, c)
	if err == nil {
		c.place.trail(c, c.input, result)
	}
	return result, err
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
