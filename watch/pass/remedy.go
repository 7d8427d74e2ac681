package pass

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/sandbox"
	"github.com/rendered/rendered/sources"
)

// Remedy says what to do about an error of the file system or of the ledger, a line each; nothing
// where the error says it all.
func Remedy(err error) []string {
	if _, ok := errors.AsType[heldError](err); ok {
		return []string{
			"a daemon that runs does all that once does; to have it look at once:  rendered reload",
			"rendered check --online, and once --root DIRECTORY, work beside it",
		}
	}
	if hints := disk.Hints(err); hints != nil {
		return hints
	}
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return nil
	}
	dir := filepath.Dir(e.Path)
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return []string{fmt.Sprintf("df -h %s; df -i %[1]s: either space or inodes are used up", dir)}
	case errors.Is(err, unix.EPERM) && strings.HasPrefix(e.Err.Error(), "chown: "):
		return []string{
			"it is to belong to somebody else than the daemon's user, by owner: or because the file that is there does; that takes root or CAP_CHOWN",
			"a group alone may be given by whoever is in it: SupplementaryGroups= of the unit",
		}
	case errors.Is(err, fs.ErrPermission) && strings.HasPrefix(err.Error(), "state_dir: "):
		return []string{"the state belongs to the user that the daemon runs as, which is root by default; once --root DIRECTORY has one of its own"}
	case errors.Is(err, unix.ENOTDIR):
		return []string{"a file stands where a directory is meant:  ls -ld " + e.Path + "  ; give path: another directory, or move the file away"}
	case e.Op == "create" && errors.Is(err, fs.ErrNotExist):
		// A directory that is open, and has no room for a name, is none any more.
		return []string{dir + " was taken away; if it is the state_dir, restart rendered, which makes it anew"}
	}
	return sandbox.Remedy(e.Path, err)
}

// unseen says what to do where a template asks for a local file that the unit does not see.
func unseen(f *fault.Fault) []string {
	lookup, ok := f.Err.(*sources.Error)
	if !ok || lookup.Ref.Kind != sources.File || lookup.Reason != sources.Missing && lookup.Reason != sources.Denied {
		return nil
	}
	return sandbox.Unseen(lookup.Ref.Name)
}
