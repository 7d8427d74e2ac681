package pass

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// What somebody else wrote to a file, whom we are the first to replace, is backed up in the state
// directory: a script's files, a package's, those of who had the machine before. It is durable
// there before the first rename. Whoever is killed in between backs it up again, as the same file.

const (
	predecessors = "predecessors" // directory in the state directory
	// mostPreserved bounds one file, in bytes. What is larger is no config file.
	mostPreserved = 64 << 20
	// mostOfOne bounds how many backups there are of one path, whose record was lost in between.
	mostOfOne = 9
	// longestName is how much of a file's name is in that of a predecessor, in bytes.
	longestName = 200
)

// preserve backs up what somebody else wrote to files that are written for the first time.
func (p *pass) preserve() error {
	for _, path := range p.changed {
		if p.ledger.Owns(path) {
			continue
		}
		backup, err := p.preserveFile(path)
		if err != nil {
			return &FileError{path, notPreserved(path, err)}
		}
		if backup != "" {
			if p.backups == nil {
				p.backups = make(map[string]string)
			}
			p.backups[path] = backup
		}
	}
	return nil
}

// preserveFile gives where what stands at a path is backed up; "" where there is nothing to do.
func (p *pass) preserveFile(path string) (string, error) {
	content, err := p.swap.Content(path, mostPreserved)
	if len(content) == 0 || errors.Is(err, fs.ErrNotExist) {
		return "", ignore(err, fs.ErrNotExist)
	}
	dir := filepath.Join(p.state, predecessors)
	if err := disk.MakeAll(p.machine.Disk, dir, 0o700); err != nil {
		return "", err
	}
	d, err := p.machine.Disk.Open(dir)
	if err != nil {
		return "", err
	}
	name, err := put(d, nameOf(path), content)
	return filepath.Join(dir, name), errors.Join(err, d.Close())
}

// nameOf gives what the predecessor of a path is called: no other path has the same.
func nameOf(path string) string {
	of := sha256.Sum256([]byte(path))
	base := filepath.Base(path)
	return base[:min(len(base), longestName)] + "." + hex.EncodeToString(of[:6])
}

// put keeps a content in a directory, durably, and gives its name. One that is there is not put
// there again.
func put(d disk.Dir, name string, content []byte) (string, error) {
	for n := range mostOfOne {
		numbered := name
		if n > 0 {
			numbered = fmt.Sprintf("%s.%d", name, n+1)
		}
		found, err := d.Stat(numbered)
		switch {
		case err != nil:
			return "", err
		case !found.Exists:
			return numbered, disk.Replace(d, numbered, content)
		case found.Type != 0 || found.Size != int64(len(content)):
			continue
		}
		if old, err := d.Read(numbered, found.Size); err != nil {
			return "", err
		} else if bytes.Equal(old, content) {
			return numbered, d.Sync() // who put it there may have been killed before
		}
	}
	return "", fmt.Errorf("%s has %d files of it already", d.Path(), mostOfOne)
}

func notPreserved(path string, err error) *fault.Fault {
	f := &fault.Fault{
		Place: fault.Place{File: path}, Err: err, Hints: Remedy(err),
		What: fmt.Sprintf("somebody else wrote this file, and it cannot be backed up: %v", err),
	}
	if errors.Is(err, unix.EFBIG) {
		f.What = fmt.Sprintf("somebody else wrote this file, and it is %v: it is not replaced", disk.TooLarge(mostPreserved))
		f.Hints = []string{"move it away if it is to be replaced"}
	}
	return f
}

// ignore gives an error that is not one of a kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
