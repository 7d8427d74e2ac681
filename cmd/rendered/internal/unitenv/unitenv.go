// Package unitenv reads the environment file of a systemd unit (EnvironmentFile=, systemd.exec(5)),
// as systemd does.
package unitenv

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// maxSize bounds the file, in bytes.
const maxSize = 4 << 20

// Apply sets the variables of the file at path that this process does not have yet, and gives their
// names, in the order of the file. Of a variable that is set twice the last value counts, as with
// systemd. A file that is not there sets nothing. The error is a fault.List; then nothing is set.
func Apply(path string) (names []string, err error) {
	settings, err := read(path)
	for _, s := range settings {
		if _, set := os.LookupEnv(s.name); set && !slices.Contains(names, s.name) {
			continue // the environment's wins
		}
		if os.Setenv(s.name, s.value) == nil && !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	return names, err
}

func read(path string) ([]setting, error) {
	file := []inputs.Input{{Path: path}}
	if faults := trust.Hanging(file); len(faults) > 0 {
		return nil, faults
	}
	data, err := disk.ReadFile(path, maxSize)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fault.List{{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Err: err}}
	}
	if faults := trust.Check(file); len(faults) > 0 {
		return nil, faults
	}
	settings, refused := parse(string(data))
	if refused != nil {
		refused.Place.File = path
		return nil, fault.List{refused}
	}
	return settings, nil
}
