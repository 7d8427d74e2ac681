package settings

import (
	"os"
	"path/filepath"

	"github.com/rendered/rendered/cmd/rendered/internal/trust"
	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// local is the name of a config that is taken from the working directory, as one to begin with has
// it.
const local = "rendered.yaml"

// NamesConfig tells whether a flag or the environment names the config.
func (s *Settings) NamesConfig() bool {
	return s.flags.Lookup("config").Changed || os.Getenv(variables["config"]) != ""
}

// NamedConfig gives the path of the config that a flag or the environment names; "" where neither
// does.
func (s *Settings) NamedConfig() string {
	if s.NamesConfig() {
		return s.config
	}
	return ""
}

// locate gives the path of the config: what a flag or the environment names, else that in the
// working directory, else the installed one. The faults say why root does not work from that in the
// working directory; another is not taken in its place, as it is not the one that is meant.
func (s *Settings) locate() (path string, here bool, faults fault.List) {
	if s.NamesConfig() {
		return s.config, false, nil
	}
	abs, err := filepath.Abs(local)
	if err != nil || !isFile(abs) || sameFile(abs, Installed) {
		return s.config, false, nil
	}
	faults = trust.Check([]inputs.Input{{Path: abs}})
	for _, f := range faults {
		f.Hints = append(f.Hints, "or name the config that is meant: -c "+Installed)
	}
	return local, true, faults
}

// isFile tells whether a path leads to a regular file. One that does not answer is none.
func isFile(path string) bool {
	info, err := disk.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func sameFile(one, other string) bool {
	a, err := os.Stat(one)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}
