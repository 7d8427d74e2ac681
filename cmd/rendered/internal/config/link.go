package config

import (
	"io/fs"
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
)

// real follows all links of a path, whether or not there is something in the end. Where a file
// system hangs, or the way cannot be gone, the path stays as it is: that concerns one
// service, and the config is everybody's. So it does where root does not follow a link: else a user
// could have the config refused, by a link to another file of it.
func real(path string) string {
	way, err := disk.Walk(path)
	if err != nil || way.Trusted() != nil {
		return path
	}
	return way.Real()
}

// links says where paths lead, and remembers it of directories: those of a config lie in few. It is
// good for one reading of a config, since links change.
type links map[string]string

// real is the function real.
func (l links) real(path string) string {
	at, err := disk.Lstat(path)
	if err == disk.ErrSilent || err == nil && at.Mode().Type() == fs.ModeSymlink {
		return real(path)
	}
	return l.resolve(path)
}

// resolve is the function resolve.
func (l links) resolve(path string) string {
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	to, known := l[dir]
	if !known {
		to = real(dir)
		l[dir] = to
	}
	return filepath.Join(to, name)
}

// resolve follows the links on the way to a path as far as the path is there, so that two names of
// one file are one. The last name is not followed: a rename replaces a link, not what it points to.
func resolve(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(real(filepath.Clean(dir)), name)
}
