package memory

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/render/disk"
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

// Kill ends the life as SIGKILL does: from now on no step of it does anything, and its locks are free. Where torn is set the write that is
// under way is done in part before that.
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

// A dir is an open directory.
type dir struct {
	process *Process
	path    string
	node    *node
}

func (d *dir) Path() string { return d.path }
func (d *dir) Real() string { return d.path }

func (d *dir) Self() (disk.Info, error) {
	leave, err := d.process.enter()
	if err != nil {
		return disk.Info{}, err
	}
	defer leave()
	return d.node.info(), nil
}

func (d *dir) Stat(name string) (disk.Info, error) {
	leave, err := d.process.enter()
	if err != nil {
		return disk.Info{}, err
	}
	defer leave()
	if n := d.node.entries[name]; n != nil {
		return n.info(), nil
	}
	return disk.Info{}, nil
}

func (d *dir) Link(name string) (string, error) {
	return "", &fs.PathError{Op: "readlink", Path: filepath.Join(d.path, name), Err: unix.EINVAL}
}

// file gives the regular file at a name.
func (d *dir) file(op, name string) (*node, error) {
	n := d.node.entries[name]
	if n == nil {
		return nil, missing(op, filepath.Join(d.path, name))
	}
	if n.entries != nil {
		return nil, &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: errors.New("not a regular file")}
	}
	return n, nil
}

func (d *dir) Attributes(name string) (disk.Attributes, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := d.file("open", name)
	if err != nil {
		return nil, err
	}
	return n.now.attributes, nil
}

func (d *dir) Names() ([]string, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	return d.node.names(), nil
}

func (d *dir) Read(name string, limit int64) ([]byte, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := d.file("open", name)
	if err != nil {
		return nil, err
	}
	if int64(len(n.now.content)) > limit {
		return n.now.content[:limit+1], &fs.PathError{Op: "read", Path: filepath.Join(d.path, name), Err: unix.EFBIG}
	}
	return n.now.content, nil
}

func (d *dir) Create(name string) (disk.File, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if d.node.entries[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: filepath.Join(d.path, name), Err: unix.EEXIST}
	}
	n := d.process.disk.newFile()
	d.node.do(change{to: name, node: n})
	d.process.disk.open++
	return &file{process: d.process, node: n}, nil
}

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	switch n := d.node.entries[name]; {
	case n == nil:
		d.node.do(change{to: name, node: d.process.disk.newDir(mode)})
	case n.entries == nil:
		return &fs.PathError{Op: "open", Path: filepath.Join(d.path, name), Err: unix.ENOTDIR}
	default:
		n.now.mode = mode
	}
	return nil
}

func (d *dir) Rename(old, new string) error {
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	n := d.node.entries[old]
	if n != nil {
		d.node.do(change{from: old, to: new, node: n})
	}
	leave()
	if n == nil {
		return missing("rename", filepath.Join(d.path, new))
	}
	d.process.changed(d, new)
	return nil
}

// changed tells who wants to know.
func (p *Process) changed(d *dir, name string) {
	if p.disk.Changed != nil {
		p.disk.Changed(filepath.Join(d.path, name))
	}
}

func (d *dir) Overwrite(name string, content []byte, uid, gid int, mode fs.FileMode) error {
	leave, err := d.process.enterToWrite()
	if err != nil {
		return err
	}
	n, err := d.file("open", name)
	if err == nil {
		n.now = inode{content: content, uid: uid, gid: gid, mode: mode.Perm(), attributes: n.now.attributes}
		n.dirty, n.lost = true, false
		if d.process.dead {
			err = ErrDead
		} else {
			n.sync()
		}
	}
	leave()
	if n != nil {
		d.process.changed(d, name)
	}
	return err
}

func (d *dir) Remove(name string) error {
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	n := d.node.entries[name]
	if n != nil {
		d.node.do(change{from: name, node: n})
	}
	leave()
	if n != nil {
		d.process.changed(d, name)
	}
	return nil
}

func (d *dir) Sync() error {
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	d.node.syncNames()
	return nil
}

func (d *dir) Lock(name, note string) (io.Closer, string, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, "", err
	}
	defer leave()
	n := d.node.entries[name]
	if n == nil {
		n = d.process.disk.newFile()
		d.node.do(change{to: name, node: n})
	}
	if n.locked != nil && !n.locked.dead {
		return nil, string(n.now.content), unix.EWOULDBLOCK
	}
	n.locked, n.now.content, n.dirty = d.process, []byte(note), true
	d.process.disk.open++
	return &lock{process: d.process, node: n}, "", nil
}

func (d *dir) Close() error { return d.process.close() }

// close lets something go that was held. That happens with the end of a process, too.
func (p *Process) close() error {
	p.disk.mu.Lock()
	defer p.disk.mu.Unlock()
	p.disk.open--
	return nil
}

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

// A file is one that is being written.
type file struct {
	process *Process
	node    *node
}

func (f *file) Own(uid, gid int, mode fs.FileMode, attributes disk.Attributes) error {
	leave, err := f.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	f.node.now.uid, f.node.now.gid, f.node.now.mode, f.node.now.attributes = uid, gid, mode.Perm(), attributes
	f.node.dirty = true
	return nil
}

func (f *file) Write(p []byte) (int, error) {
	leave, err := f.process.enterToWrite()
	if err != nil {
		return 0, err
	}
	defer leave()
	f.node.write(p)
	return len(p), nil
}

func (f *file) Sync() error {
	leave, err := f.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	f.node.sync()
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
