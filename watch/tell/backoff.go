package tell

import (
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = time.Second
	backoffMost  = 5 * time.Minute
)

// Backoff gives the pause after so many failures in a row: about 1 s, 2 s, 4 s … and never more
// than five minutes. A fifth of it is left to chance, so that hosts which failed together do not
// come back together.
func Backoff(failures int, chance *rand.Rand) time.Duration {
	d := backoffMost
	if n := max(failures-1, 0); n < 9 { // 2^9 s is above the most
		d = min(backoffFirst<<n, backoffMost)
	}
	return d - time.Duration(chance.Float64()*float64(d)/5)
}
