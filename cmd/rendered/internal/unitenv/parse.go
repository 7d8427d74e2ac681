package unitenv

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// A setting is a line of an environment file.
type setting struct{ name, value string }

// validName is what systemd takes for the name of a variable (systemd.exec(5)).
var validName = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)

// What white space means to systemd in an environment file: a carriage return ends a line, too.
const (
	breaks = "\n\r"
	space  = " \t" + breaks
)

// parse reads an environment file as systemd does (systemd.exec(5), EnvironmentFile=):
// lines that begin with # or ; are comments, a backslash at the end of a line goes on with the next
// one, a value may stand in quotes, and names that are none are left out. After a comment that ends
// with a backslash systemd leaves the next line out before version 254, and so does this. The fault
// is why systemd takes nothing of the file at all; it has no path yet.
func parse(text string) ([]setting, *fault.Fault) {
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
	p := parser{text}
	for p.rest != "" {
		p.rest = strings.TrimLeft(p.rest, space)
		if p.rest != "" && strings.IndexByte("#;", p.rest[0]) >= 0 {
			p.comment()
			continue
		}
		offset := len(text) - len(p.rest)
		name, ok := p.name()
		if !ok {
			continue
		}
		value := p.value()
		if !isText(name) || !isText(value) {
			return nil, refused(offset, "systemd reads no file that sets what is not UTF-8, or a noncharacter of Unicode, as U+FFFE")
		}
		if validName.MatchString(name) {
			list = append(list, setting{name, value})
		}
	}
	return list, nil
}

// isText reports what systemd takes for text.
func isText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.Is(unicode.Noncharacter_Code_Point, r)
	})
}

// An parser is what is not read yet. There is no zero byte in it.
type parser struct{ rest string }

// next takes the next byte; 0 at the end.
func (p *parser) next() byte {
	if p.rest == "" {
		return 0
	}
	c := p.rest[0]
	p.rest = p.rest[1:]
	return c
}

// endsLine reports what next gives where a line ends, or the file.
func endsLine(c byte) bool { return c == 0 || strings.IndexByte(breaks, c) >= 0 }

// comment reads to the end of a line, or of those that a backslash ties to it.
func (p *parser) comment() {
	for c := p.next(); !endsLine(c); c = p.next() {
		if c == '\\' {
			p.next()
		}
	}
}

// name reads to the = of a line; one that the line begins with is a part of the name. A line
// without one is none.
func (p *parser) name() (string, bool) {
	end := -1
	if p.rest != "" {
		end = 1 + strings.IndexAny(p.rest[1:], "="+breaks)
	}
	if end <= 0 {
		p.rest = ""
		return "", false
	}
	name, is := strings.TrimRight(p.rest[:end], space), p.rest[end] == '='
	p.rest = p.rest[end+1:]
	return name, is
}

// value reads what stands behind the =, up to the end of the line. Parts in quotes and parts
// without follow one another.
func (p *parser) value() string {
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
func (p *parser) double(value []byte) []byte {
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
func (p *parser) plain(value []byte) []byte {
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
