package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// How long a daemon is waited for. One that reads its config may take a while to answer. One that
// is there answers in between, on another connection, whether it is: what it says does not matter,
// so that each version does.
const (
	// silence is after how long a daemon that does not answer is asked whether it is there, and how
	// long it may take for that.
	silence = 5 * time.Second
	// longest is how long one that is there may take to say what it knows.
	longest = time.Minute
)

// Errors of a daemon that is there, and does not answer.
var (
	ErrSilent = errors.New("it is there and says nothing")
	ErrBusy   = errors.New("it is alive, and busy")
)

// patiently asks for as long as the daemon shows that it is there; limit bounds that, 0: nothing
// does.
func (c Client) patiently(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	begun := time.Now()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(silence):
			}
			if !c.IsThere(ctx, silence) {
				end(fmt.Errorf("the daemon at %s does not answer within %v: %w", c.Path, 2*silence, ErrSilent))
			} else if limit > 0 && time.Since(begun) >= limit {
				end(fmt.Errorf("the daemon at %s does not answer within %v: %w", c.Path, limit, ErrBusy))
			}
		}
	}()
	err := ask(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// IsThere tells whether the daemon answers anything within a time.
func (c Client) IsThere(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+alivePath, nil)
	if err != nil {
		return false
	}
	client := c.http()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return true
}
