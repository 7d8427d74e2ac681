package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/lazyregexp"
)

var (
	driveLetter = lazyregexp.New(`^[A-Za-z]:[\\/]`)
	variable    = lazyregexp.New(`^\$|\$[({]`)
)

// Limits of Linux, in bytes: NAME_MAX, and PATH_MAX less the zero byte (limits.h).
const (
	maxName = 255
	maxPath = 4095
)

// pathOf reads a path, and makes it absolute.
func (r *reader) pathOf(n *yaml.Node, where string) (string, bool) {
	text, ok := r.pathText(n, where)
	if !ok {
		return "", false
	}
	return r.pathFrom(n, where, text)
}

// pathText reads the text of a path.
func (r *reader) pathText(n *yaml.Node, where string) (string, bool) {
	text, ok := r.textOf(n, where)
	if ok && n.Tag != "!!str" {
		r.fault(n, where, "here must be a path, not "+kindOf(n))
		return "", false
	}
	return text, ok
}

// pathFrom makes the text of a path absolute. What would be a path only to a shell or a template is
// refused: it would be taken as it is written.
func (r *reader) pathFrom(n *yaml.Node, where, text string) (string, bool) {
	if what, hint := strange(text); what != "" {
		if text != n.Value { // it is of what the actions gave
			hint = ""
		}
		r.fault(n, where, what, cameTo(n, text, hint)...)
		return "", false
	}
	path := r.absolute(text)
	if len(path) > maxPath || slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return len(name) > maxName }) {
		r.fault(n, where, "a path has up to 4095 bytes, and each name in it up to 255", cameTo(n, text, "")...)
		return "", false
	}
	return path, true
}

// cameTo gives the hints of a fault of a path: what it came to, where it has actions.
func cameTo(n *yaml.Node, text, hint string) (hints []string) {
	switch {
	case text == n.Value:
	case strings.ContainsFunc(text, unicode.IsControl):
		hints = append(hints, "it comes to "+strconv.Quote(short(text)))
	default:
		hints = append(hints, "it comes to "+short(text))
	}
	if hint != "" {
		hints = append(hints, hint)
	}
	return hints
}

// strange says why a text is no path that somebody meant.
func strange(text string) (what, hint string) {
	const writeOut = "write the whole path"
	switch {
	case isTemplate(text):
		return "a path is no template", writeOut + "; only the path: of a file, template: and content: take {{ }}"
	case variable.MatchString(text):
		return "variables are not put into a path", writeOut
	case strings.HasPrefix(text, "~"):
		return "~ does not stand for a home directory here", writeOut
	case strings.Contains(text, "*"):
		return "a path names one file, not a pattern", writeOut
	case strings.Contains(text, "://"):
		return "this is a URL, not a path", writeOut
	case driveLetter.MatchString(text):
		return "this is a path of Windows", "a path looks like /etc/app/app.env"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "a path must not hold a line break or a control character", writeOut + " on one line, without | or >"
	case strings.TrimSpace(text) != text:
		return "a path must not begin or end with a blank", writeOut
	}
	return "", ""
}

// filePathOf reads the path of a file.
func (r *reader) filePathOf(n *yaml.Node, where string) (string, bool) {
	text, ok := r.pathText(n, where)
	if !ok {
		return "", false
	}
	return r.filePathFrom(n, where, text)
}

// filePathFrom is pathFrom of the path of a file.
func (r *reader) filePathFrom(n *yaml.Node, where, text string) (string, bool) {
	path, ok := r.pathFrom(n, where, text)
	if !ok {
		return "", false
	}
	switch last := text[strings.LastIndexByte(text, '/')+1:]; last {
	case "", ".", "..":
		r.fault(n, where, "this names a directory; name the file in it", cameTo(n, text, "")...)
		return "", false
	}
	return path, true
}

// absolute gives a path relative to the file that it stands in.
func (r *reader) absolute(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.path), path)
	}
	return filepath.Clean(path)
}
