package swap

import "sync"

// A Register knows the temporaries that this process is at work on. A nil one knows none.
type Register struct {
	mu    sync.Mutex
	paths map[string]bool
}

// NewRegister gives an empty one.
func NewRegister() *Register { return &Register{paths: make(map[string]bool)} }

func (r *Register) add(path string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths[path] = true
}

func (r *Register) remove(path string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.paths, path)
}

func (r *Register) has(path string) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.paths[path]
}
