package notify

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// fileForm is what stands in a text for the content of a file.
var fileForm = lazyregexp.New(`\{file ((?:[^{}\n]|\{\{[^{}\n]*\}\})+)\}`)

// FilesIn gives the paths of the files whose content a text is to hold, each written {file PATH}.
func FilesIn(text string) (paths []string) {
	for _, m := range fileForm.FindAllStringSubmatch(text, -1) {
		paths = append(paths, m[1])
	}
	return paths
}

// RenameFiles gives the text with other paths of files.
func RenameFiles(text string, name func(path string) string) string {
	return fileForm.ReplaceAllStringFunc(text, func(form string) string {
		return "{file " + name(FilesIn(form)[0]) + "}"
	})
}

// maxContent bounds a file that is sent. It is the largest that a file is by default.
const maxContent = 16 << 20

// A letter is a text that is to be sent, with the files that it holds.
type letter struct {
	text  string
	files []sentFile
}

// A sentFile is a file of which the content is sent.
type sentFile struct {
	path string
	way  disk.Way // that led to it
	text string
}

// newLetter reads the files that a text is to hold. Root reads none that others could have led it
// to.
func newLetter(text string) (l letter, _ error) {
	l.text = text
	for _, path := range FilesIn(text) {
		if slices.ContainsFunc(l.files, func(f sentFile) bool { return f.path == path }) {
			continue
		}
		way, err := disk.ExamineInput(path, maxContent)
		var content []byte
		if err == nil {
			content, err = disk.ReadInput(path, maxContent)
		}
		if err != nil {
			what := disk.Reason(err).Error()
			return l, &Error{Reason: NotPermitted, What: fmt.Sprintf("%s is not sent: %s", path, what), Hints: disk.Hints(err), Err: err}
		}
		l.files = append(l.files, sentFile{path, way, string(content)})
	}
	return l, nil
}

// whole gives what is sent: the text, with the content of files as it comes out of form.
func (l letter) whole(form func(content string) string) string {
	return fileForm.ReplaceAllStringFunc(l.text, func(at string) string {
		path := FilesIn(at)[0]
		i := slices.IndexFunc(l.files, func(f sentFile) bool { return f.path == path })
		return form(l.files[i].text)
	})
}

// A reader is who gets what is sent: the process that listens, by the word of the kernel.
type reader struct{ uid, gid int }

// mayRead tells whether one could read the file anyway: it, and enter each directory on the way.
func (r reader) mayRead(f sentFile) bool {
	const read, enter = 4, 1
	for i, step := range f.way.Steps {
		need := fs.FileMode(read)
		switch {
		case step.Type == fs.ModeSymlink:
			continue
		case i < len(f.way.Steps)-1:
			need = enter
		}
		if !r.may(need, step.Info) {
			return false
		}
	}
	return true
}

// may tells whether one has a permission, by owner, group and mode: other groups than the first,
// and access control lists, give nobody more.
func (r reader) may(bit fs.FileMode, at disk.Info) bool {
	switch {
	case r.uid == 0:
		return true
	case r.uid == at.UID:
		bit <<= 6
	case r.gid == at.GID:
		bit <<= 3
	}
	return at.Mode&bit != 0
}

// withoutEmptyLines gives lines none of which is empty: in protocols of lines an empty one ends
// what is sent, and what followed would be taken for a command.
func withoutEmptyLines(content string) string {
	lines := slices.DeleteFunc(strings.Split(content, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	return strings.Join(lines, "\n")
}
