package swap

import "sync"

// A Register knows the temporaries that this process is at work on, and for which service. A nil one
// knows none.
type Register struct {
	mu     sync.Mutex
	owners map[string]string // services by path
}

// NewRegister gives an empty one.
func NewRegister() *Register { return &Register{owners: make(map[string]string)} }

func (r *Register) add(path, service string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owners[path] = service
}

func (r *Register) remove(path string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.owners, path)
}

// isOf tells whether a temporary is, or may be, one of the service's own or one that an earlier process left.
func (r *Register) isOf(path, service string) bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	owner, known := r.owners[path]
	return !known || owner == service
}
