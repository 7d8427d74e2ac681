package config

import (
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/internal/command"
	"github.com/rendered/rendered/render/format"
)

func (l *loader) readFile(r *reader, n *yaml.Node, where string, s *Service) {
	file := n
	f := File{Place: r.place(n), ModeAt: r.place(n), UID: -1, GID: -1, Mode: newFileMode, KeepMode: true}
	var write, structure, gone string
	ok := r.mapping(n, where, &ofFile, fields{
		"template": after{&f.Template.Path, func(n *yaml.Node, where string) { r.readTemplate(n, where, s, &f.Template) }},
		"content":  func(n *yaml.Node, where string) { r.readContent(n, where, &f.Template) },
		"path": func(n *yaml.Node, where string) {
			if path, ok := l.targetOf(r, n, where, s, hasKey(file, "each")); ok {
				f.Written = n.Value
				r.destination(n, where, path, s, &f)
			}
		},
		"owner":    func(n *yaml.Node, where string) { f.UID, f.GID = r.ownerOf(n, where, l.Strangers) },
		"mode":     after{&f.Mode, func(n *yaml.Node, _ string) { f.KeepMode, f.ModeAt = false, r.place(n) }},
		"dir_mode": &f.DirMode, "format": &f.Format, "structure": &structure, "write": &write, "gone": &gone, "each": func(*yaml.Node, string) {}, "max_size": &f.MaxSize, "allow_empty": &f.AllowEmpty,
		"check":  func(n *yaml.Node, where string) { f.Check = r.checkOf(n, where) },
		"delims": func(n *yaml.Node, where string) { f.Left, f.Right = r.delimsOf(n, where) },
	})
	f.InPlace, f.Free, f.Remove = write == "in-place", structure == "free", gone == "remove"
	l.readEach(r, n, where, s, &f)
	s.Files = append(s.Files, f)
	if !ok {
		return
	}
	content, structureAt := valueOf(n, "content"), valueOf(n, "structure")
	switch hasTemplate := hasKey(n, "template"); {
	case !hasTemplate && content == nil:
		r.fault(n, where, "a file needs template: or content:", "template: names a file, content: is the template itself")
	case hasTemplate && content != nil:
		r.fault(content, where, "a file has template: or content:, not both")
	}
	if structureAt != nil && !hasKey(n, "format") {
		r.fault(structureAt, where, "structure: says nothing without format:", "a file without a format has no structure that is known")
	}
	if !hasKey(n, "path") {
		r.fault(n, where, "a file needs path:, where it is written to")
	}
}

// readTemplate keeps where a template is that is a file of its own.
func (r *reader) readTemplate(n *yaml.Node, where string, s *Service, t *Template) {
	t.Written, t.Place, t.Dir = n.Value, r.place(n), dirOf(t.Path)
	s.reads = append(s.reads, reading{path: t.Path, real: [2]string{r.links.resolve(t.Path), r.links.real(t.Path)}, dir: r.links.real(t.Dir), at: t.Place, where: where})
}

func dirOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

func parseFormat(text string) (format.Format, *refusal) {
	f, err := format.Parse(text)
	if err != nil {
		return f, refuse(unknownWord(text, format.Known()))
	}
	return f, nil
}

// checkOf reads the check of a file.
func (r *reader) checkOf(n *yaml.Node, where string) command.Check {
	c, ok := r.anyCheckOf(n, where)
	if ok && !c.HasPlaceholder() {
		r.fault(n, where, "a check without {} does not see the new file", "put {} where the command takes the file's path",
			"or make it the check of the service, beside files:, which sees all new files in their places")
	}
	return c
}

// serviceCheckOf reads the check of a service, for which {} stands for nothing.
func (r *reader) serviceCheckOf(n *yaml.Node, where string) command.Check {
	c, ok := r.anyCheckOf(n, where)
	if ok && c.HasPlaceholder() {
		r.fault(n, where, "{} stands for the new file in the check of a file; the check of a service sees all new files in their places",
			"name the paths as they are, or move the check to the file, under files:")
	}
	return c
}

// aroundOf reads a command that is run before or after a change.
func (r *reader) aroundOf(n *yaml.Node, where string) command.Check {
	c, ok := r.anyCheckOf(n, where)
	if ok && c.HasPlaceholder() {
		r.fault(n, where, "{} stands for the new file in the check of a file; what is run before or after a change finds all paths in RENDERED_PATHS")
	}
	return c
}

// failureOf reads who hears of a failure.
func (r *reader) failureOf(n *yaml.Node, where string, s *Service) {
	c := &s.OnFailure
	if !r.mapping(n, where, &ofFailure, fields{"run": &c.Command, "output": &c.Output, "timeout": &c.Timeout, "post": &s.Post}) {
		return
	}
	for _, key := range []string{"output", "timeout"} {
		if hasKey(n, key) && !hasKey(n, "run") {
			r.fault(valueOf(n, key), join(where, key), key+": goes with run:")
		}
	}
	if !hasKey(n, "run") && !hasKey(n, "post") {
		r.fault(n, where, "it has run:, post: or both", "on_failure: {run: [/usr/local/bin/page]}")
	}
}

// anyCheckOf reads a check: a command, or a mapping that says how it is run as well.
func (r *reader) anyCheckOf(n *yaml.Node, where string) (c command.Check, ok bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		c.Command, ok = r.commandOf(n, where)
		return c, ok
	}
	read := r.mapping(n, where, &ofCheck, fields{
		"run": after{&c.Command, func(*yaml.Node, string) { ok = true }}, "output": &c.Output, "timeout": &c.Timeout,
	})
	if read && !hasKey(n, "run") {
		key := where[strings.LastIndexByte(where, '.')+1:]
		r.fault(n, where, key+" needs run:, the command", key+": {run: COMMAND, output: withhold, timeout: 10s}")
	}
	return c, ok
}

var outputs = []command.OutputPolicy{"redact", command.Withhold, command.Show}

// parseOutput parses what may be shown of what a command prints.
func parseOutput(text string) (command.OutputPolicy, *refusal) {
	policy, refused := oneOf(outputs...)(text)
	if policy == "redact" {
		policy = command.Redact
	}
	return policy, refused
}

// commandOf reads a command: a list is executed as it is, a text goes to the shell.
func (r *reader) commandOf(n *yaml.Node, where string) (c command.Command, ok bool) {
	if n.Kind == yaml.SequenceNode {
		return r.argumentsOf(n, where)
	}
	// true and false are programs, and as good as texts.
	if n.Kind == yaml.ScalarNode && !slices.Contains([]string{"!!str", "!!null", "!!bool"}, n.Tag) {
		kind := kindOf(n)
		if n.Tag == "!!timestamp" {
			kind = "a date"
		}
		r.fault(n, where, "a command is a text or a list of texts, not "+kind, "if a program is called that, put it in quotes: "+strconv.Quote(short(n.Value)))
		return c, false
	}
	c.Shell, ok = r.textOf(n, where)
	return c, ok
}

func (r *reader) argumentsOf(n *yaml.Node, where string) (c command.Command, ok bool) {
	ok = true
	r.list(n, where, func(n *yaml.Node, where string) {
		switch {
		case n.Kind == yaml.MappingNode && len(n.Content) == 0:
			r.fault(n, where, "{} must be quoted here", `"{}"`)
		case n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.ContainsRune(n.Value, 0):
			r.fault(n, where, "an argument must be a text, not "+kindOf(n), r.quoteHint(n)...)
		default:
			c.Args = append(c.Args, n.Value)
			return
		}
		ok = false
	})
	if len(n.Content) == 0 || len(c.Args) > 0 && c.Args[0] == "" {
		r.fault(n, where, "a command needs a program")
		ok = false
	}
	return c, ok
}

func (r *reader) delimsOf(n *yaml.Node, where string) (left, right string) {
	const hint = `delims: ["[[", "]]"]`
	if n.Kind != yaml.SequenceNode {
		r.fault(n, where, "delims are a list of two texts, not "+kindOf(n), hint)
		return "", ""
	}
	var words []string
	good := true
	r.list(n, where, func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		words, good = append(words, text), good && ok
	})
	if good && (len(words) != 2 || words[0] == words[1] || strings.ContainsAny(words[0]+words[1], " \t\r\n")) {
		r.fault(n, where, "delims are two different texts without blanks", hint)
		good = false
	}
	if !good {
		return "", ""
	}
	return words[0], words[1]
}
