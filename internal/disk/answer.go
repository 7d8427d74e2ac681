package disk

import (
	"io/fs"
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

// ErrSilent is what Stat and its like give where a file system does not answer. It may later: the error is Temporary.
var ErrSilent error = silence{}

type silence struct{}

func (silence) Error() string   { return "its file system does not answer" }
func (silence) Temporary() bool { return true }

// Answers tells whether a path can be looked at within three seconds, whatever is or is not there. A file system that hangs (NFS, FUSE)
// holds up whoever asks it, and no context ends that: who works for many services asks this first. What is, or lies beneath, a path that
// has not answered is not asked again before that has, because each question that hangs keeps a thread of the process.
func Answers(path string) bool {
	return patiently(path, func() *question { return questions.join(path, func() { _, _ = os.Stat(path) }) })
}

// Stat is os.Stat for who cannot wait: it gives ErrSilent after three seconds, or at once where Answers would.
func Stat(path string) (fs.FileInfo, error) { return asked(path, os.Stat) }

// Lstat is os.Lstat as Stat is os.Stat.
func Lstat(path string) (fs.FileInfo, error) { return asked(path, os.Lstat) }

// ReadDir is os.ReadDir as Stat is os.Stat.
func ReadDir(path string) ([]fs.DirEntry, error) { return asked(path, os.ReadDir) }

// asked gives what is answered to a question about a path that is put now.
func asked[T any](path string, put func(path string) (T, error)) (answer T, _ error) {
	type result struct {
		answer T
		err    error
	}
	got := make(chan result, 1)
	if !patiently(path, func() *question {
		return questions.put(path, func() {
			answer, err := put(path)
			got <- result{answer, err}
		})
	}) {
		return answer, ErrSilent
	}
	r := <-got
	return r.answer, r.err
}

// patiently puts a question about a path and waits for its answer, but not for ever.
func patiently(path string, put func() *question) bool {
	if questions.silent(path) {
		return false
	}
	if questions.wait(put(), patience) {
		return true
	}
	// Others that lie in the same directory are to be spared.
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if questions.wait(questions.join(dir, func() { _, _ = os.Stat(dir) }), lessPatience) {
			break
		}
	}
	return false
}

// A question is about a path, and open until it is answered.
type question struct {
	answered chan struct{}
	late     bool
}

// questions are those of the process.
var questions = register{open: make(map[string][]*question)}

type register struct {
	mu   sync.Mutex
	open map[string][]*question // by path
}

// join gives an open question about the path, or puts a new one. Its answer may be older than the call.
func (r *register) join(path string, ask func()) *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	if open := r.open[path]; len(open) > 0 {
		return open[0]
	}
	return r.begin(path, ask)
}

// put puts a new question.
func (r *register) put(path string, ask func()) *question {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begin(path, ask)
}

func (r *register) begin(path string, ask func()) *question {
	q := &question{answered: make(chan struct{})}
	r.open[path] = append(r.open[path], q)
	go func() {
		ask()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.close(path, q)
	}()
	return q
}

func (r *register) close(path string, q *question) {
	var others []*question
	for _, o := range r.open[path] {
		if o != q {
			others = append(others, o)
		}
	}
	if r.open[path] = others; len(others) == 0 {
		delete(r.open, path)
	}
	close(q.answered)
}

// wait waits for an answer. Where that takes too long the path is silent until there is one.
func (r *register) wait(q *question, within time.Duration) bool {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-q.answered:
		return true
	case <-late.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	q.late = true
	return false
}

// silent tells whether a question is late that is about the path or about a directory that it lies in.
func (r *register) silent(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; len(r.open) > 0 && path != "/" && path != "."; path = filepath.Dir(path) {
		for _, q := range r.open[path] {
			if q.late {
				return true
			}
		}
	}
	return false
}
