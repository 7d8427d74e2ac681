// Package preview runs a command in a view of the machine in which new files stand at their places
// already, while everybody else still sees the old ones.
//
// The view is a mount namespace (mount_namespaces(7)) of the command's own, in which each staged
// file is mounted at its final path. Where CAP_SYS_ADMIN is missing a user namespace allows it. The
// command has the network, the processes and the other files of the host; what it writes to them
// stays.
//
// A program that has to call mount(2) before another one is executed is needed for that: the daemon
// executes itself, and Main is what it does then.
package preview

import (
	"context"

	"github.com/rendered/rendered/internal/command"
)

// A File is a staged file, and where the command sees it. Both paths are absolute and lead through
// no link. There may be nothing at Path, but its directory exists.
type File struct {
	Staged string // "": there is to be nothing at Path
	Path   string
}

// Run is command.Run in a view that has every file at its path, with the owner and mode of the
// staged one. Where the machine does not allow such a view the command does not run, and the error
// is a *Refusal; else it is a *command.Error.
//
// A directory in which a file is new is seen as a copy whose entries are the host's own: what is
// made in it is gone with the view.
func Run(ctx context.Context, c command.Command, files []File, o command.Options) ([]byte, error) {
	return run(ctx, c, plan{Files: files}, o)
}

// Available gives a *Refusal where Run would.
func Available(ctx context.Context) error {
	_, err := run(ctx, command.Command{Args: []string{self}}, plan{Probe: true}, command.Options{})
	return err
}

// self is the program that is running, even after an upgrade has put another one at its path.
const self = "/proc/self/exe"

// A plan is what the helper is to do: show the files, then become the program.
type plan struct {
	Files []File
	Path  string // of the program
	Args  []string
	Probe bool // there is no program: see whether files could be shown
}
