package awsfake

import "time"

// Lag makes every change from now on visible to readers only after d, as AWS's reads are eventually
// consistent: until then they see the secret or parameter as it was, and one that is new not at
// all. AWS may be sooner; the fake never is. What is deleted without recovery is gone at once.
func (s *Server) Lag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = d
}

// A past is how something was before a change that is not to be seen yet.
type past[T any] struct {
	was   *T // nil: it was not there
	until time.Time
}

// A history is what readers still see of a secret or parameter, from the oldest on.
type history[T any] []past[T]

// seen gives what a reader sees of that which is now as given, nil where it sees nothing.
func (h history[T]) seen(now *T) *T {
	for _, p := range h {
		if time.Now().Before(p.until) {
			return p.was
		}
	}
	return now
}

// remember keeps what was before a change for as long as it is to be seen.
func (h *history[T]) remember(was *T, lag time.Duration) {
	for len(*h) > 0 && !time.Now().Before((*h)[0].until) {
		*h = (*h)[1:]
	}
	if lag > 0 {
		*h = append(*h, past[T]{was, time.Now().Add(lag)})
	}
}
