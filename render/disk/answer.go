package disk

import (
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// patience is how long a file system may take to answer.
	patience = 3 * time.Second
	// lessPatience is how long it may take where it has just failed to.
	lessPatience = 100 * time.Millisecond
)

// Answers tells whether a path can be looked at within three seconds, whatever is or is not there. A file system that hangs (NFS, FUSE)
// holds up whoever asks it, and no context ends that: who works for many services asks this first. What is, or lies beneath, a path that
// has not answered is not asked again before that has, because each question that hangs keeps a thread of the process.
func Answers(path string) bool {
	if questions.silent(path) {
		return false
	}
	if ask(path, patience) {
		return true
	}
	// Others that lie in the same directory are to be spared.
	for dir := filepath.Dir(path); dir != "/" && !ask(dir, lessPatience); dir = filepath.Dir(dir) {
	}
	return false
}

// ask looks at a path, or waits for another that does. Where that takes too long the path is silent until it is over.
func ask(path string, within time.Duration) bool {
	q := questions.put(path)
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-q.answered:
		return true
	case <-late.C:
	}
	questions.late(q)
	return false
}

// A question is a path that is being looked at.
type question struct {
	answered chan struct{}
	late     bool
}

// questions are those of the process.
var questions = register{open: make(map[string]*question)}

type register struct {
	mu   sync.Mutex
	open map[string]*question // by path
}

// put gives the open question about a path, a new one where there is none.
func (r *register) put(path string) *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q := r.open[path]; q != nil {
		return q
	}
	q := &question{answered: make(chan struct{})}
	r.open[path] = q
	go func() {
		_, _ = os.Stat(path)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, path)
		close(q.answered)
	}()
	return q
}

func (r *register) late(q *question) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q.late = true
}

// silent tells whether a question is late that is about the path or about a directory that it lies in.
func (r *register) silent(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; len(r.open) > 0 && path != "/" && path != "."; path = filepath.Dir(path) {
		if q := r.open[path]; q != nil && q.late {
			return true
		}
	}
	return false
}
