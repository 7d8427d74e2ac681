package config

import (
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

// resolve follows the links on the way to a path as far as the path is there, so that two names of
// one file are one. The last name is not followed: a rename replaces a link, not what it points to.
func resolve(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(real(filepath.Clean(dir)), name)
}
