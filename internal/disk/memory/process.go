package memory

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// A Process is one life of a program that uses a disk. It is a disk.System.
type Process struct {
	disk *Disk
	// dead and torn belong to the disk's lock.
	dead bool
	torn bool
}

// ErrDead is what every step of a process that was killed gives. It does nothing.
var ErrDead = errors.New("the process was killed")

// Start begins a life.
func (d *Disk) Start() *Process { return &Process{disk: d} }

// Kill ends the life as SIGKILL does: from now on no step of it does anything, and its locks are
// free. Where torn is set the write that is under way is done in part before that.
func (p *Process) Kill(torn bool) {
	p.disk.mu.Lock()
	defer p.disk.mu.Unlock()
	p.torn = torn && !p.dead
	p.dead = true
}

// enter begins a step; it gives the unlocking of the disk.
func (p *Process) enter() (leave func(), err error) {
	p.disk.mu.Lock()
	if p.dead {
		p.disk.mu.Unlock()
		return nil, ErrDead
	}
	return p.disk.mu.Unlock, nil
}

// enterToWrite is enter for a write, of which a killed process may do a last part.
func (p *Process) enterToWrite() (leave func(), err error) {
	p.disk.mu.Lock()
	if p.dead && !p.torn {
		p.disk.mu.Unlock()
		return nil, ErrDead
	}
	p.torn = false
	return p.disk.mu.Unlock, nil
}

// Open implements disk.System.
func (p *Process) Open(path string) (disk.Dir, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	n := p.disk.find(path)
	switch {
	case n == nil:
		return nil, missing("open", path)
	case n.entries == nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: unix.ENOTDIR}
	}
	p.disk.open++
	return &dir{process: p, path: path, node: n}, nil
}

// Follow implements disk.System.
func (p *Process) Follow(path string) (disk.Dir, error) { return p.Open(path) }

// close lets something go that was held. That happens with the end of a process, too.
func (p *Process) close() error {
	p.disk.mu.Lock()
	defer p.disk.mu.Unlock()
	p.disk.open--
	return nil
}
