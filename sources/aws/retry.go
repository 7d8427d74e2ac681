package aws

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// patience is how long to wait before the next attempt.
type patience struct {
	base, throttled, limit time.Duration
}

func (p patience) orDefault() patience {
	if p == (patience{}) {
		return patience{base: 200 * time.Millisecond, throttled: 300 * time.Millisecond, limit: 5 * time.Second}
	}
	return p
}

// before gives the wait after so many attempts: doubled each time, less up to a half by chance, so
// that hosts that were throttled together do not come back together.
func (p patience) before(attempts int, throttled bool) time.Duration {
	wait := p.base
	if throttled {
		wait = p.throttled
	}
	wait = min(wait<<min(max(attempts, 1)-1, 8), p.limit)
	return wait - rand.N(wait/2+1)
}

// attempts is how often a call is made that fails in other ways than by throttling.
const attempts = 5

// A retryer is the SDK's standard mode, except that a throttled call is repeated, ever more slowly,
// until the Fetch's time is over: AWS answers 40 calls a second to Parameter Store, and a large
// pass must slow down rather than fail. A call that waits holds its slot, so the pass as a whole
// slows down. Time is the bound, so there is no quota of retries. Every attempt goes when the pacer
// lets it.
type retryer struct {
	*retry.Standard
	patience
	pacer *pacer
}

// GetAttemptToken waits for the pacer.
func (r *retryer) GetAttemptToken(ctx context.Context) (func(error) error, error) {
	l, err := r.pacer.take(ctx)
	if err != nil {
		return nil, err
	}
	return func(err error) error {
		r.pacer.done(l, throttled(err))
		return nil
	}, nil
}

// MaxAttempts gives 0, no limit: RetryDelay ends the attempts.
func (*retryer) MaxAttempts() int { return 0 }

// IsErrorRetryable adds HTTP 429 without a code of AWS's.
func (r *retryer) IsErrorRetryable(err error) bool {
	return throttled(err) || r.Standard.IsErrorRetryable(err)
}

// GetRetryToken notes in ctx's pass that AWS is throttling.
func (*retryer) GetRetryToken(ctx context.Context, err error) (func(error) error, error) {
	if noted, ok := ctx.Value(throttleKey{}).(*atomic.Bool); ok && throttled(err) {
		noted.Store(true)
	}
	return func(error) error { return nil }, nil
}

// RetryDelay gives the time to wait after the nth attempt, or err where there have been attempts
// enough. With AWS_NEW_RETRIES_2026 the SDK counts from 0.
func (r *retryer) RetryDelay(n int, err error) (time.Duration, error) {
	slow := throttled(err)
	if n >= attempts && !slow {
		return 0, err
	}
	return r.before(n, slow), nil
}

// throttleKey is the context's key of an *atomic.Bool that says whether the service has throttled.
type throttleKey struct{}

func throttled(err error) bool {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok {
			return true
		}
	}
	return status(err) == http.StatusTooManyRequests
}

// status gives the HTTP status of the answer that err stands for, 0 where there was none.
func status(err error) int {
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && e.Response != nil && e.Response.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}
