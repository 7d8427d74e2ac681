package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/internal/fault"
)

// IsPart tells whether a name in conf.d is one of a config: *.yaml, and *.yml, which Load refuses so that it is not left out in
// silence. Hidden files are not, nor what editors and packages leave behind (x.yaml~, x.yaml.bak).
func IsPart(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return !strings.HasPrefix(name, ".") && (ext == ".yaml" || ext == ".yml")
}

// parts gives the files of conf.d, in the order of their names. Only a conf.d that is not there at all has none.
func (l *loader) parts() []string {
	dir := l.cfg.ConfD
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		if _, link := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) || link == nil {
			l.faults = append(l.faults, &fault.Fault{
				Place: fault.Place{File: dir},
				What:  "the services in it cannot be read: " + plain(err).Error(),
				Hints: permissionHint(err),
				Err:   err,
			})
		}
		return nil
	}
	var paths []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case !IsPart(e.Name()):
		case strings.HasSuffix(path, ".yaml"):
			paths = append(paths, path)
		default:
			l.faults = append(l.faults, &fault.Fault{
				Place: fault.Place{File: path},
				What:  "it is not read; the files of conf.d end in .yaml",
				Hints: []string{"mv " + path + " " + strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"},
			})
		}
	}
	return paths
}
