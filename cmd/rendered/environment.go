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
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/rendered/rendered/render/fault"
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
	var taken []string
	for _, v := range parseEnvironment(data) {
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

// parseEnvironment reads an environment file as systemd does (systemd.exec(5), EnvironmentFile=;
// src/basic/env-file.c): lines that begin with # or ; are comments, a backslash at the end of a
// line goes on with the next one, a value may stand in quotes, and names that are none are left
// out.
func parseEnvironment(text string) (list []setting) {
	p := environmentParser{rest: text}
	for p.rest != "" {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		if p.rest != "" && strings.IndexByte("#;", p.rest[0]) >= 0 {
			p.comment()
			continue
		}
		name, isSetting := p.name()
		if !isSetting {
			continue
		}
		value := p.value()
		if environmentName.MatchString(name) && utf8.ValidString(value) && !strings.ContainsRune(value, 0) {
			list = append(list, setting{name, value})
		}
	}
	return list
}

// An environmentParser is what is not read yet.
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

// comment reads to the end of a line, or of those that a backslash ties to it.
func (p *environmentParser) comment() {
	for c := p.next(); c != 0 && c != '\n'; c = p.next() {
		if c == '\\' {
			p.next()
		}
	}
}

// name reads to the = of a line. A line without one is none.
func (p *environmentParser) name() (string, bool) {
	end := strings.IndexAny(p.rest, "=\n")
	if end < 0 {
		p.rest = ""
		return "", false
	}
	name, is := strings.TrimRight(p.rest[:end], " \t\r"), p.rest[end] == '='
	p.rest = p.rest[end+1:]
	return name, is
}

// value reads what stands behind the =, up to the end of the line. Parts in quotes and parts
// without follow one another.
func (p *environmentParser) value() string {
	var b strings.Builder
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r")
		before := p.rest
		switch c := p.next(); c {
		case 0, '\n':
			return b.String()
		case '\'':
			for c := p.next(); c != 0 && c != '\''; c = p.next() {
				b.WriteByte(c)
			}
		case '"':
			p.double(&b)
		default:
			p.rest = before
			b.WriteString(p.plain())
			return b.String()
		}
	}
}

// double reads a part in double quotes, in which a backslash stands for itself but before what a
// shell gives a meaning to.
func (p *environmentParser) double(b *strings.Builder) {
	for c := p.next(); c != 0 && c != '"'; c = p.next() {
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		switch c := p.next(); {
		case c == 0 || c == '\n':
		case strings.IndexByte("\"\\`$", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
}

// plain reads the rest of a line that has no quotes at its begin. White space at its end does not
// count.
func (p *environmentParser) plain() string {
	var b strings.Builder
	keep := 0
	for c := p.next(); c != 0 && c != '\n'; c = p.next() {
		if c == '\\' {
			if c = p.next(); c != 0 && c != '\n' {
				b.WriteByte(c)
			}
			keep = b.Len()
			continue
		}
		b.WriteByte(c)
		if strings.IndexByte(" \t\r", c) < 0 {
			keep = b.Len()
		}
	}
	return b.String()[:keep]
}
