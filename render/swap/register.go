package swap

import "sync"

// A register knows the temporaries that the swaps of a process are at work on, and the directories
// that were swept: there is none in them that an earlier process left.
type register struct {
	mu    sync.Mutex
	paths map[string]bool
	swept map[string]bool
}

func newRegister() *register {
	return &register{paths: make(map[string]bool), swept: make(map[string]bool)}
}

func (r *register) isSwept(dir string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.swept[dir]
}

// setSwept notes whether a directory is swept.
func (r *register) setSwept(dir string, done bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.swept[dir] = done
}

func (r *register) add(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[path] = true
}

func (r *register) remove(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.paths, path)
}

func (r *register) has(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paths[path]
}
