package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/rendered/rendered/render/disk"
	"github.com/rendered/rendered/render/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// noAnswer is what is said of a file whose file system hangs.
const noAnswer = "its file system does not answer"

// silent finds what of a plan's inputs, and of its values, cannot be read because its file system hangs. Whoever read it would hang, too.
func silent(list []inputs.Input, values string) (faults fault.List) {
	if values != "" {
		list = append(slices.Clone(list), inputs.Input{Path: values})
	}
	for _, in := range list {
		if !disk.Answers(in.Path) {
			faults = append(faults, &fault.Fault{Place: fault.Place{File: in.Path}, What: noAnswer})
		}
	}
	return faults
}

// distrust finds what others than root can change of that which root renders and runs: whoever writes to a template has root look up
// what he likes, and whoever writes to the config has it run what he likes. Where we are not root there is nothing to find.
func distrust(list []inputs.Input) (faults fault.List) {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, in := range list {
		info, err := os.Stat(in.Path)
		if err != nil {
			continue // whoever reads it says so
		}
		if err := trusted(info); err != nil {
			faults = append(faults, &fault.Fault{
				Place: fault.Place{File: in.Path},
				What:  err.Error() + "; root does not work from it",
				Hints: []string{"chown root:root " + in.Path + " && chmod go-w " + in.Path},
			})
		}
	}
	return faults
}

// trusted says who else than root can change a file, or the names in a directory.
func trusted(info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	switch {
	case !ok || info.IsDir() && mode&fs.ModeSticky != 0:
		return nil
	case owner.Uid != 0:
		return fmt.Errorf("it belongs to user %d", owner.Uid)
	case mode&0o002 != 0:
		return errors.New("everybody can write to it")
	case mode&0o020 != 0 && owner.Gid != 0:
		return fmt.Errorf("group %d can write to it", owner.Gid)
	}
	return nil
}
