// Package format finds out whether the rendered bytes of a file parse, whole, as what the file is
// said to be. What it says about them is where they do not, and never what stands there.
package format

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/rendered/rendered/internal/fault/jsontext"
)

// A Format is a syntax that a file must have. The zero Format is none.
type Format struct{ name string }

// An Error is where bytes stop being what they should be.
type Error struct {
	Format string // as a reader calls it: "JSON"
	Line   int    // 1-based; 0 where the parser does not say
	Column int    // 1-based, in characters; 0 where the parser does not say
	Offset int    // bytes from the start, as near as is known
	What   string // what is wrong, in words that hold nothing of the file; may be ""
	Limit  bool   // it may be what it should be, and is more than is parsed
}

// maxDepth is how deep lists, maps, tables or elements may nest, in every format.
const maxDepth = jsontext.MaxDepth

// Error gives "not JSON at line 6, column 3: what", or "cannot be checked as JSON at line 6, column
// 3: what".
func (e *Error) Error() string {
	s := "not " + e.Format
	if e.Limit {
		s = "cannot be checked as " + e.Format
	}
	if e.Line > 0 {
		s += fmt.Sprintf(" at line %d", e.Line)
	}
	if e.Column > 0 {
		s += fmt.Sprintf(", column %d", e.Column)
	}
	if e.What != "" {
		s += ": " + e.What
	}
	return s
}

// syntaxes are the formats by name.
var syntaxes = map[string]struct {
	title string
	quote string // the function with which a template writes a value
	check func([]byte) *Error
	tree  func([]byte) (Node, *Error) // nil: it has no ordered tree
}{
	"properties": {"Java properties", "propertiesQuote", checkProperties, propertiesTree},
	"json":       {"JSON", "toJson", checkJSON, jsonTree},
	"yaml":       {"YAML", "yamlQuote", checkYAML, yamlTree},
	"toml":       {"TOML", "tomlQuote", checkTOML, tomlTree},
	"ini":        {"INI", "iniQuote", checkINI, iniTree},
	"dotenv":     {"dotenv", "envQuote", checkDotenv, dotenvTree},
	"xml":        {"XML", "xmlQuote", checkXML, xmlTree},
	"pem":        {"PEM", "", checkPEM, nil},
}

// Known gives the names that Parse takes, sorted.
func Known() []string { return slices.Sorted(maps.Keys(syntaxes)) }

// Parse gives the format of a name.
func Parse(name string) (Format, error) {
	if _, ok := syntaxes[name]; !ok {
		return Format{}, fmt.Errorf("unknown format %q", name)
	}
	return Format{name}, nil
}

// IsZero reports that f is no format at all.
func (f Format) IsZero() bool { return f.name == "" }

// String gives the name.
func (f Format) String() string { return f.name }

// Title gives what a reader calls it: "JSON".
func (f Format) Title() string { return syntaxes[f.name].title }

// Quote gives the function with which a template writes a value for it, "" where there is none.
func (f Format) Quote() string { return syntaxes[f.name].quote }

// Check parses data. The error is a *Error.
func (f Format) Check(data []byte) error {
	if f.IsZero() {
		return nil
	}
	return f.guard(func() *Error { return syntaxes[f.name].check(data) })
}

// guard gives the error of a parser the format's title, and makes one of a panic. That is the
// parser's mistake and not the file's, and what it says itself may quote the file.
func (f Format) guard(parse func() *Error) (err error) {
	defer func() {
		if recover() != nil {
			err = &Error{Format: f.Title(), What: "its parser gives up over it; please report this", Limit: true}
		}
	}()
	if e := parse(); e != nil {
		e.Format = f.Title()
		return e
	}
	return nil
}

// at gives the error at a byte.
func at(data []byte, offset int, what string) *Error {
	offset = min(max(offset, 0), len(data))
	head := data[:offset]
	return &Error{
		Line:   1 + bytes.Count(head, []byte("\n")),
		Column: 1 + utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:]),
		Offset: offset,
		What:   what,
	}
}

// limit gives the error at a byte up to which there is too much.
func limit(data []byte, offset int, what string) *Error {
	e := at(data, offset, what)
	e.Limit = true
	return e
}

// atLine gives the error at a line and a column, counted from 1; 0 is unknown.
func atLine(data []byte, line, column int, what string) *Error {
	offset := 0
	for n := 1; n < line; n++ {
		next := bytes.IndexByte(data[offset:], '\n')
		if next < 0 {
			break
		}
		offset += next + 1
	}
	for n := 1; n < column && offset < len(data); n++ {
		_, size := utf8.DecodeRune(data[offset:])
		offset += size
	}
	return &Error{Line: line, Column: column, Offset: offset, What: what}
}

// bom marks UTF-8 at the beginning of a file.
var bom = []byte("\xef\xbb\xbf")

// A forbidden is what a format does not take anywhere.
type forbidden struct {
	find func([]byte) int // the first of it, -1 where there is none
	what string
}

// without gives the error at the first that is found in data.
func without(data []byte, list ...forbidden) *Error {
	for _, f := range list {
		if n := f.find(data); n >= 0 {
			return at(data, n, f.what)
		}
	}
	return nil
}

func byteOrderMark(data []byte) int { return bytes.Index(data[:min(len(data), len(bom))], bom) }

// markedLine gives the first byte order mark with which a line begins: one that came with a text
// that stands there now.
func markedLine(data []byte) int {
	if n := byteOrderMark(data); n >= 0 {
		return n
	}
	n := bytes.Index(data, append([]byte("\n"), bom...))
	if n < 0 {
		return n
	}
	return n + 1
}

func zeroByte(data []byte) int { return bytes.IndexByte(data, 0) }

// invalidUTF8 gives the first byte that is not UTF-8.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// A cursor goes over a text.
type cursor struct {
	text []byte
	at   int
}

// peek gives the next byte; 0 at the end, and for a zero byte.
func (c *cursor) peek() byte {
	if c.at < len(c.text) {
		return c.text[c.at]
	}
	return 0
}

// next gives so many of the next bytes, or those that there are.
func (c *cursor) next(n int) []byte { return c.text[c.at:min(c.at+n, len(c.text))] }

// ahead reports that a text of at least one byte comes next.
func (c *cursor) ahead(text string) bool {
	return c.peek() == text[0] && bytes.HasPrefix(c.text[c.at:], []byte(text))
}

// comes reports that one of some texts comes next, and goes past it.
func (c *cursor) comes(texts ...string) bool {
	for _, text := range texts {
		if c.ahead(text) {
			c.at += len(text)
			return true
		}
	}
	return false
}
