package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/render/fault"
)

// A reader reads one YAML file and notes what is wrong with it.
type reader struct {
	path   string
	lines  []string
	faults *fault.List
}

// open reads the file and gives its root, nil where it cannot be read or is not YAML.
func open(path string, faults *fault.List) (*reader, *yaml.Node) {
	r := &reader{path: path, faults: faults}
	data, err := readFile(path)
	if err != nil {
		r.add(&fault.Fault{Place: fault.Place{File: path}, What: err.Error(), Hints: openHints(err), Err: err})
		return r, nil
	}
	r.lines = strings.Split(string(data), "\n")
	var doc yaml.Node
	if err := unmarshal(data, &doc); err != nil {
		r.notYAML(err)
		return r, nil
	}
	if doc.Kind == 0 || len(doc.Content) == 0 {
		r.add(&fault.Fault{Place: fault.Place{File: path}, What: "the file is empty", Hints: []string{"it needs services: at least"}})
		return r, nil
	}
	return r, doc.Content[0]
}

func openHints(err error) []string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{"name another with -c FILE or RENDERED_CONFIG"}
	case errors.Is(err, fs.ErrPermission):
		return []string{"the user that rendered runs as must be able to read it"}
	}
	return nil
}

// readFile reads a regular file of a bounded size, and waits for nothing.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, plain(err)
	case !st.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case st.Size() > maxSize:
		return nil, fmt.Errorf("it is larger than %d KiB", maxSize>>10)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	return data, plain(err)
}

// plain leaves out of an error the path, which the place says already.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// unmarshal calls the parser, whose panics become errors.
func unmarshal(data []byte, doc *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("yaml: the parser gave up")
		}
	}()
	return yaml.Unmarshal(data, doc)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// notYAML says why the file is not YAML. The parser's own texts quote the file, so only their line and known phrases are used.
func (r *reader) notYAML(err error) {
	f := &fault.Fault{Place: fault.Place{File: r.path}, What: "this is not YAML", Err: err}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		f.Place.Line, _ = strconv.Atoi(m[1])
		text := r.text(f.Place.Line)
		switch {
		case strings.Contains(m[2], "did not find expected alphabetic or numeric character"):
			r.star(f)
		case strings.Contains(m[2], "cannot start any token") || strings.Contains(text, "\t"):
			f.What += "; a tab or a character that must be quoted stands here"
		case strings.Contains(m[2], "mapping values are not allowed"):
			f.What += "; a text that holds a colon and a blank must be quoted, or the indentation is off"
		case strings.Contains(text, ": {{"):
			f.What += "; a text that begins with {{ must be quoted"
		case strings.Contains(m[2], "did not find expected"):
			f.What += "; the indentation here or above is off, or a quote or bracket is not closed"
		case strings.Contains(m[2], "unknown anchor"):
			r.star(f)
		}
	}
	f.Line = r.text(f.Place.Line)
	r.add(f)
}

var starred = regexp.MustCompile(`^(\s*(?:- )?[\w-]+:\s+)(\*\S*.*)$`)

// star explains a value that begins with *, which YAML takes for an alias: a schedule, as a rule.
func (r *reader) star(f *fault.Fault) {
	for i, line := range r.lines {
		m := starred.FindStringSubmatch(line)
		if m == nil || strings.HasSuffix(m[2], ":") {
			continue
		}
		f.Place.Line, f.Place.Column = i+1, len(m[1])+1
		f.What = fmt.Sprintf("a value that begins with * must be quoted: %s%q", strings.TrimLeft(m[1], " -"), strings.TrimSpace(m[2]))
		return
	}
}

// text gives a line, counted from 1; "" where there is none.
func (r *reader) text(line int) string {
	if line < 1 || line > len(r.lines) {
		return ""
	}
	return strings.TrimRight(r.lines[line-1], "\r")
}

func (r *reader) place(n *yaml.Node) fault.Place {
	return fault.Place{File: r.path, Line: n.Line, Column: n.Column}
}

func (r *reader) add(f *fault.Fault) { *r.faults = append(*r.faults, f) }

// fault notes that something is wrong with what stands at a node. Where says what that is: services.nginx.files[0].
func (r *reader) fault(n *yaml.Node, where, what string, hints ...string) {
	if where != "" {
		what = where + ": " + what
	}
	r.add(&fault.Fault{Place: r.place(n), What: what, Line: r.text(n.Line), Hints: hints})
}

// Fields say what to do with the value of each key.
type fields map[string]func(value *yaml.Node, where string)

// later are keys of the design that this version does not know yet.
var later = map[string]bool{
	"triggers": true, "listen": true, "socket": true, "accounts": true, "batch_secrets": true,
	"verify": true, "check": true, "write": true, "max_size": true, "allow_empty": true,
}

// meant are words that people use for ours.
var meant = map[string]string{
	"destination": "path", "dest": "path", "target": "path", "source": "template", "src": "template",
	"command": "run", "cmd": "run", "exec": "run", "perms": "mode", "permissions": "mode", "user": "owner",
	"interval": "schedule", "cron": "schedule", "type": "format", "delimiters": "delims", "text": "content",
}

// mapping hands the values of a mapping to its fields. Keys that are unknown or stand twice are faults. It reports whether there
// were none: what seems to be missing may stand there under another name.
func (r *reader) mapping(n *yaml.Node, where string, known fields) bool {
	if n.Kind != yaml.MappingNode {
		r.fault(n, where, "here must be a mapping of names to values, not "+kindOf(n))
		return false
	}
	good := true
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		read, ok := known[name]
		good = good && ok && !seen[name]
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge":
			r.fault(key, where, "a key must be a plain word")
		case seen[name]:
			r.fault(key, where, fmt.Sprintf("key %q stands here a second time", name))
		case ok:
			read(value, join(where, name))
		case later[name]:
			r.fault(key, where, fmt.Sprintf("%q is not implemented in this version", name))
		default:
			r.unknown(key, where, known)
		}
		seen[name] = true
	}
	return good
}

func (r *reader) unknown(key *yaml.Node, where string, known fields) {
	what := fmt.Sprintf("unknown key %q", key.Value)
	near := meant[key.Value]
	if known[near] == nil {
		near = fault.Near(key.Value, slices.Sorted(maps.Keys(known)))
	}
	if near != "" {
		what += fmt.Sprintf("; did you mean %q?", near)
	}
	r.fault(key, where, what)
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

// list calls each with the elements of a list.
func (r *reader) list(n *yaml.Node, where string, each func(value *yaml.Node, where string)) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, where, "here must be a list, not "+kindOf(n))
		return
	}
	for i, value := range n.Content {
		each(value, fmt.Sprintf("%s[%d]", where, i))
	}
}

// kindOf says in a user's words what a node is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias, which this file does not support"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "the number " + n.Value
	}
	return "a text"
}

// absolute gives a path relative to the file that it stands in.
func (r *reader) absolute(path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.path), path)
	}
	return filepath.Clean(path)
}
