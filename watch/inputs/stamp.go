// Package inputs tells that files which a plan was made from may have changed. It is a hint, prompt
// and cheap, not the truth: a file system may change without telling, so every pass compares stamps
// itself.
package inputs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/disk"
)

// An Input is a file or a directory to watch. It need not exist.
type Input struct {
	Path string // absolute
	// Match tells, for a directory, which of its entries matter; nil: Path is a file.
	Match func(name string) bool
	Seen  string // how it looked before it was read; "": nobody looked
}

// Look notes how the input looks now. What is read after it is at least as new.
func (in Input) Look() Input {
	in.Seen = in.stamp()
	return in
}

// Look notes how each input looks now.
func Look(list []Input) []Input {
	seen := make([]Input, len(list))
	for i, in := range list {
		seen[i] = in.Look()
	}
	return seen
}

// Same tells whether every input still looks as it did when it was last looked at.
func Same(list []Input) bool {
	return !slices.ContainsFunc(list, func(in Input) bool { return in.stamp() != in.Seen })
}

// stamp gives a text that differs where the input differs: its inode, size, times, or that it is
// there at all; of a directory the names and stamps of the entries that matter. It is never empty.
// Links are followed. Nothing is opened but directories, and nothing asked that hangs, so nothing
// is waited for.
func (in Input) stamp() string {
	if in.Match == nil {
		return stampFile(in.Path)
	}
	entries, err := disk.ReadDir(in.Path)
	if err != nil {
		return absent(err)
	}
	var b strings.Builder
	b.WriteByte('+') // it is there, if only empty
	for _, e := range entries {
		if in.Match(e.Name()) {
			fmt.Fprintf(&b, "%q %s;", e.Name(), stampFile(in.Path+"/"+e.Name()))
		}
	}
	return b.String()
}

func stampFile(path string) string {
	stamp, err := disk.Stamp(path)
	if err != nil {
		return absent(err)
	}
	return stamp
}

// absent is the stamp of what cannot be looked at: it is not there, or on a file system that hangs.
func absent(err error) string {
	if err == disk.ErrSilent {
		return "?"
	}
	return "-"
}
