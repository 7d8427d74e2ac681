package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/yamltext"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A reader reads one YAML file and notes what is wrong with it.
type reader struct {
	path   string
	lines  []string
	faults *fault.List // of what is being read: the file, or one of its services
	links  links
}

// open reads the file and gives its root, nil where it cannot be read or is not YAML.
func open(files Files, links links, path string, faults *fault.List, hints func(path string, err error) []string) (*reader, *yaml.Node) {
	r := &reader{path: path, faults: faults, links: links}
	data, err := readFile(files, path)
	if err != nil {
		r.add(&fault.Fault{Place: fault.Place{File: path}, What: err.Error(), Hints: hints(path, err), Err: err})
		return r, nil
	}
	r.lines = strings.Split(string(yamltext.Text(data)), "\n")
	documents, failed := yamltext.Documents(data)
	if failed != nil {
		r.notYAML(failed)
		return r, nil
	}
	if len(documents) == 0 || documents[0].Content[0].Tag == "!!null" {
		r.add(&fault.Fault{Place: fault.Place{File: path}, What: "the file is empty", Hints: []string{"it needs services: at least"}})
		return r, nil
	}
	for _, d := range documents[1:] {
		if d.Content[0].Tag == "!!null" {
			continue // --- at the end
		}
		r.fault(d, "", "a second YAML document, which is not read", "take the --- out, or put what follows into a file of conf.d")
	}
	return r, documents[0].Content[0]
}

// tags refuses what asks to be read in a way of its own: !vault, !env and the like. It leaves out
// what is beneath one node.
func (r *reader) tags(n, without *yaml.Node) {
	if n == without {
		return
	}
	r.tag(n)
	for _, child := range n.Content {
		r.tags(child, without)
	}
}

func (r *reader) tag(n *yaml.Node) {
	if !yamltext.OwnTag(n) || n.Tag == "!!binary" {
		r.fault(n, "", fmt.Sprintf("the tag %s is not known here", short(n.Tag)), "leave it out; it is templates that ask for secrets, with {{ secret \"prod/db\" \"password\" }}")
	}
}

// mainHints says what to do about a main file that cannot be read.
func mainHints(path string, err error) []string {
	if !errors.Is(err, fs.ErrNotExist) {
		return permissionHint(err)
	}
	other := strings.TrimSuffix(path, filepath.Ext(path)) + ".yml"
	if _, err := os.Stat(other); err == nil {
		return []string{"there is " + other + "; rename it, or name it with -c FILE or RENDERED_CONFIG"}
	}
	return []string{"name another with -c FILE or RENDERED_CONFIG", "rendered init writes one to begin with"}
}

func permissionHint(err error) []string {
	if errors.Is(err, fs.ErrPermission) {
		return []string{"the user that rendered runs as must be able to read it"}
	}
	return nil
}

// readFile reads a regular file of a bounded size, and waits for nothing.
func readFile(files Files, path string) ([]byte, error) {
	data, err := files.ReadFile(path, maxSize)
	switch {
	case errors.Is(err, disk.ErrNotRegular):
		return nil, errors.New("it is not a regular file")
	case errors.Is(err, unix.EFBIG):
		return nil, fmt.Errorf("it is %w", err)
	}
	return data, err
}

// notYAML says why the file is not YAML.
func (r *reader) notYAML(err *yamltext.Error) {
	f := &fault.Fault{
		Place: fault.Place{File: r.path, Line: err.Line, Column: err.Column},
		What:  "this is not YAML",
		Line:  r.shown(err.Line),
		Err:   err,
	}
	if err.Limit {
		f.What = "this cannot be read as YAML"
	}
	if err.What != "" {
		f.What += ": " + err.What
	}
	if err.Hint != "" {
		f.Hints = []string{err.Hint}
	}
	if m := starred.FindStringSubmatch(r.text(err.Line)); m != nil && len([]rune(m[1])) == err.Column-1 {
		// YAML takes it for an alias. It is a schedule, as a rule.
		f.What = fmt.Sprintf("a value that begins with * must be quoted: %s%q", strings.TrimLeft(m[1], " -"), short(strings.TrimSpace(m[2])))
		f.Hints = nil
	}
	r.add(f)
}

var starred = lazyregexp.New(`^(\s*(?:- )?[\w-]+:\s+)(\*.*)$`)

// text gives a line, counted from 1; "" where there is none.
func (r *reader) text(line int) string {
	if line < 1 || line > len(r.lines) {
		return ""
	}
	return strings.TrimRight(r.lines[line-1], "\r")
}

// widest is the length in bytes up to which a line is shown. A longer one is no help.
const widest = 400

// shown gives a line as it is shown below a fault, on a terminal.
func (r *reader) shown(line int) string {
	text := r.text(line)
	if len(text) > widest || !utf8.ValidString(text) {
		return ""
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\t' {
			return utf8.RuneError
		}
		return c
	}, text)
}

func (r *reader) place(n *yaml.Node) fault.Place {
	return fault.Place{File: r.path, Line: n.Line, Column: n.Column}
}

func (r *reader) add(f *fault.Fault) { *r.faults = append(*r.faults, f) }

// fault notes that something is wrong with what stands at a node. Where says what that is:
// services.nginx.files[0].
func (r *reader) fault(n *yaml.Node, where, what string, hints ...string) {
	if where != "" {
		what = where + ": " + what
	}
	r.add(&fault.Fault{Place: r.place(n), What: what, Line: r.shown(n.Line), Hints: hints})
}
