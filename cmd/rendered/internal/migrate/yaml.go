package migrate

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rendered/rendered/cmd/rendered/internal/migrate/rewrite"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// configFile is the config that is written.
const configFile = "rendered.yaml"

// A page is YAML that is being written.
type page struct{ strings.Builder }

func (p *page) line(indent int, format string, args ...any) {
	p.WriteString(strings.Repeat(" ", indent) + fmt.Sprintf(format, args...) + "\n")
}

// lineBreaks are what ends a line, and with it a comment, in YAML.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// shown gives a character as a comment may have it: YAML takes no control characters.
func shown(c rune) rune {
	if unicode.IsControl(c) && c != '\t' || c == '\ufeff' {
		return '\ufffd'
	}
	return c
}

// comment writes a text as comments, of a hundred columns where words allow it.
func (p *page) comment(indent int, text string) {
	for line := range strings.SplitSeq(lineBreaks.Replace(text), "\n") {
		line = strings.Map(shown, line)
		row := "#"
		for word := range strings.SplitSeq(line, " ") {
			if len(row)+len(word)+indent > 99 && row != "#" {
				p.line(indent, "%s", row)
				row = "#"
			}
			row += " " + word
		}
		p.line(indent, "%s", strings.TrimRight(row, " "))
	}
}

func (p *page) todo(indent int, r rewrite.Remark) {
	if r.Todo {
		p.comment(indent, fmt.Sprintf("TODO(migrate): %s: %s", r.Place, r.What))
	}
}

// config writes the config of a setup.
func (s *setup) config(from string, groups []*group, templates map[*file]string) string {
	var p page
	p.comment(0, "Made by rendered migrate "+from+".")
	for _, r := range s.remarks {
		p.todo(0, r)
	}
	if s.schedule > 0 {
		p.line(0, "schedule: %q", "@every "+duration(s.schedule))
	}
	if s.settle > 0 {
		p.line(0, "settle: %s", duration(s.settle))
	}
	if s.logLevel != "" {
		p.line(0, "log: {level: %s}", s.logLevel)
	}
	if len(groups) == 0 {
		p.line(0, "services: {}")
		return p.String()
	}
	p.line(0, "services:")
	for _, g := range groups {
		p.group(g, templates)
	}
	return p.String()
}

func (p *page) group(g *group, templates map[*file]string) {
	p.line(2, "%s:", scalar(g.name))
	if g.schedule > 0 {
		p.line(4, "schedule: %q", "@every "+duration(g.schedule))
	}
	p.line(4, "files:")
	for _, f := range g.files {
		p.file(f, templates[f])
	}
	if len(g.checks) > 0 {
		p.line(4, "check: %s", scalar(together(g.checks)))
	}
	if len(g.notices) > 0 {
		p.line(4, "notify:")
	}
	for _, n := range g.notices {
		p.notice(n)
	}
}

// simple is a command that ends where it ends, behind which && may stand.
var simple = lazyregexp.New(`^[\w./:@%+=,"' -]+$`)

// together gives commands as one, which fails where one of them does.
func together(commands []string) string {
	if len(commands) == 1 {
		return commands[0]
	}
	parts := make([]string, len(commands))
	for i, c := range commands {
		if parts[i] = c; !simple.MatchString(c) {
			parts[i] = "(" + c + "\n)"
		}
	}
	return strings.Join(parts, " && ")
}

func (p *page) file(f *file, template string) {
	for _, c := range f.comments {
		p.comment(6, c)
	}
	for _, r := range f.todo {
		p.todo(6, r)
	}
	p.line(6, "- template: %s", scalar(template))
	p.line(8, "path: %s", scalar(f.path))
	for _, pair := range [][2]string{{"owner", f.owner}, {"format", f.format}, {"check", f.check}} {
		if pair[1] != "" {
			p.line(8, "%s: %s", pair[0], scalar(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"mode", f.mode}, {"dir_mode", f.dirMode}} {
		if pair[1] != "" {
			p.line(8, "%s: %s", pair[0], pair[1])
		}
	}
	if f.left != "" && f.left+f.right != "{{}}" {
		p.line(8, "delims: [%s, %s]", quoted(f.left), quoted(f.right))
	}
}

func (p *page) notice(n notice) {
	switch {
	case len(n.args) > 0:
		words := make([]string, len(n.args))
		for i, a := range n.args {
			words[i] = quoted(a)
		}
		p.line(6, "- run: [%s]", strings.Join(words, ", "))
	default:
		p.line(6, "- %s: %s", n.key, scalar(n.value))
	}
	for _, pair := range [][2]string{{"unit", n.unit}, {"pid_file", n.pidFile}} {
		if pair[1] != "" {
			p.line(8, "%s: %s", pair[0], scalar(pair[1]))
		}
	}
	if n.timeout > 0 {
		p.line(8, "timeout: %s", duration(n.timeout))
	}
}

// plain is what every reader of YAML takes for a text, as it is.
var plain = lazyregexp.New(`^[A-Za-z/][A-Za-z0-9_./@%+=,{}$()-]*(?: [A-Za-z0-9_./@%+=,{}$()|&;<>-]+)*$`)

var words = lazyregexp.New(`^(?i:y|n|yes|no|true|false|on|off|null)$`)

// scalar writes a text as YAML has it, without quotes where it needs none.
func scalar(text string) string {
	if plain.MatchString(text) && !words.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted writes a text between double quotes.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// duration writes a duration without units that are zero.
func duration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if trimmed := strings.TrimSuffix(text, zero); trimmed != text && strings.HasSuffix(trimmed, map[string]string{"0s": "m", "0m": "h"}[zero]) {
			text = trimmed
		}
	}
	return text
}
