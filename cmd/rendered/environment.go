package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/watch/inputs"
)

// The unit reads AWS_REGION and the like from a file that root's shell knows nothing of
// (EnvironmentFile=). Who checks the config that the unit works from wants to know what the unit
// will make of it.

// unitEnvironment is the path of that file: it stands beside the config as installed. Where another
// config is meant there is none.
func unitEnvironment(config string) string {
	if config != defaultConfig {
		return ""
	}
	return filepath.Join(filepath.Dir(defaultConfig), "rendered.env")
}

// asTheUnit takes what the unit's environment has, where root works with the unit's config and the
// shell has not set it. Flags that stand for variables follow, unless they were given. It says so,
// by names: some values are secrets.
func (g *globals) asTheUnit(flags *pflag.FlagSet, w io.Writer) error {
	path := unitEnvironment(g.config)
	if path == "" || os.Geteuid() != 0 {
		return nil
	}
	if faults := silent([]inputs.Input{{Path: path}}, ""); len(faults) > 0 {
		return faults
	}
	data, err := readTemplate(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.List{{Place: fault.Place{File: path}, What: err.Error(), Err: err}}
	}
	if faults := distrust([]inputs.Input{{Path: path}}); len(faults) > 0 {
		return faults
	}
	settings, refused := parseEnvironment(data)
	if refused != nil {
		refused.Place.File = path
		return fault.List{refused}
	}
	var taken []string
	for _, v := range settings {
		if _, set := os.LookupEnv(v.name); set && !slices.Contains(taken, v.name) {
			continue // the shell's wins
		}
		if os.Setenv(v.name, v.value) == nil && !slices.Contains(taken, v.name) {
			taken = append(taken, v.name)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	g.follow(flags, taken)
	fmt.Fprintf(w, "%s from %s, as the unit has it\n", strings.Join(taken, ", "), path)
	return nil
}

// follow has flags that were not given take what their variables say now.
func (g *globals) follow(flags *pflag.FlagSet, taken []string) {
	for name, flag := range map[string]string{"RENDERED_CONFIG": "config", "RENDERED_VALUES": "values", "RENDERED_LOG_LEVEL": "log-level", "RENDERED_LOG_FORMAT": "log-format"} {
		if f := flags.Lookup(flag); f != nil && !f.Changed && slices.Contains(taken, name) && os.Getenv(name) != "" {
			_ = f.Value.Set(os.Getenv(name))
		}
	}
}

// regionHint says where the Region can be set so that the unit has it, too.
func regionHint(config string) []string {
	if path := unitEnvironment(config); path != "" {
		return []string{"aws: {region: eu-west-1} in " + config + ", or AWS_REGION=eu-west-1 in " + path + ", which the unit reads"}
	}
	return nil
}

// A setting is a line of an environment file.
type setting struct{ name, value string }

// environmentName is what systemd takes for the name of a variable (systemd.exec(5)).
var environmentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// What white space means to systemd in an environment file: a carriage return ends a line, too.
const (
	environmentBreaks = "\n\r"
	environmentSpace  = " \t" + environmentBreaks
)

// parseEnvironment reads an environment file as systemd does (systemd.exec(5), EnvironmentFile=):
// lines that begin with # or ; are comments, a backslash at the end of a line goes on with the next
// one, a value may stand in quotes, and names that are none are left out. After a comment that ends
// with a backslash systemd leaves the next line out before version 254, and so does this. The fault
// is why systemd takes nothing of the file at all; it has no path yet.
func parseEnvironment(text string) ([]setting, *fault.Fault) {
	refused := func(offset int, what string) *fault.Fault {
		return &fault.Fault{
			Place: fault.Place{Line: 1 + strings.Count(text[:offset], "\n")},
			What:  what + ", and the unit starts without this file",
			Hints: []string{"take it out; bytes can be written as base64"},
		}
	}
	if n := strings.IndexByte(text, 0); n >= 0 {
		return nil, refused(n, "systemd reads no file with a zero byte in it")
	}
	var list []setting
	p := environmentParser{rest: text}
	for p.rest != "" {
		p.rest = strings.TrimLeft(p.rest, environmentSpace)
		if p.rest != "" && strings.IndexByte("#;", p.rest[0]) >= 0 {
			p.comment()
			continue
		}
		offset := len(text) - len(p.rest)
		name, isSetting := p.name()
		if !isSetting {
			continue
		}
		value := p.value()
		if !isEnvironmentText(name) || !isEnvironmentText(value) {
			return nil, refused(offset, "systemd reads no file that sets what is not UTF-8, or a noncharacter of Unicode, as U+FFFE")
		}
		if environmentName.MatchString(name) {
			list = append(list, setting{name, value})
		}
	}
	return list, nil
}

// isEnvironmentText reports what systemd takes for text.
func isEnvironmentText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.Is(unicode.Noncharacter_Code_Point, r)
	})
}

// An environmentParser is what is not read yet. There is no zero byte in it.
type environmentParser struct{ rest string }

// next takes the next byte; 0 at the end.
func (p *environmentParser) next() byte {
	if p.rest == "" {
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

// endsLine reports what next gives where a line ends, or the file.
func endsLine(c byte) bool { return c == 0 || strings.IndexByte(environmentBreaks, c) >= 0 }

// comment reads to the end of a line, or of those that a backslash ties to it.
func (p *environmentParser) comment() {
	for c := p.next(); !endsLine(c); c = p.next() {
		if c == '\\' {
			p.next()
		}
	}
}

// name reads to the = of a line; one that the line begins with is a part of the name. A line
// without one is none.
func (p *environmentParser) name() (string, bool) {
	end := -1
	if p.rest != "" {
		end = 1 + strings.IndexAny(p.rest[1:], "="+environmentBreaks)
	}
	if end <= 0 {
		p.rest = ""
		return "", false
	}
	name, is := strings.TrimRight(p.rest[:end], environmentSpace), p.rest[end] == '='
	p.rest = p.rest[end+1:]
	return name, is
}

// value reads what stands behind the =, up to the end of the line. Parts in quotes and parts
// without follow one another.
func (p *environmentParser) value() string {
	var value []byte
	for {
		before := p.rest
		switch c := p.next(); {
		case endsLine(c):
			return string(value)
		case c == ' ' || c == '\t':
		case c == '\'':
			for c := p.next(); c != 0 && c != '\''; c = p.next() {
				value = append(value, c)
			}
		case c == '"':
			value = p.double(value)
		default:
			p.rest = before
			return string(p.plain(value))
		}
	}
}

// double appends a part in double quotes, in which a backslash stands for itself but before what a
// shell gives a meaning to.
func (p *environmentParser) double(value []byte) []byte {
	for c := p.next(); c != 0 && c != '"'; c = p.next() {
		if c != '\\' {
			value = append(value, c)
			continue
		}
		switch c := p.next(); {
		case c == 0 || c == '\n':
		case strings.IndexByte("\"\\`$", c) >= 0:
			value = append(value, c)
		default:
			value = append(value, '\\', c)
		}
	}
	return value
}

// plain appends the rest of a line that has no quotes at its begin. Blanks at its end do not count.
func (p *environmentParser) plain(value []byte) []byte {
	keep := len(value)
	for c := p.next(); !endsLine(c); c = p.next() {
		blank := c == ' ' || c == '\t'
		if c == '\\' {
			c = p.next()
		}
		if !endsLine(c) {
			value = append(value, c)
		}
		if !blank {
			keep = len(value)
		}
	}
	return value[:keep]
}
