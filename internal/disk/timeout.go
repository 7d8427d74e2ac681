package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long a file system may take to answer.
	patience = 3 * time.Second
	// lessPatience is how long it may take where it has just failed to.
	lessPatience = 100 * time.Millisecond
)

// ErrSilent is what Stat and its like give where a file system does not answer. It may later: the
// error is Temporary.
var ErrSilent error = silence{}

type silence struct{}

func (silence) Error() string   { return "its file system does not answer" }
func (silence) Temporary() bool { return true }

// Answers tells whether a path can be looked at within three seconds, whatever is or is not there.
// A file system that hangs (NFS, FUSE) holds up whoever asks it, and no context ends that: who
// works for many services asks this first. What is, or lies beneath, a path that has not answered
// is not asked again before that has, because each call that hangs keeps a thread of the process.
func Answers(path string) bool {
	_, err := Stat(path)
	return err != ErrSilent
}

// Stat is os.Stat for who cannot wait: it gives ErrSilent after three seconds, or at once where
// Answers would.
func Stat(path string) (fs.FileInfo, error) { return timed(path, os.Stat) }

// Lstat is os.Lstat as Stat is os.Stat.
func Lstat(path string) (fs.FileInfo, error) { return timed(path, os.Lstat) }

// ReadDir is os.ReadDir as Stat is os.Stat.
func ReadDir(path string) ([]fs.DirEntry, error) { return timed(path, os.ReadDir) }

// Stamp gives a text that differs once what a path leads to was written to, got another mode or
// owner, or is something else. It waits as Stat does.
func Stamp(path string) (string, error) {
	return timed(path, func(path string) (string, error) {
		var st unix.Stat_t
		err := error(unix.EINTR)
		for err == unix.EINTR {
			err = unix.Stat(path, &st)
		}
		return fmt.Sprint(st.Dev, st.Ino, st.Size, st.Mode, st.Mtim, st.Ctim), err
	})
}

// timed gives what a call about a path gives that begins now, or ErrSilent.
func timed[T any](path string, f func(path string) (T, error)) (answer T, _ error) {
	if calls.hang(path) {
		return answer, ErrSilent
	}
	type result struct {
		answer T
		err    error
	}
	got := make(chan result, 1)
	if c := calls.begin(path, func() {
		answer, err := f(path)
		got <- result{answer, err}
	}); calls.wait(c, patience) {
		r := <-got
		return r.answer, r.err
	}
	// Others that lie in the same directory are to be spared.
	for dir := filepath.Dir(path); dir != "/" && !calls.wait(calls.share(dir), lessPatience); {
		dir = filepath.Dir(dir)
	}
	return answer, ErrSilent
}

// A call is one to a file system.
type call struct {
	done     chan struct{} // closed when it has ended
	timedOut bool
}

// calls are those of the process that are under way.
var calls = register{open: make(map[string][]*call)}

type register struct {
	mu   sync.Mutex
	open map[string][]*call // by path
}

// begin makes a call.
func (r *register) begin(path string, f func()) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(path, f)
}

// share gives a call about a path, one that is under way where there is any.
func (r *register) share(path string) *call {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open := r.open[path]; len(open) > 0 {
		return open[0]
	}
	return r.add(path, func() { _, _ = os.Stat(path) })
}

func (r *register) add(path string, f func()) *call {
	c := &call{done: make(chan struct{})}
	r.open[path] = append(r.open[path], c)
	go func() {
		f()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.open[path] = slices.DeleteFunc(r.open[path], func(o *call) bool { return o == c })
		if len(r.open[path]) == 0 {
			delete(r.open, path)
		}
		close(c.done)
	}()
	return c
}

// wait waits for the end of a call. Where that takes too long the path hangs until it ends.
func (r *register) wait(c *call, within time.Duration) bool {
	over := time.NewTimer(within)
	defer over.Stop()
	select {
	case <-c.done:
		return true
	case <-over.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.timedOut = true
	return false
}

// hang tells whether a call has timed out that is about the path or about a directory that it lies
// in.
func (r *register) hang(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; len(r.open) > 0 && path != "/" && path != "."; path = filepath.Dir(path) {
		if slices.ContainsFunc(r.open[path], func(c *call) bool { return c.timedOut }) {
			return true
		}
	}
	return false
}
