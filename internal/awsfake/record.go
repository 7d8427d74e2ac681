package awsfake

import (
	"context"
	"maps"
	"slices"
)

// A Request is what was asked once. It never holds a value.
type Request struct {
	Operation string   // as "GetParameters"
	Names     []string // the secrets, parameters or path asked for, as asked
	// Caller is the ARN of who asked; "" where the request was refused before that was known.
	Caller    string
	Account   string // the caller's number; "" likewise
	Region    string // that was asked; "" likewise
	UserAgent string
}

// Calls counts the requests since the last ResetCalls by operation; those that were refused, struck
// by a fault or given up by the client count as well.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// Requests lists the requests since the last ResetCalls in the order of their arrival.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// MaxInFlight tells how many requests were on their way at the same moment at most since the last
// ResetCalls. ReceiveMessage is not counted: it is there to be waited for.
func (s *Server) MaxInFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busiest
}

// ResetCalls forgets what was asked.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	clear(s.throttled)
	s.requests, s.busiest = nil, s.inFlight
}

// Await waits until operation has been asked for n times since the last ResetCalls; "" is every
// operation. It returns ctx's error where that does not happen in time.
func (s *Server) Await(ctx context.Context, operation string, n int) error {
	for {
		s.mu.Lock()
		seen, arrived := s.calls[operation], s.arrived
		if operation == "" {
			seen = len(s.requests)
		}
		s.mu.Unlock()
		if seen >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enter records the arrival of a call; the func that it returns, its end.
func (s *Server) enter(c *call) (leave func()) {
	r := Request{Operation: c.operation, Caller: c.caller.arn, UserAgent: c.agent}
	if c.place != nil {
		r.Account, r.Region = c.place.account, c.place.region
	}
	if c.input != nil {
		r.Names = c.input.names()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c.operation]++
	s.requests = append(s.requests, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
	if _, polls := c.input.(*receiveMessage); polls {
		return func() {}
	}
	s.inFlight++
	s.busiest = max(s.busiest, s.inFlight)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inFlight--
	}
}
