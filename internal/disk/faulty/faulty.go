// Package faulty makes the steps of a file system fail, for tests.
package faulty

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
)

// A Step is one thing that is done to files: an operation, as "fsync" or "rename", and the path
// that it is about.
type Step struct{ Op, Path string }

func (s Step) String() string { return s.Op + " " + s.Path }

// Mutates tells whether the step changes what is on disk, or what of it outlives a power cut.
func (s Step) Mutates() bool {
	switch s.Op {
	case "open", "stat", "list", "read", "close", "lock":
		return false
	}
	return true
}

// System gives a system that asks before each step. An error of before is that of the step, which
// then has not been done. It is called by several goroutines.
func System(below disk.System, before func(Step) error) disk.System {
	return system{below, before}
}

type system struct {
	disk.System
	before func(Step) error
}

func (s system) Open(path string) (disk.Dir, error) { return s.open(path, s.System.Open) }

func (s system) Follow(path string) (disk.Dir, error) { return s.open(path, s.System.Follow) }

func (s system) open(path string, open func(string) (disk.Dir, error)) (disk.Dir, error) {
	if err := s.ask("open", path); err != nil {
		return nil, err
	}
	d, err := open(path)
	if err != nil {
		return nil, err
	}
	return &dir{d, s}, nil
}

func (s system) ask(op, path string) error {
	if err := s.before(Step{op, path}); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

type dir struct {
	disk.Dir
	system system
}

func (d *dir) ask(op, name string) error { return d.system.ask(op, filepath.Join(d.Path(), name)) }

func (d *dir) Self() (disk.Info, error) {
	if err := d.ask("stat", ""); err != nil {
		return disk.Info{}, err
	}
	return d.Dir.Self()
}

func (d *dir) Stat(name string) (disk.Info, error) {
	if err := d.ask("stat", name); err != nil {
		return disk.Info{}, err
	}
	return d.Dir.Stat(name)
}

func (d *dir) Link(name string) (string, error) {
	if err := d.ask("stat", name); err != nil {
		return "", err
	}
	return d.Dir.Link(name)
}

func (d *dir) Attributes(name string, of disk.Info) (disk.Attributes, error) {
	if err := d.ask("read", name); err != nil {
		return nil, err
	}
	return d.Dir.Attributes(name, of)
}

func (d *dir) Names() ([]string, error) {
	if err := d.ask("list", ""); err != nil {
		return nil, err
	}
	return d.Dir.Names()
}

func (d *dir) Read(name string, limit int64) ([]byte, error) {
	if err := d.ask("read", name); err != nil {
		return nil, err
	}
	return d.Dir.Read(name, limit)
}

func (d *dir) Create(name string) (disk.File, error) {
	if err := d.ask("create", name); err != nil {
		return nil, err
	}
	f, err := d.Dir.Create(name)
	if err != nil {
		return nil, err
	}
	return file{f, d, name}, nil
}

func (d *dir) Mkdir(name string, mode fs.FileMode) error {
	if err := d.ask("mkdir", name); err != nil {
		return err
	}
	return d.Dir.Mkdir(name, mode)
}

func (d *dir) Rename(old, new string) error {
	if err := d.ask("rename", new); err != nil {
		return err
	}
	return d.Dir.Rename(old, new)
}

// Overwrite does half of what it cannot do whole.
func (d *dir) Overwrite(name string, of disk.Info, content []byte, uid, gid int, mode fs.FileMode, listed bool) error {
	if err := d.ask("overwrite", name); err != nil {
		return errors.Join(err, d.Dir.Overwrite(name, of, content[:len(content)/2], uid, gid, mode, listed))
	}
	return d.Dir.Overwrite(name, of, content, uid, gid, mode, listed)
}

func (d *dir) Remove(name string) error {
	if err := d.ask("remove", name); err != nil {
		return err
	}
	return d.Dir.Remove(name)
}

func (d *dir) Sync() error {
	if err := d.ask("sync", ""); err != nil {
		return err
	}
	return d.Dir.Sync()
}

func (d *dir) Lock(name, note string) (io.Closer, string, error) {
	if err := d.ask("lock", name); err != nil {
		return nil, "", err
	}
	return d.Dir.Lock(name, note)
}

type file struct {
	disk.File
	dir  *dir
	name string
}

func (f file) Own(uid, gid int, mode fs.FileMode, attributes disk.Attributes) error {
	if err := f.dir.ask("own", f.name); err != nil {
		return err
	}
	return f.File.Own(uid, gid, mode, attributes)
}

// Write does half of what it cannot do whole, as a full disk does.
func (f file) Write(p []byte) (int, error) {
	if err := f.dir.ask("write", f.name); err != nil {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, err
	}
	return f.File.Write(p)
}

// A failer is a file that knows what becomes of it when its fsync fails.
type failer interface{ FailSync() }

func (f file) Sync() error {
	if err := f.dir.ask("fsync", f.name); err != nil {
		if below, ok := f.File.(failer); ok {
			below.FailSync()
		}
		return err
	}
	return f.File.Sync()
}

func (f file) Close() error {
	// What a failing step would leave open is closed all the same: close(2) frees the descriptor
	// whatever it says.
	asked := f.dir.ask("close", f.name)
	if err := f.File.Close(); err != nil {
		return err
	}
	return asked
}
