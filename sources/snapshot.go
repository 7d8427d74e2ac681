package sources

import (
	"context"
	"sync"
	"time"
)

// A Snapshot is the values one pass works with: every ref is asked for at most once, and everyone who asks again gets the same
// answer. It may be used from several goroutines.
type Snapshot struct {
	source Source
	limit  time.Duration

	mu       sync.Mutex
	answers  map[Ref]*answer
	fetching int           // fetches under way
	since    time.Time     // when the first of them began
	spent    time.Duration // by those before
}

// An answer is one ref's result, there once done is closed.
type answer struct {
	done   chan struct{}
	result Result
}

// NewSnapshot gives an empty snapshot over source. Its lookups, those that come late included, may take limit in all; 0 is no
// limit.
func NewSnapshot(source Source, limit time.Duration) *Snapshot {
	return &Snapshot{source: source, limit: limit, answers: make(map[Ref]*answer)}
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
		go s.fetch(ctx, s.begin(), fresh)
	}
}

func (s *Snapshot) fetch(ctx context.Context, left time.Duration, refs []Ref) {
	defer s.end()
	if s.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, left)
		defer cancel()
	}
	Guard(refs, s.deliver, func() { s.source.Fetch(ctx, refs, s.deliver) })
}

// begin gives how much of the limit is left. Only the time in which somebody fetches counts: a pass does other things as well.
func (s *Snapshot) begin() time.Duration {
	now := time.Now()
	if s.fetching++; s.fetching == 1 {
		s.since = now
	}
	return s.limit - s.spent - now.Sub(s.since)
}

func (s *Snapshot) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetching--; s.fetching == 0 {
		s.spent += time.Since(s.since)
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

// Progress gives how many of the refs that were asked for are answered.
func (s *Snapshot) Progress() (answered, asked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.answers {
		select {
		case <-a.done:
			answered++
		default:
		}
	}
	return answered, len(s.answers)
}

// Version gives the version of a value that has arrived.
func (s *Snapshot) Version(r Ref) (version string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.answers[r]
	if a == nil {
		return "", false
	}
	select {
	case <-a.done:
		return a.result.Value.Version, a.result.Err == nil
	default:
		return "", false
	}
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
