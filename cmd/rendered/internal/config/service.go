package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/rendered/rendered/render/command"
	"github.com/rendered/rendered/render/format"
	"github.com/rendered/rendered/watch/notify"
)

// A service's name becomes the name of a file of the ledger.
var serviceName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}$`)

func (l *loader) readService(r *reader, key, n *yaml.Node, where string) {
	where = join(where, key.Value)
	if !serviceName.MatchString(key.Value) {
		r.fault(key, "", fmt.Sprintf("%q cannot be the name of a service; use up to 64 letters, digits and . _ @ -", short(key.Value)))
	}
	if first, twice := l.services[key.Value]; twice {
		r.fault(key, "", fmt.Sprintf("service %q is defined a second time; the first is at %s", key.Value, first))
	}
	l.services[key.Value] = r.place(key)
	s := Service{Name: key.Value, Place: r.place(key), Schedule: l.schedule}
	hasFiles := false
	ok := r.mapping(n, where, fields{
		"schedule":     r.scheduleInto(&s.Schedule),
		"vars":         r.varsInto(&s.Vars),
		"min_interval": r.durationInto(&s.MinInterval),
		"files": func(n *yaml.Node, where string) {
			hasFiles = true
			r.list(n, where, func(n *yaml.Node, where string) { l.readFile(r, n, where, &s) })
			if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
				r.fault(n, where, "a service has at least one file")
			}
		},
		"notify": func(n *yaml.Node, where string) {
			r.list(n, where, func(n *yaml.Node, where string) { readNotice(r, n, where, &s) })
		},
	})
	if ok && !hasFiles {
		r.fault(key, where, "a service has at least one file", "files: [{template: app.env.tmpl, path: /etc/app/app.env}]")
	}
	l.cfg.Services = append(l.cfg.Services, s)
}

func (l *loader) readFile(r *reader, n *yaml.Node, where string, s *Service) {
	f := File{Place: r.place(n), UID: -1, GID: -1, Mode: newFileMode, KeepMode: true}
	var template, content *yaml.Node
	ok := r.mapping(n, where, fields{
		"template": func(n *yaml.Node, where string) { template = n; r.readTemplate(n, where, &f.Template) },
		"content":  func(n *yaml.Node, where string) { content = n; r.readContent(n, where, &f.Template) },
		"path":     func(n *yaml.Node, where string) { l.destination(r, n, where, &f) },
		"owner":    func(n *yaml.Node, where string) { f.UID, f.GID = r.ownerOf(n, where) },
		"mode": func(n *yaml.Node, where string) {
			if mode, ok := r.modeOf(n, where); ok {
				f.Mode, f.KeepMode = mode, false
			}
		},
		"dir_mode": func(n *yaml.Node, where string) { f.DirMode, _ = r.modeOf(n, where) },
		"format":   func(n *yaml.Node, where string) { f.Format = r.formatOf(n, where) },
		"check":    func(n *yaml.Node, where string) { f.Check = r.checkOf(n, where) },
		"delims":   func(n *yaml.Node, where string) { f.Left, f.Right = r.delimsOf(n, where) },
	})
	s.Files = append(s.Files, f)
	if !ok {
		return
	}
	switch {
	case template == nil && content == nil:
		r.fault(n, where, "a file needs template: or content:")
	case template != nil && content != nil:
		r.fault(content, where, "a file has template: or content:, not both")
	}
	if !hasKey(n, "path") {
		r.fault(n, where, "a file needs path:, where it is written to")
	}
}

func hasKey(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

func (l *loader) destination(r *reader, n *yaml.Node, where string, f *File) {
	text, ok := r.textOf(n, where)
	if !ok {
		return
	}
	f.Path = r.absolute(text)
	if strings.HasSuffix(text, "/") || f.Path == "/" {
		r.fault(n, where, "this names a directory; name the file in it")
		return
	}
	if first, twice := l.paths[f.Path]; twice {
		r.fault(n, where, fmt.Sprintf("%s is written a second time; the first is at %s", f.Path, first))
		return
	}
	l.paths[f.Path] = r.place(n)
}

func (r *reader) readTemplate(n *yaml.Node, where string, t *Template) {
	if text, ok := r.textOf(n, where); ok {
		t.Path, t.Place = r.absolute(text), r.place(n)
		t.Dir = dirOf(t.Path)
	}
}

// readContent reads a template that stands in the config, and how its places map to those of the config: exactly for a block
// after | and for a text on one line, by the line where other texts begin.
func (r *reader) readContent(n *yaml.Node, where string, t *Template) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag == "!!binary" {
		r.fault(n, where, "here must be a text, not "+kindOf(n))
		return
	}
	t.Content, t.Place, t.Dir = n.Value, r.place(n), dirOf(r.path)
	t.Line = n.Line - 1
	if n.Style != yaml.LiteralStyle {
		if !strings.Contains(n.Value, "\n") {
			t.Column = n.Column - 1
		}
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			t.Column++
		}
		return
	}
	t.Line = n.Line
	for line := range strings.Lines(n.Value) {
		if text := strings.TrimRight(line, "\n"); text != "" {
			at := r.text(t.Line + 1 + strings.Count(n.Value[:strings.Index(n.Value, line)], "\n"))
			t.Column = max(0, len(at)-len(text))
			return
		}
	}
}

func dirOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}

func (r *reader) formatOf(n *yaml.Node, where string) format.Format {
	text, ok := r.textOf(n, where)
	if !ok {
		return format.Format{}
	}
	f, err := format.Parse(text)
	if err != nil {
		r.fault(n, where, "format: "+unknownWord(text, format.Known()))
	}
	return f
}

func (r *reader) checkOf(n *yaml.Node, where string) command.Command {
	c := r.commandOf(n, where)
	if !c.IsZero() && !c.HasPlaceholder() {
		r.fault(n, where, "a check without {} does not see the new file", "put {} where the command takes the file's path")
	}
	return c
}

// commandOf reads a command: a list is executed as it is, a text goes to the shell.
func (r *reader) commandOf(n *yaml.Node, where string) command.Command {
	if n.Kind != yaml.SequenceNode {
		text, _ := r.textOf(n, where)
		return command.Command{Shell: text}
	}
	var c command.Command
	r.list(n, where, func(n *yaml.Node, where string) {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.ContainsRune(n.Value, 0) {
			r.fault(n, where, "an argument must be a text, not "+kindOf(n))
			return
		}
		c.Args = append(c.Args, n.Value)
	})
	if len(n.Content) == 0 || len(c.Args) > 0 && c.Args[0] == "" {
		r.fault(n, where, "a command needs a program")
	}
	return c
}

func (r *reader) delimsOf(n *yaml.Node, where string) (left, right string) {
	var words []string
	r.list(n, where, func(n *yaml.Node, where string) {
		if text, ok := r.textOf(n, where); ok {
			words = append(words, text)
		}
	})
	if len(words) != 2 || words[0] == words[1] || strings.ContainsAny(words[0]+words[1], " \t\r\n") {
		r.fault(n, where, "delims are two different texts without blanks", `delims: ["[[", "]]"]`)
		return "", ""
	}
	return words[0], words[1]
}

var (
	unitName = regexp.MustCompile(`^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|mount|path|slice|scope)$`)
	verbs    = map[string]notify.Verb{"reload": notify.Reload, "restart": notify.Restart, "start": notify.Start}
)

// readNotice reads one dependent: exactly one of run, signal, reload, restart and start.
func readNotice(r *reader, n *yaml.Node, where string, s *Service) {
	var actions []notify.Action
	var timeout time.Duration
	var unit, pidFile string
	var signal *yaml.Node
	known := fields{
		"run": func(n *yaml.Node, where string) {
			actions = append(actions, notify.Run{Command: r.commandOf(n, where)})
		},
		"signal":   func(n *yaml.Node, where string) { signal = n },
		"unit":     r.unitInto(&unit),
		"pid_file": r.pathInto(&pidFile),
		"timeout":  r.positiveInto(&timeout),
	}
	for word, verb := range verbs {
		known[word] = func(n *yaml.Node, where string) {
			var unit string
			r.unitInto(&unit)(n, where)
			actions = append(actions, notify.Systemd{Verb: verb, Unit: unit})
		}
	}
	if !r.mapping(n, where, known) {
		return
	}
	switch {
	case signal != nil:
		actions = append(actions, r.signalOf(signal, join(where, "signal"), n, unit, pidFile))
	case hasKey(n, "unit") || hasKey(n, "pid_file"):
		r.fault(n, where, "unit: and pid_file: go with signal:")
	}
	if len(actions) != 1 {
		r.fault(n, where, "a notice is exactly one of run, signal, reload, restart and start")
		return
	}
	action := withTimeout(actions[0], timeout)
	for _, other := range s.Notify {
		if other.Name() == action.Name() {
			r.fault(n, where, "the same notice stands here a second time")
			return
		}
	}
	s.Notify = append(s.Notify, action)
}

func withTimeout(action notify.Action, timeout time.Duration) notify.Action {
	switch a := action.(type) {
	case notify.Run:
		a.Timeout = timeout
		return a
	case notify.Systemd:
		a.Timeout = timeout
		return a
	}
	return action
}

func (r *reader) unitInto(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, where string) {
		text, ok := r.textOf(n, where)
		if ok && !unitName.MatchString(text) {
			hint := "a unit's name ends in .service, .socket, .target …"
			if !strings.Contains(text, ".") {
				hint = "here " + text + ".service?"
			}
			r.fault(n, where, fmt.Sprintf("%q is not the name of a unit", short(text)), hint)
			return
		}
		*to = text
	}
}

func (r *reader) signalOf(n *yaml.Node, where string, notice *yaml.Node, unit, pidFile string) notify.Action {
	text, ok := r.textOf(n, where)
	if ok {
		signal, err := notify.ParseSignal(text)
		if err != nil {
			r.fault(n, where, err.Error())
		}
		if hasKey(notice, "unit") == hasKey(notice, "pid_file") {
			r.fault(notice, where, "a signal needs unit: or pid_file:, to know whom to send it to")
		}
		return notify.Signal{Signal: signal, Unit: unit, PIDFile: pidFile}
	}
	return notify.Signal{Unit: unit, PIDFile: pidFile}
}
