// Package inputs tells that files which a plan was made from may have changed. It is a hint, prompt and cheap, not the truth: a
// file system may change without telling, so every pass compares stamps itself.
package inputs

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/rendered/rendered/render/disk"
)

// An Input is a file or a directory to watch. It need not exist.
type Input struct {
	Path  string                 // absolute
	Match func(name string) bool // for a directory: which of its entries matter; nil: Path is a file
}

// Stamp gives a text that differs where any of the inputs differs: its inode, size, times, or that it is there at all; of a
// directory the names and stamps of the entries that matter. Links are followed. Nothing is opened but directories, and nothing
// asked that hangs, so nothing is waited for.
func Stamp(list []Input) string {
	var b strings.Builder
	for _, in := range list {
		b.WriteString(in.stamp())
		b.WriteByte('\n')
	}
	return b.String()
}

func (in Input) stamp() string {
	if in.Match == nil {
		return stampFile(in.Path)
	}
	if !disk.Answers(in.Path) {
		return silent
	}
	entries, err := os.ReadDir(in.Path)
	if err != nil {
		return "-"
	}
	var b strings.Builder
	for _, e := range entries {
		if in.Match(e.Name()) {
			fmt.Fprintf(&b, "%q %s;", e.Name(), stampFile(in.Path+"/"+e.Name()))
		}
	}
	return b.String()
}

// silent is the stamp of what is on a file system that hangs.
const silent = "?"

func stampFile(path string) string {
	if !disk.Answers(path) {
		return silent
	}
	st, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	return stampOf(st)
}

func stampOf(st fs.FileInfo) string {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Sprint(st.Size(), st.ModTime().UnixNano())
	}
	return fmt.Sprint(sys.Dev, sys.Ino, sys.Size, sys.Mode, sys.Mtim, sys.Ctim)
}
