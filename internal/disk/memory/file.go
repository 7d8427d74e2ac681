package memory

import (
	"io/fs"

	"github.com/rendered/rendered/internal/disk"
)

// A file is one that is being written.
type file struct {
	process *Process
	node    *node
	dir     *dir // and the name that it was made under
	name    string
}

func (f *file) Own(uid, gid int, mode fs.FileMode, attributes disk.Attributes) error {
	leave, err := f.process.enter()
	if err != nil {
		return err
	}
	f.node.now.uid, f.node.now.gid, f.node.now.mode, f.node.now.attributes = uid, gid, mode.Perm(), attributes
	f.node.dirty = true
	leave()
	f.process.changed(f.dir, f.name)
	return nil
}

func (f *file) Write(p []byte) (int, error) {
	leave, err := f.process.enterToWrite()
	if err != nil {
		return 0, err
	}
	f.node.write(p)
	leave()
	f.process.changed(f.dir, f.name)
	return len(p), nil
}

func (f *file) Sync() error {
	lie := f.process.lie(f.dir, f.name)
	leave, err := f.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	f.process.disk.sync(f.node, lie)
	return nil
}

// FailSync is what a failed fsync does: nothing is durable, and the pages count as clean.
func (f *file) FailSync() {
	f.process.disk.mu.Lock()
	defer f.process.disk.mu.Unlock()
	if f.node.dirty {
		f.node.dirty, f.node.lost = false, true
	}
}

func (f *file) Close() error { return f.process.close() }

// A lock is one that a process holds.
type lock struct {
	process *Process
	node    *node
}

func (l *lock) Close() error {
	l.process.disk.mu.Lock()
	if l.node.locked == l.process {
		l.node.locked = nil
	}
	l.process.disk.mu.Unlock()
	return l.process.close()
}
