package disk

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Who asks while a run is under way waits for the next one, which does for all of them; an error is
// that of all who waited for that run, and a panic is one for the others.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, runs := NewGroup(nil), 0
		failed := errors.New("failed")
		ask := func(n int) (errs []error) {
			errs = make([]error, n)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					defer func() {
						if recover() != nil {
							errs[i] = nil
						}
					}()
					errs[i] = g.Wait(g.Join(), func() error {
						runs++
						<-time.After(time.Second)
						switch runs {
						case 4:
							return failed
						case 6:
							panic("in a run")
						}
						return nil
					})
				})
			}
			all.Wait()
			return errs
		}
		count := func(errs []error, is error) (n int) {
			for _, err := range errs {
				if errors.Is(err, is) {
					n++
				}
			}
			return n
		}
		if n := count(ask(50), nil); n != 50 || runs != 2 {
			t.Errorf("%d are done by %d runs", n, runs)
		}
		if n := count(ask(50), failed); n != 49 || runs != 4 {
			t.Errorf("%d fail after %d runs", n, runs)
		}
		if n := count(ask(50), errPanicked); n != 48 || runs != 6 {
			t.Errorf("%d are told of the panic after %d runs", n, runs)
		}
		if n := count(ask(1), nil); n != 1 || runs != 7 {
			t.Errorf("%d is done after %d runs", n, runs)
		}
	})
}
