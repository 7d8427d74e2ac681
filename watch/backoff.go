package watch

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
	// throttledSpread is what chance may add where AWS throttled the pass to its end: then others ask as well, and who comes back at
	// once keeps all of them waiting.
	throttledSpread = time.Minute
)

// backoff gives the pause after so many failures in a row: about 1 s, 2 s, 4 s … and never more than five minutes. A fifth of it
// is left to chance, so that hosts which failed together do not come back together.
func backoff(failures int, chance *rand.Rand) time.Duration {
	d := backoffMost
	if n := max(failures-1, 0); n < 9 { // 2^9 s is above the most
		d = min(backoffFirst<<n, backoffMost)
	}
	return d - time.Duration(chance.Float64()*float64(d)/5)
}
