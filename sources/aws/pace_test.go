package aws

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A bucket is AWS's: so many tokens a second, so many at once.
type bucket struct {
	mu                  sync.Mutex
	rate, burst, tokens float64
	at                  time.Time
	calls, throttled    int
}

func (b *bucket) call() (throttled bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.at.IsZero() {
		b.at, b.tokens = now, b.burst
	}
	b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
	b.calls++
	if b.tokens < 1 {
		b.throttled++
		return true
	}
	b.tokens--
	return false
}

// TestPacer makes calls through a pacer to a bucket, several at a time, and counts what it costs.
func TestPacer(t *testing.T) {
	tests := []struct {
		name        string
		published   float64
		rate, burst float64 // AWS's, in truth
		work        int
		most        int           // calls
		within      time.Duration // 1.2 times the ideal
	}{
		{"1,000 parameters", 40, 40, 40, 100, 105, 1800 * time.Millisecond},
		{"3,000 parameters", 40, 40, 40, 300, 315, 7800 * time.Millisecond},
		{"10,000 secrets by twenty", 100, 100, 100, 500, 525, 4800 * time.Millisecond},
		{"10,000 parameters, higher throughput", 40, 1000, 1000, 1000, 1000, 15 * time.Second},
		{"a fourth is left by others", 40, 10, 10, 100, 140, 14 * time.Second},
		{"no published rate, none reached", 0, 1e6, 1e6, 5000, 5000, 10 * time.Second},
		{"no published rate, reached", 0, 50, 50, 300, 345, 8 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, b := newPacer(tt.published), &bucket{rate: tt.rate, burst: tt.burst}
				begun := time.Now()
				work := make(chan int)
				var all sync.WaitGroup
				for worker := range 8 {
					all.Go(func() {
						for i := range work {
							for attempt := 1; ; attempt++ {
								leave, err := p.take(t.Context())
								if err != nil {
									t.Error(err)
								}
								<-time.After(time.Duration(8+(i*7+worker*3)%9) * time.Millisecond)
								throttled := b.call()
								p.done(leave, throttled)
								if !throttled {
									break
								}
								<-time.After(patience{}.orDefault().before(attempt, true))
							}
						}
					})
				}
				for i := range tt.work {
					work <- i
				}
				close(work)
				all.Wait()
				took := time.Since(begun)
				if b.calls > tt.most || took > tt.within {
					t.Errorf("%d calls in %v, want at most %d in %v", b.calls, took, tt.most, tt.within)
				}
				t.Logf("%d calls, %d throttled, %v, at last %.1f/s", b.calls, b.throttled, took, p.rate)
			})
		})
	}
}
