package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"time"
)

// A Family is the operations that AWS gives one bucket of tokens in common, in each account and
// Region.
type Family string

const (
	ParameterReads Family = "parameter reads" // GetParameter, GetParameters, GetParametersByPath
	SecretReads    Family = "secret reads"    // GetSecretValue, DescribeSecret
	SecretBatches  Family = "secret batches"  // BatchGetSecretValue
	Tokens         Family = "tokens"          // STS: AssumeRole, GetCallerIdentity
)

var families = map[string]Family{
	"GetParameter": ParameterReads, "GetParameters": ParameterReads, "GetParametersByPath": ParameterReads,
	"GetSecretValue": SecretReads, "DescribeSecret": SecretReads,
	"BatchGetSecretValue": SecretBatches,
	"AssumeRole":          Tokens, "GetCallerIdentity": Tokens,
}

// quotas are calls a second, by the tables of service quotas for Systems Manager (without higher
// throughput), Secrets Manager and IAM and STS.
var quotas = map[Family]float64{ParameterReads: 40, SecretReads: 10000, SecretBatches: 100, Tokens: 600}

// A limit is the size of a family's buckets.
type limit struct {
	every time.Duration // a token is added
	burst int           // tokens fit into a full one
}

// Limit gives the family a full bucket of burst tokens in each account and Region, into which
// perSecond are added; 0 takes the limit away, and no family has one before. A call takes a token
// as it arrives, and is refused where there is none. A call by the ARN of another account takes the
// caller's.
func (s *Server) Limit(family Family, perSecond float64, burst int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		delete(p.buckets, family)
	}
	delete(s.limits, family)
	if perSecond > 0 {
		s.limits[family] = limit{time.Duration(float64(time.Second) / perSecond), burst}
	}
}

// LimitAsAWS limits every family to AWS's default quota, with a second's worth as the burst, which
// AWS does not publish.
func (s *Server) LimitAsAWS() {
	for family, perSecond := range quotas {
		s.Limit(family, perSecond, int(perSecond))
	}
}

// Throttled counts, since the last ResetCalls and by operation, the calls that were refused because
// a bucket was empty or a fault of the kind Throttle struck. Calls counts them as well.
func (s *Server) Throttled() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.throttled)
}

// admit takes a token for the call.
func (s *Server) admit(c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	family := families[c.operation]
	l, ok := s.limits[family]
	if !ok {
		return nil
	}
	// A bucket is the time at which it will be full, kept in whole tokens: no rounding makes a
	// client that keeps the rate exactly lose a token.
	full, now := c.place.buckets[family], time.Now()
	if full.Before(now) {
		full = now
	}
	if full = full.Add(l.every); full.Sub(now) > time.Duration(l.burst)*l.every {
		return c.service.throttled()
	}
	c.place.buckets[family] = full
	return nil
}

func (svc *service) throttled() *refusal {
	if svc.oldCodes() {
		return refuse("Throttling", "Rate exceeded")
	}
	return refuse(cmp.Or(svc.throttle, "ThrottlingException"), "Rate exceeded")
}

// refuse answers a call with an error.
func (s *Server) refuse(w http.ResponseWriter, c *call, r *refusal) {
	if r.code == c.service.throttled().code {
		s.mu.Lock()
		s.throttled[c.operation]++
		s.mu.Unlock()
	}
	c.service.refuse(w, r)
}
