package disk

import (
	"errors"
	"strings"
)

// Replace writes a small file of our own, 0600, whole and durably: a temporary, fsync, rename,
// fsync of the directory. A crash leaves the old file or the new one, and at most a temporary of
// that fixed name, which the next Replace takes away.
//
// A file whose fsync failed is thrown away. Where the error is Unsure the new file may be in its
// place, now or after a crash.
func Replace(d Dir, name string, content []byte) error {
	temp := tempPrefix + name + tempSuffix
	if err := d.Remove(temp); err != nil {
		return err
	}
	f, err := d.Create(temp)
	if err != nil {
		return err
	}
	if err := Fill(f, content); err != nil {
		return errors.Join(err, d.Remove(temp))
	}
	if err := d.Rename(temp, name); err != nil {
		return errors.Join(Unsure{err}, d.Remove(temp)) // NFS may have done it
	}
	if err := d.Sync(); err != nil {
		return Unsure{err}
	}
	return nil
}

// Tidy takes away what a Replace of a name that was cut short has left.
func Tidy(d Dir, name string) error {
	temp := tempPrefix + name + tempSuffix
	if found, err := d.Stat(temp); err != nil || !found.Exists {
		return err
	}
	return d.Remove(temp)
}

// Unsure is that nobody knows whether something was done.
type Unsure struct{ error }

// Unwrap gives what went wrong.
func (u Unsure) Unwrap() error { return u.error }

const (
	tempPrefix = "."
	tempSuffix = ".new"
)

// IsTemporary tells whether a name is that of a temporary of Replace.
func IsTemporary(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// Fill writes content, makes it durable and closes the file.
func Fill(f File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
