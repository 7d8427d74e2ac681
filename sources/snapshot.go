package sources

import (
	"context"
	"maps"
	"slices"
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

// Torn gives those of refs that were read from one thing in different states: it changed between
// the lookups. A source says in Value.Read what a value was read from, as "arn:… AWSCURRENT", and
// in which state, as the version id. What is not answered is not torn.
func (s *Snapshot) Torn(refs []Ref) []Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	readers := make(map[string][]Ref) // by what they were read from
	states := make(map[string]string)
	torn := make(map[string]bool)
	for _, r := range refs {
		for from, state := range s.read(r) {
			if was, ok := states[from]; ok && was != state {
				torn[from] = true
			}
			states[from] = state
			readers[from] = append(readers[from], r)
		}
	}
	var list []Ref
	for _, r := range refs {
		for from := range s.read(r) {
			if torn[from] && !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
	}
	return list
}

// read gives what a ref was read from. The lock is held.
func (s *Snapshot) read(r Ref) map[string]string {
	a := s.answers[r]
	if a == nil {
		return nil
	}
	select {
	case <-a.done:
		return a.result.Value.Read
	default:
		return nil
	}
}

// Again gives a snapshot with the answers of this one, but for the refs that are torn, which it
// begins to fetch anew. Refs that can be read from one place only, and from the same, are asked for
// once: so two names of one thing agree even where it changes all the time.
func (s *Snapshot) Again(ctx context.Context, torn []Ref) *Snapshot {
	again := NewSnapshot(s.source, s.limit)
	s.mu.Lock()
	again.spent = s.spent
	if s.fetching > 0 {
		again.spent += time.Since(s.since)
	}
	maps.Copy(again.answers, s.answers)
	first := make(map[string]Ref)
	same := make(map[Ref]Ref)
	var fresh []Ref
	for _, r := range torn {
		from, alone := s.thing(r)
		if lead, ok := first[from]; alone && ok {
			same[r] = lead
			continue
		}
		first[from] = r
		delete(again.answers, r)
		fresh = append(fresh, r)
	}
	s.mu.Unlock()
	again.Want(ctx, fresh)
	again.mu.Lock()
	defer again.mu.Unlock()
	for r, lead := range same {
		again.answers[r] = again.answers[lead]
	}
	return again
}

// thing gives what the version of a ref's value is the state of; false where it is made of several.
// The lock is held.
func (s *Snapshot) thing(r Ref) (from string, ok bool) {
	for from, state := range s.read(r) {
		if state == s.answers[r].result.Value.Version && state != "" {
			return from, true
		}
	}
	return "", false
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

// Values gives those values of refs that have arrived.
func (s *Snapshot) Values(refs []Ref) []Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []Value
	for _, r := range refs {
		a := s.answers[r]
		if a == nil {
			continue
		}
		select {
		case <-a.done:
			if a.result.Err == nil {
				values = append(values, a.result.Value)
			}
		default:
		}
	}
	return values
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
