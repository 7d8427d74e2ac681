package format

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

const (
	tomlRest    = "the end of the line is expected"
	tomlInteger = "an integer that 64 bits do not hold"
)

// checkTOML wants TOML 1.0 (https://toml.io/en/v1.0.0), as Python's tomllib reads it, and integers
// that 64 bits hold. It takes the stack of as many values as nest, and some 40 bytes a key.
func checkTOML(data []byte) *Error { return readTOML(data, nil) }

// readTOML checks a file, and adds what stands in it to a tree.
func readTOML(data []byte, tree *treeBuilder) *Error {
	err := without(data,
		forbidden{byteOrderMark, "it begins with a byte order mark"},
		forbidden{invalidUTF8, "a byte that is not UTF-8"})
	t := tomlChecker{cursor: cursor{text: data}, tables: newTOMLTables(), tree: tree}
	for err == nil && t.at < len(data) {
		err = t.statement()
	}
	return err
}

// A tomlChecker reads a file.
type tomlChecker struct {
	cursor
	depth  int // of arrays and inline tables
	tables *tomlTables
	tree   *treeBuilder // may be nil
	parts  []tomlPart   // of the last key
}

// A tomlPart is a part of a key.
type tomlPart struct {
	text  []byte
	style Style
}

// fail gives the error where the checker stands.
func (t *tomlChecker) fail(what string) *Error {
	if t.at >= len(t.text) {
		what = "it ends too early"
	}
	return at(t.text, t.at, what)
}

func (t *tomlChecker) blanks() { t.at = skipBlanks(t.text, t.at) }

// newline goes past the end of a line.
func (t *tomlChecker) newline() bool { return t.comes("\n", "\r\n") }

// comment goes past a comment, up to the end of its line.
func (t *tomlChecker) comment() *Error {
	if t.peek() != '#' {
		return nil
	}
	for ; t.at < len(t.text) && !t.ahead("\n") && !t.ahead("\r\n"); t.at++ {
		if isControl(t.peek()) {
			return t.fail("a control character in a comment")
		}
	}
	return nil
}

// isControl reports that a byte may stand in no text; a tab may.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// statement reads a line, or several where a value goes on.
func (t *tomlChecker) statement() (err *Error) {
	t.blanks()
	switch {
	case t.at == len(t.text) || strings.IndexByte("\n\r#", t.peek()) >= 0:
	case t.ahead("["):
		err = t.header()
	default:
		err = t.pair()
	}
	if err == nil {
		t.blanks()
		err = t.comment()
	}
	if err == nil && t.at < len(t.text) && !t.newline() {
		err = t.fail(tomlRest)
	}
	return err
}

// header reads [table] or [[element]].
func (t *tomlChecker) header() *Error {
	begin, end, last := t.at, "]]", (*tomlNode).append
	if !t.comes("[[") {
		t.at++
		end, last = "]", (*tomlNode).define
	}
	key, err := t.key()
	if err != nil {
		return err
	}
	t.tables.root()
	if t.tables.along(key, (*tomlNode).into, last) < len(key) {
		return at(t.text, begin, "a table stands twice, or is in the place of a value")
	}
	if !t.comes(end) {
		return t.fail("the ] of a table is expected")
	}
	t.tables.section()
	if t.tree != nil {
		t.tree.leaf(Node{Kind: Section, Tag: end, Nodes: tomlNames(key)})
	}
	return nil
}

// pair reads key = value into the present table.
func (t *tomlChecker) pair() *Error {
	begin, outer := t.at, t.tables.at
	key, err := t.key()
	switch {
	case err != nil:
		return err
	case !t.comes("="):
		return t.fail("a = is expected after the key")
	}
	switch n := t.tables.along(key, (*tomlNode).dotted, (*tomlNode).set); {
	case n < len(key)-1:
		return at(t.text, begin, "a key leads into what is no table, or a table that is complete")
	case n < len(key):
		return at(t.text, begin, "a key stands twice")
	}
	t.tables.at = outer
	if t.tree != nil {
		t.tree.into(Node{Kind: Entry, Nodes: []Node{tomlName(key)}})
		defer t.tree.out()
	}
	t.blanks()
	return t.value()
}

// key reads a key, part by part. They are there until the next key is read.
func (t *tomlChecker) key() (parts []tomlPart, err *Error) {
	t.parts = t.parts[:0]
	for len(t.parts) < maxDepth {
		t.blanks()
		part, err := t.part()
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part)
		if t.blanks(); !t.comes(".") {
			return t.parts, nil
		}
	}
	return nil, limit(t.text, t.at, fmt.Sprintf("a key has more than %d parts", maxDepth))
}

// part reads one part of a key.
func (t *tomlChecker) part() (tomlPart, *Error) {
	begin := t.at
	for _, quote := range []string{`"`, `'`} {
		if t.comes(quote) {
			if err := t.quoted(quote); err != nil {
				return tomlPart{}, err
			}
			text := t.text[begin+1 : t.at-1]
			if quote == `"` && bytes.IndexByte(text, '\\') >= 0 {
				plain, _ := strconv.Unquote(string(t.text[begin:t.at])) // whose escapes are these and more
				text = []byte(plain)
			}
			return tomlPart{text, Quoted}, nil
		}
	}
	for isBare(t.peek()) {
		t.at++
	}
	if t.at == begin {
		return tomlPart{}, t.fail("a key is expected")
	}
	return tomlPart{t.text[begin:t.at], Plain}, nil
}

func isBare(c byte) bool {
	return c == '_' || c == '-' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
