// Package format finds out whether the rendered bytes of a file parse, whole, as what the file is said to be. What it says about
// them is where they do not, and never what stands there.
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

var checks = map[string]struct {
	title string
	check func([]byte) *Error
}{
	"json":   {"JSON", checkJSON},
	"yaml":   {"YAML", checkYAML},
	"toml":   {"TOML", checkTOML},
	"ini":    {"INI", checkINI},
	"dotenv": {"dotenv", checkDotenv},
	"xml":    {"XML", checkXML},
	"pem":    {"PEM", checkPEM},
}

// Known gives the names that Parse takes, sorted.
func Known() []string { return slices.Sorted(maps.Keys(checks)) }

// Parse gives the format of a name.
func Parse(name string) (Format, error) {
	if _, ok := checks[name]; !ok {
		return Format{}, fmt.Errorf("unknown format %q", name)
	}
	return Format{name}, nil
}

// IsZero reports that f is no format at all.
func (f Format) IsZero() bool { return f.name == "" }

// String gives the name.
func (f Format) String() string { return f.name }

// Title gives what a reader calls it: "JSON".
func (f Format) Title() string { return checks[f.name].title }

// Quote gives the function with which a template writes a value for it, "" where there is none.
func (f Format) Quote() string {
	switch f.name {
	case "json":
		return "toJson"
	case "dotenv":
		return "envQuote"
	case "pem", "":
		return ""
	}
	return f.name + "Quote"
}

// Check parses data. The error is a *Error.
func (f Format) Check(data []byte) (err error) {
	c, ok := checks[f.name]
	if !ok {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = &Error{Format: c.title, What: gaveUp, Limit: true}
		}
	}()
	if e := c.check(data); e != nil {
		e.Format = c.title
		return e
	}
	return nil
}

// gaveUp is said where a parser panics. That is its mistake and not the file's, and what it says
// itself may quote the file.
const gaveUp = "its parser gives up over it; please report this"

// bom marks UTF-8 at the beginning of a file.
var bom = []byte("\xef\xbb\xbf")

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

// atPlace gives the error at a line and a column, counted from 1; 0 is unknown.
func atPlace(data []byte, line, column int, what string) *Error {
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

// invalidUTF8 gives the first byte that is not UTF-8, -1 where there is none.
func invalidUTF8(data []byte) int {
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}
