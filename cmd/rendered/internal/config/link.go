package config

import (
	"os"
	"path/filepath"

	"github.com/rendered/rendered/render/disk"
)

// maxLinks is how many links a path may lead through (path_resolution(7)).
const maxLinks = 40

// real follows all links of a path, whether or not there is something in the end. Where a file system hangs the path stays as it is: that is
// the trouble of one service, and the config is everybody's.
func real(path string) string {
	if !disk.Answers(path) {
		return path
	}
	path = resolve(path)
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = resolve(target)
	}
	return path
}
