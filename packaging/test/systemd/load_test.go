package systemd_test

import (
	"context"
	"math/big"
	"sync"
	"time"
)

// A load is clients that ask the site all the time, each request over a connection of its own.
type load struct {
	stop func()
	mu   sync.Mutex
	all  []request
}

// A request is how one went.
type request struct {
	begun  time.Time
	serial *big.Int // of the certificate that it was answered with
	err    error
}

// underLoad begins to ask. It asks at an even pace, so that the machine has time for others.
func (s *site) underLoad(workers int, every time.Duration) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := new(load)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			client := s.client()
			tick := time.NewTicker(every)
			defer tick.Stop()
			for ctx.Err() == nil {
				r := request{begun: time.Now()}
				r.serial, r.err = get(context.Background(), client)
				l.mu.Lock()
				l.all = append(l.all, r)
				l.mu.Unlock()
				<-tick.C
			}
		})
	}
	l.stop = func() {
		cancel()
		all.Wait()
	}
	return l
}

// end stops asking, and gives all requests.
func (l *load) end() []request {
	l.stop()
	return l.all
}

// failed gives the errors of those that were not answered.
func failed(requests []request) (errs []error) {
	for _, r := range requests {
		if r.err != nil {
			errs = append(errs, r.err)
		}
	}
	return errs
}
