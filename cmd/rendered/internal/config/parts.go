package config

import (
	"path/filepath"
	"strings"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
)

// IsPart tells whether a name in conf.d is one of a config: *.yaml, and *.yml, which Load refuses
// so that it is not left out in silence. Hidden files are not, nor what editors and packages leave
// behind (x.yaml~, x.yaml.bak), nor test cases.
func IsPart(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, CasesSuffix) && (ext == ".yaml" || ext == ".yml")
}

// parts gives the files of conf.d, in the order of their names. Only a conf.d that is not there at
// all has none.
func (l *loader) parts() []string {
	dir := l.cfg.ConfD
	names, err := l.Files.ReadDir(dir)
	if err != nil {
		l.cfg.Faults = append(l.cfg.Faults, &fault.Fault{
			Place: fault.Place{File: dir},
			What:  "the services in it cannot be read: " + disk.Reason(err).Error(),
			Hints: permissionHint(err),
			Err:   err,
		})
		return nil
	}
	var paths []string
	for _, name := range names {
		path := filepath.Join(dir, name)
		switch {
		case !IsPart(name):
		case strings.HasSuffix(path, ".yaml"):
			paths = append(paths, path)
		default:
			l.cfg.fail(path, fault.List{{
				Place: fault.Place{File: path},
				What:  "it is not read; the files of conf.d end in .yaml",
				Hints: []string{"mv " + path + " " + strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"},
			}})
		}
	}
	return paths
}
