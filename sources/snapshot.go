package sources

import (
	"context"
	"sync"
)

// A Snapshot is the values one pass works with: every ref is asked for at most once, and everyone who asks again gets the same
// answer. It may be used from several goroutines.
type Snapshot struct {
	source Source

	mu      sync.Mutex
	answers map[Ref]*answer
}

// An answer is one ref's result, there once done is closed.
type answer struct {
	done   chan struct{}
	result Result
}

// NewSnapshot gives an empty snapshot over source.
func NewSnapshot(source Source) *Snapshot {
	return &Snapshot{source: source, answers: make(map[Ref]*answer)}
}

// Want begins to fetch those of refs that nobody has asked for yet, all in one call to the source. It does not wait.
func (s *Snapshot) Want(ctx context.Context, refs []Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []Ref
	for _, r := range refs {
		if s.answers[r] == nil {
			s.answers[r] = &answer{done: make(chan struct{})}
			fresh = append(fresh, r)
		}
	}
	if len(fresh) > 0 {
		go s.source.Fetch(ctx, fresh, s.deliver)
	}
}

// deliver makes the result known to all who wait for it. A source that answers a ref twice is not heard the second time.
func (s *Snapshot) deliver(r Ref, result Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answers[r]
	select {
	case <-a.done:
	default:
		a.result = result
		close(a.done)
	}
}

// Get gives the value of r. Where nobody has asked for it yet it is fetched, once for the whole pass. The error is a *Error,
// Unavailable when ctx ends first.
func (s *Snapshot) Get(ctx context.Context, r Ref) (Value, error) {
	s.Want(ctx, []Ref{r})
	s.mu.Lock()
	a := s.answers[r]
	s.mu.Unlock()
	select {
	case <-a.done:
	case <-ctx.Done():
		return Value{}, &Error{Ref: r, Reason: Unavailable, Detail: "stopped waiting"}
	}
	if a.result.Err != nil {
		return Value{}, a.result.Err
	}
	return a.result.Value, nil
}

// each calls f with every value that has arrived.
func (s *Snapshot) each(f func(Value)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.answers {
		select {
		case <-a.done:
			if a.result.Err == nil {
				f(a.result.Value)
			}
		default:
		}
	}
}
