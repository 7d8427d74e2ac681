package aws

import (
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	p := patience{}.orDefault()
	for _, slow := range []bool{false, true} {
		base := p.base
		if slow {
			base = p.throttled
		}
		for n := range 70 { // from 0, as the SDK may count
			most := p.limit
			if n <= 3 {
				most = min(base<<max(n-1, 0), p.limit)
			}
			if got := p.before(n, slow); got > most || got < min(base, p.limit)/2 {
				t.Errorf("%s after %d attempts, throttled %t; want at most %s", got, n, slow, most)
			}
		}
	}
	if got := p.before(50, true); got < 2*time.Second {
		t.Errorf("a throttled call comes back after %s", got)
	}
}
