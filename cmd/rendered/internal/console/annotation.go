package console

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An Annotation is what GitHub shows beside a line of a change.
type Annotation struct {
	Severity  string // error or warning
	File      string // path; "": it is of no file
	Line      int    // 0: of none
	Column    int
	EndColumn int // 0: not known
	Title     string
	Text      string
}

// Escapes of GitHub's workflow commands, in a message and in the value of a property
// (actions/toolkit, packages/core/src/command.ts).
var (
	messageEscapes  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// String gives the annotation as a workflow command of GitHub's, on one line.
func (a Annotation) String() string {
	var properties []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			properties = append(properties, name+"="+propertyEscapes.Replace(value))
		}
	}
	add("file", Relative(a.File))
	add("line", strconv.Itoa(a.Line))
	add("col", strconv.Itoa(a.Column))
	add("endColumn", strconv.Itoa(a.EndColumn))
	add("title", a.Title)
	return fmt.Sprintf("::%s %s::%s", a.Severity, strings.Join(properties, ","), messageEscapes.Replace(a.Text))
}

// Relative gives a path as it is from the working directory, which is the repository's; one that is
// not below it stays as it is.
func Relative(path string) string {
	dir, err := os.Getwd()
	if err != nil {
		return path
	}
	if inside, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(inside) {
		return inside
	}
	return path
}
