package memory

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// A dir is an open directory.
type dir struct {
	process *Process
	path    string
	node    *node
}

func (d *dir) Path() string { return d.path }
func (d *dir) Real() string { return d.path }

func (d *dir) Doubts() []*disk.Doubt { return nil }

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
		return nil, &fs.PathError{Op: op, Path: filepath.Join(d.path, name), Err: unix.EISDIR}
	}
	return n, nil
}

func (d *dir) Attributes(name string, of disk.Info) (disk.Attributes, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := d.file("open", name)
	if err != nil {
		return nil, err
	}
	if n.info().ID != of.ID {
		return nil, changed("read", filepath.Join(d.path, name))
	}
	return n.now.attributes, nil
}

// changed is that a name stands for another file than the one that was looked at.
func changed(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: errors.New("something else was put in its place meanwhile")}
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
		return nil, &fs.PathError{Op: "read", Path: filepath.Join(d.path, name), Err: disk.TooLarge(limit)}
	}
	return n.now.content, nil
}

func (d *dir) Create(name string) (disk.File, error) {
	leave, err := d.process.enter()
	if err != nil {
		return nil, err
	}
	taken := d.node.entries[name] != nil
	n := d.process.disk.newFile()
	if !taken {
		d.node.do(change{to: name, node: n})
		d.process.disk.open++
	}
	leave()
	if taken {
		return nil, &fs.PathError{Op: "create", Path: filepath.Join(d.path, name), Err: unix.EEXIST}
	}
	d.process.changed(d, name)
	return &file{process: d.process, node: n, dir: d, name: name}, nil
}

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	if d.node.entries[name] == nil {
		d.node.do(change{to: name, node: d.process.disk.newDir(mode)})
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

// lie asks what becomes of an fsync.
func (p *Process) lie(d *dir, name string) Lie {
	if p.disk.Lies == nil {
		return Honest
	}
	return p.disk.Lies(filepath.Join(d.path, name))
}

// changed tells who wants to know.
func (p *Process) changed(d *dir, name string) {
	if p.disk.Changed != nil {
		p.disk.Changed(filepath.Join(d.path, name))
	}
}

func (d *dir) Overwrite(name string, of disk.Info, content []byte, uid, gid int, mode fs.FileMode, listed bool) error {
	lie := d.process.lie(d, name)
	leave, err := d.process.enterToWrite()
	if err != nil {
		return err
	}
	n, err := d.file("open", name)
	if err == nil && n.info().ID != of.ID {
		n, err = nil, changed("write", filepath.Join(d.path, name))
	}
	if err == nil {
		attributes := n.now.attributes
		if !listed {
			attributes = attributes.Unlisted()
		}
		n.now = inode{content: content, uid: uid, gid: gid, mode: mode.Perm(), attributes: attributes}
		n.dirty, n.lost = true, false
		if d.process.dead {
			err = ErrDead
		} else {
			d.process.disk.sync(n, lie)
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
	lie := d.process.lie(d, "")
	leave, err := d.process.enter()
	if err != nil {
		return err
	}
	defer leave()
	d.process.disk.syncNames(d.node, lie)
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
