package disk

import (
	"sync"
	"time"
)

// Jobs bounds how many jobs work with files at the same time, and lets these share the runs of
// Groups. Where they are nil a Group waits for nobody.
type Jobs struct {
	// Gather is for how long, at most, a run of a Group waits for other jobs that may join it; 0:
	// not at all.
	Gather time.Duration
	// Most is how many jobs may work. Where none of them ends for a second as many again may: who
	// waits for a file system that does not answer holds up nobody else.
	Most int

	mu      sync.Mutex
	working int
	joined  int           // of these, those that wait for runs that have not begun
	still   chan struct{} // is closed, and renewed, when all who work wait for such runs
	queue   []func()      // what is called when a turn comes, in this order
	left    int           // who have worked, so far
	watched bool          // somebody sees to it that the queue gets on
}

// NewJobs gives jobs as a machine can have them.
func NewJobs() *Jobs {
	return &Jobs{Gather: 3 * time.Millisecond, Most: 64, still: make(chan struct{})}
}

// Go runs a job in a goroutine of its own, when its turn comes.
func (j *Jobs) Go(job func()) {
	j.enter(func() {
		go func() {
			defer j.leave()
			job()
		}()
	})
}

// Pause runs something in which a job waits, and does not work. It returns when it is the job's
// turn again.
func (j *Jobs) Pause(wait func()) {
	j.leave()
	wait()
	turn := make(chan struct{})
	j.enter(func() { close(turn) })
	<-turn
}

// enter calls begin when a turn comes.
func (j *Jobs) enter(begin func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.queue = append(j.queue, begin)
	j.next(j.Most - j.working)
	if len(j.queue) > 0 && !j.watched {
		j.watch()
	}
}

// leave gives a turn to the next.
func (j *Jobs) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.left++
	j.working--
	j.next(max(j.Most-j.working, 1))
	j.stillness()
}

// next gives so many a turn. The lock is held.
func (j *Jobs) next(n int) {
	for ; n > 0 && len(j.queue) > 0; n-- {
		begin := j.queue[0]
		j.queue[0] = nil
		j.queue = j.queue[1:]
		j.working++
		begin()
	}
}

// watch gives turns where nobody leaves for a second, as long as there is a queue. The lock is
// held.
func (j *Jobs) watch() {
	left := j.left
	j.watched = true
	time.AfterFunc(time.Second, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.left == left {
			j.next(j.Most)
		}
		if j.watched = len(j.queue) > 0; j.watched {
			j.watch()
		}
	})
}

// stillness tells those who gather others that there are none. The lock is held.
func (j *Jobs) stillness() {
	if j.joined >= j.working {
		close(j.still)
		j.still = make(chan struct{})
	}
}

// join notes that so many more wait for a run that has not begun.
func (j *Jobs) join(n int) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.joined += n
	j.stillness()
}

// gather waits until nobody is left who may soon join a run.
func (j *Jobs) gather() {
	if j == nil || j.Gather == 0 {
		return
	}
	j.mu.Lock()
	still, alone := j.still, j.joined >= j.working
	j.mu.Unlock()
	if alone {
		return
	}
	select {
	case <-still:
	case <-time.After(j.Gather):
	}
}
