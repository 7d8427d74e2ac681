package config

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// Files are what a config, and what its templates are made of, is read from.
type Files interface {
	// ReadFile gives the content of a regular file, of up to limit bytes. Its error does not name
	// the path; of a directory it is disk.ErrNotRegular.
	ReadFile(path string, limit int64) ([]byte, error)
	// ReadDir gives the names in a directory, sorted. Only where there is nothing at all of its
	// name there are none.
	ReadDir(path string) ([]string, error)
}

// Machine has the files of this machine.
var Machine Files = machine{}

type machine struct{}

func (machine) ReadFile(path string, limit int64) ([]byte, error) {
	data, err := disk.ReadFile(path, limit)
	if errors.Is(err, unix.EISDIR) {
		err = disk.ErrNotRegular
	}
	return data, disk.Reason(err)
}

func (machine) ReadDir(path string) (names []string, _ error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, link := os.Lstat(path); link != nil {
			return nil, nil
		}
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}
