package disk

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// No more jobs work than may. One that waits for something else lets another work meanwhile, and
// those that come to no end hold up the others for a second.
func TestJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJobs()
		j.Most = 2
		var mu sync.Mutex
		var order []int
		ended := func() []int {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(order)
		}
		work := func(n int, pause, work time.Duration) {
			j.Go(func() {
				j.Pause(func() { <-time.After(pause) })
				<-time.After(work)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, n)
			})
		}
		begun := time.Now()
		for n := range 10 {
			work(n, 0, 100*time.Millisecond)
		}
		work(10, 200*time.Millisecond, 0)
		synctest.Wait()
		if n := len(ended()); n != 0 {
			t.Errorf("%d have ended at once", n)
		}
		for n := range 6 {
			if got := len(ended()); got != 2*n && got != 2*n+1 {
				t.Errorf("after %s %v have ended", time.Since(begun), ended())
			}
			<-time.After(100 * time.Millisecond)
			synctest.Wait()
		}
		if len(ended()) != 11 || j.working != 0 {
			t.Errorf("%v have ended, %d work", ended(), j.working)
		}
		for n := range 3 { // more than may
			work(n, 0, time.Hour)
		}
		for n := range 4 {
			work(n, 0, 0)
		}
		<-time.After(2100 * time.Millisecond)
		synctest.Wait()
		if len(ended()) != 15 {
			t.Errorf("beside those that hang %v have ended", ended())
		}
		<-time.After(time.Hour)
		synctest.Wait()
		if j.working != 0 || len(j.queue) != 0 || j.watched {
			t.Errorf("%d work, %d wait", j.working, len(j.queue))
		}
	})
}

// A run of a group begins when nobody who works can still join it, and does not wait for long.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJobs()
		g := NewGroup(j)
		var mu sync.Mutex
		var took []time.Duration
		runs := func() []time.Duration {
			mu.Lock()
			defer mu.Unlock()
			list := took
			took = nil
			return list
		}
		begun := time.Now()
		step := func() error {
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(begun).Round(time.Millisecond))
			begun = time.Now()
			return nil
		}
		for _, after := range []time.Duration{0, 1, 2} {
			j.Go(func() {
				<-time.After(after * time.Millisecond)
				_ = g.Wait(g.Join(), step)
			})
		}
		<-time.After(time.Second)
		if got := runs(); len(got) != 1 || got[0] != 2*time.Millisecond {
			t.Errorf("runs after %v", got)
		}
		mu.Lock()
		begun = time.Now()
		mu.Unlock()
		for _, after := range []time.Duration{0, time.Minute} {
			j.Go(func() {
				<-time.After(after)
				_ = g.Wait(g.Join(), step)
			})
		}
		<-time.After(time.Hour)
		if got := runs(); len(got) != 2 || got[0] != j.Gather || got[1] != time.Minute-j.Gather {
			t.Errorf("runs after %v", got)
		}
	})
}
