package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// remedy says what to do about an error of the file system, a line each; nothing where the error says it all.
func remedy(err error) []string {
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return nil
	}
	dir := filepath.Dir(e.Path)
	return []string{fmt.Sprintf("df -h %s; df -i %[1]s: either space or inodes are used up", dir)}
}
