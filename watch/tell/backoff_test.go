package tell

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBackoffStaysWithinItsBounds(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	var seen []time.Duration
	for _, failures := range []int{-1, 0, 1, 2, 9, 10, 63, 64, 1000, math.MaxInt} {
		for range 100 {
			d := Backoff(failures, chance)
			if d < backoffFirst*4/5 || d > backoffMost {
				t.Fatalf("after %d failures: %v", failures, d)
			}
			seen = append(seen, d)
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) < 900 {
		t.Error("chance decides little")
	}
}
