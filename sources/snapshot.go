package sources

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Snapshot is the values one pass works with: every ref is asked for at most once, and everyone
// who asks again gets the same answer. It may be used from several goroutines.
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
	json   checked
}

// A checked text is that of a value, without white space around it, and what is wrong with it.
type checked struct {
	once sync.Once
	text []byte
	err  error
}

// NewSnapshot gives an empty snapshot over source. Its lookups, those that come late included, may
// take limit in all; 0 is no limit.
func NewSnapshot(source Source, limit time.Duration) *Snapshot {
	return &Snapshot{source: source, limit: limit, answers: make(map[Ref]*answer)}
}

// Want begins to fetch those of refs that nobody has asked for yet, all in one call to the source.
// It does not wait.
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

// begin gives how much of the limit is left. Only the time in which somebody fetches counts: a pass
// does other things as well.
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

// deliver makes the result known to all who wait for it. Only a source's first answer to a ref
// counts.
func (s *Snapshot) deliver(r Ref, result Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, answered := s.result(r); answered {
		return
	}
	if t, _ := r.Kind.lookUp(); t.Secrecy == AlwaysSecret {
		result.Value.Secret = true
	}
	s.answers[r].result = result
	close(s.answers[r].done)
}

// result gives what r was answered with; false where it is not answered. The lock is held.
func (s *Snapshot) result(r Ref) (Result, bool) {
	if a := s.answers[r]; a != nil {
		select {
		case <-a.done:
			return a.result, true
		default:
		}
	}
	return Result{}, false
}

// Get gives the value of r. Where nobody has asked for it yet it is fetched, once for the whole
// pass. The error is a *Error, Unavailable when ctx ends first.
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

// Answered tells whether all refs are answered, of those that were asked for.
func (s *Snapshot) Answered(refs []Ref) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(refs, func(r Ref) bool {
		_, answered := s.result(r)
		return !answered && s.answers[r] != nil
	})
}

// Await waits until those of refs that were asked for are answered, or until ctx ends.
func (s *Snapshot) Await(ctx context.Context, refs []Ref) {
	for _, r := range refs {
		s.mu.Lock()
		a := s.answers[r]
		s.mu.Unlock()
		if a == nil {
			continue
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return
		}
	}
}

// JSON gives the text of r, for which Get gave a value, and what check says of it: nil where it is
// JSON. White space around it is left out. The text is checked once for the whole pass, by the
// check of whoever asks first. Nobody may change it.
func (s *Snapshot) JSON(r Ref, check func([]byte) error) ([]byte, error) {
	s.mu.Lock()
	a := s.answers[r]
	s.mu.Unlock()
	a.json.once.Do(func() {
		a.json.text = []byte(strings.TrimSpace(a.result.Value.Text))
		a.json.err = check(a.json.text)
	})
	return a.json.text, a.json.err
}

// Progress gives how many of the refs that were asked for are answered.
func (s *Snapshot) Progress() (answered, asked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.answers {
		if _, ok := s.result(r); ok {
			answered++
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
	states := make(map[string]string) // by what was read; "" where there are several
	for _, r := range refs {
		for from, state := range s.read(r) {
			if was, ok := states[from]; ok && was != state {
				state = ""
			}
			states[from] = state
		}
	}
	var torn []Ref
	for _, r := range refs {
		several := func(from string) bool { return states[from] == "" }
		if slices.ContainsFunc(slices.Collect(maps.Keys(s.read(r))), several) {
			torn = append(torn, r)
		}
	}
	return torn
}

// read gives what a ref was read from. The lock is held.
func (s *Snapshot) read(r Ref) map[string]string {
	result, _ := s.result(r)
	return result.Value.Read
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
	result, ok := s.result(r)
	return result.Value.Version, ok && result.Err == nil
}

// Values gives those values of refs that have arrived.
func (s *Snapshot) Values(refs []Ref) []Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	var values []Value
	for _, r := range refs {
		if result, ok := s.result(r); ok && result.Err == nil {
			values = append(values, result.Value)
		}
	}
	return values
}
