package awsfake

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// A Kind says how a fault shows itself.
type Kind string

const (
	Throttle    Kind = "throttle"     // ThrottlingException
	ServerError Kind = "server error" // HTTP 500 with the service's own code
	// Unavailable is HTTP 503 with an HTML body, as a load balancer answers.
	Unavailable Kind = "unavailable"
	// Hang gives no answer until the client goes. Cleared, the request goes on as if nothing had
	// been.
	Hang Kind = "hang"
	Drop Kind = "drop" // the connection ends without an answer
	// Deny is AccessDeniedException: no identity-based policy allows it.
	Deny Kind = "deny"
	// DenyByResourcePolicy is AccessDeniedException: no resource-based policy allows it.
	DenyByResourcePolicy Kind = "deny: resource policy"
	DenyExplicitly       Kind = "deny: explicit" // AccessDeniedException: a policy denies it
	// DenyByEndpoint is AccessDeniedException: the policy of the VPC's endpoint does not allow it.
	DenyByEndpoint Kind = "deny: endpoint policy"
	// DenyKey is AccessDeniedException of the KMS key behind the value.
	DenyKey Kind = "deny: KMS key"
	// Undecryptable: the KMS key is disabled. It is DecryptionFailure or InvalidKeyId.
	Undecryptable Kind = "undecryptable"
	ExpiredToken  Kind = "expired token" // ExpiredTokenException
	InvalidToken  Kind = "invalid token" // UnrecognizedClientException
	BadSignature  Kind = "bad signature" // the secret key is wrong
	ClockSkew     Kind = "clock skew"    // the client's clock is ten minutes late
	// ShortPage is a page of GetParametersByPath with one parameter and a NextToken.
	ShortPage Kind = "short page"
	// EmptyPage is a page of GetParametersByPath with no parameter, but a NextToken.
	EmptyPage Kind = "empty page"
	Lost      Kind = "lost"    // the request is obeyed, and the connection ends without an answer
	Doubled   Kind = "doubled" // the request is obeyed twice, and the first answer comes
	// Damaged is an answer whose checksum is another, of a service that has one.
	Damaged Kind = "damaged"
	// Rewritten is an answer that a proxy has given its own date, of 1995, and no checksum.
	Rewritten Kind = "rewritten"
)

// A Fault is trouble that requests run into.
//
// A batch asks for GetSecretValue's permission for every secret. A fault that names a secret
// therefore spoils only its entry in BatchGetSecretValue, which AWS reports in Errors on HTTP 200,
// if its kind is ServerError, Undecryptable or one of the Deny family, and its Operation is "" or
// GetSecretValue; with Operation BatchGetSecretValue it spoils the whole call, and so does
// DenyByEndpoint always. In GetParameters a named fault always spoils the whole call.
type Fault struct {
	Operation string // as "GetParameters"; "" is every operation
	Account   string // the number of the account whose requests it hits; "" is every one
	Region    string // that it hits; "" is every one
	// Name is a secret's or parameter's name, or a path, that must be asked for, without selector;
	// "" is every request.
	Name  string
	Kind  Kind
	After int // as many requests are let through before it strikes
	Times int // as many requests are struck; 0 is all until it is cleared
}

// A fault is one that was injected.
type fault struct {
	Fault
	struck  int
	cleared chan struct{}
}

// Inject lets f strike from now on, after the faults injected before it. The func that it returns
// clears this one.
func (s *Server) Inject(f Fault) (clearFault func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := &fault{Fault: f, cleared: make(chan struct{})}
	s.faults = append(s.faults, in)
	return func() { s.clearFaults(func(f *fault) bool { return f == in }) }
}

// Clear ends all faults. Requests that hang go on.
func (s *Server) Clear() { s.clearFaults(func(*fault) bool { return true }) }

func (s *Server) clearFaults(which func(*fault) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *fault) bool {
		if !which(f) {
			return false
		}
		close(f.cleared)
		return true
	})
}

// strike gives the fault that hits the call as a whole, nil where none does.
func (s *Server) strike(c *call) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.take(func(f *fault) bool {
		if f.Operation != "" && f.Operation != c.operation || !f.at(c.place) {
			return false
		}
		if c.operation == "BatchGetSecretValue" && f.Name != "" && f.Operation == "" && f.entry() {
			return false
		}
		return f.Name == "" || slices.ContainsFunc(c.input.names(), func(name string) bool { return c.place.same(c.service, f.Name, name) })
	})
}

// strikeEntry gives the fault that hits one secret of a batch, nil where none does. The server is
// locked.
func (s *Server) strikeEntry(c *call, id string) *fault {
	return s.take(func(f *fault) bool {
		return f.entry() && f.at(c.place) && (f.Operation == "" || f.Operation == "GetSecretValue") && f.Name != "" && c.place.same(secretsManager, f.Name, id)
	})
}

// take gives the first fault of those wanted whose time has come. The server is locked.
func (s *Server) take(wanted func(*fault) bool) *fault {
	for _, f := range s.faults {
		if f.Times > 0 && f.struck >= f.After+f.Times || !wanted(f) {
			continue
		}
		if f.struck++; f.struck > f.After {
			return f
		}
	}
	return nil
}

// at tells whether the fault is meant for requests at the place.
func (f *fault) at(p *Place) bool {
	return (f.Account == "" || f.Account == p.account) && (f.Region == "" || f.Region == p.region)
}

// entry tells whether the fault can hit one entry of a batch rather than the whole call.
func (f *fault) entry() bool {
	switch f.Kind {
	case Deny, DenyByResourcePolicy, DenyExplicitly, DenyKey, Undecryptable, ServerError:
		return true
	}
	return false
}

// same tells whether asked, a name or an ARN with or without a selector, is for what is called
// name.
func (at *Place) same(svc *service, name, asked string) bool {
	switch svc {
	case messageQueues, tables:
		return path.Base(asked) == name
	case secretsManager:
		sec, _ := at.find(asked)
		return asked == name || sec != nil && sec.name == name
	}
	if p, ok := at.parse(asked); ok {
		asked = p.key
	}
	return strings.Trim(asked, "/") == strings.Trim(name, "/")
}

// suffer does what the fault does to a call. Without an error the call goes on.
func (s *Server) suffer(ctx context.Context, w http.ResponseWriter, c *call, f *fault) error {
	switch f.Kind {
	case Hang:
		select {
		case <-f.cleared:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	case Drop:
		panic(http.ErrAbortHandler)
	case Unavailable:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html><head><title>503 Service Temporarily Unavailable</title></head><body>\n<center><h1>503 Service Temporarily Unavailable</h1></center>\n</body></html>\n"))
		return errAnswered
	case Lost, Doubled:
		return nil
	case Damaged:
		w.Header().Set(checksumHeader, "1")
		return nil
	case Rewritten:
		w.Header()[checksumHeader] = nil
		w.Header().Set("Date", "Wed, 01 Nov 1995 00:00:00 GMT")
		return nil
	case ShortPage, EmptyPage:
		if in, ok := c.input.(*getParametersByPath); ok {
			in.page = f.Kind
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble(c, f, c.operation, c.input.names())
}

// trouble gives the refusal that f stands for, when operation is asked for names. The server is
// locked.
func (s *Server) trouble(c *call, f *fault, operation string, names []string) *refusal {
	svc := c.service
	switch f.Kind {
	case Throttle:
		return svc.throttled()
	case ServerError:
		return &refusal{code: svc.internal, message: "An error occurred on the server side.", status: http.StatusInternalServerError}
	case ExpiredToken:
		return svc.expired()
	case InvalidToken:
		return svc.unrecognized()
	case BadSignature:
		return svc.mismatch("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	case ClockSkew:
		const form = "20060102T150405Z"
		is := now(time.Second)
		return svc.mismatch("Signature expired: " + is.Add(-10*time.Minute).Format(form) + " is now earlier than " +
			is.Add(-5*time.Minute).Format(form) + " (" + is.Format(form) + " - 5 min.)")
	case DenyKey:
		if svc == secretsManager {
			return refuse("AccessDeniedException", "Access to KMS is not allowed")
		}
		return refuse("AccessDeniedException", "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	case Undecryptable:
		if svc == secretsManager {
			return refuse("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
		}
		return refuse("InvalidKeyId", "arn:aws:kms:%s:%s:key/%s is disabled.", c.place.region, c.place.account, uuid("key", c.place.account))
	}
	return c.forbidden(operation, c.place.resource(svc, f.Name, names), f.Kind)
}

// forbidden is the refusal of an operation that a policy does not let the caller do with a
// resource; "" is an operation that has none.
func (c *call) forbidden(operation, resource string, kind Kind) *refusal {
	if c.service == messageQueues {
		operation = strings.ToLower(operation) // as SQS writes it
	}
	action := c.service.name + ":" + operation
	if resource != "" {
		resource = " on resource: " + resource
	}
	return c.service.denied("AccessDeniedException", "AccessDenied", "User: "+c.caller.arn+" is not authorized to perform: "+action+
		resource+kind.because(action))
}

// unexplained is the denial of a role's trust policy: AWS does not say more.
const unexplained Kind = ""

// because gives the end of AWS's text, which says whose policy is to be changed.
func (k Kind) because(action string) string {
	switch k {
	case unexplained:
		return ""
	case DenyByResourcePolicy:
		return " because no resource-based policy allows the " + action + " action"
	case DenyByEndpoint:
		return " because no VPC endpoint policy allows the " + action + " action"
	case DenyExplicitly:
		return " with an explicit deny in an identity-based policy"
	}
	return " because no identity-based policy allows the " + action + " action"
}

// resource gives the ARN of what is called name among what was asked for; some operations have
// none.
func (at *Place) resource(svc *service, name string, asked []string) string {
	for _, a := range asked {
		if name != "" && !at.same(svc, name, a) {
			continue
		}
		switch svc {
		case secretsManager:
			if sec, _ := at.find(a); sec != nil {
				a = sec.arn
			}
		case parameterStore:
			if p, ok := at.parse(a); ok && p.account == at.account {
				a = at.parameterARN(p.key)
			}
		case tables:
			a = at.tableARN(path.Base(a))
		case messageQueues:
			if q := at.lookUp(a); q != nil {
				a = q.arn()
			}
		}
		return a
	}
	return ""
}
