package format

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// What a TOML file must not hold.
const (
	tomlUnquoted  = "a text must be quoted (tomlQuote writes it), or a value is missing"
	tomlTwice     = "a key stands twice"
	tomlTable     = "a table stands twice, or is in the place of a value"
	tomlInto      = "a key leads into what is no table, or a table that is complete"
	tomlKey       = "a key is expected"
	tomlEquals    = "a = is expected after the key"
	tomlHeader    = "the ] of a table is expected"
	tomlRest      = "the end of the line is expected"
	tomlEscape    = `a \ that means nothing (tomlQuote writes them)`
	tomlCodePoint = `a \u that is no character`
	tomlControl   = "a control character (tomlQuote writes them)"
	tomlNewline   = "a line break between single-line quotes (tomlQuote writes them)"
	tomlElement   = "a comma or ] is expected"
	tomlMember    = "a comma or } is expected (TOML 1.0 has no line break and no last comma here)"
	tomlDate      = "there is no such date"
	tomlInteger   = "an integer that 64 bits do not hold"
	tomlEarly     = "it ends too early"
)

// checkTOML wants TOML 1.0 (https://toml.io/en/v1.0.0), as Python's tomllib reads it, and integers
// that 64 bits hold. It takes the stack of as many values as nest, and some 30 bytes a key.
func checkTOML(data []byte) *Error { return readTOML(data, nil) }

// readTOML checks a file, and adds what stands in it to a tree.
func readTOML(data []byte, tree *treeBuilder) *Error {
	if bytes.HasPrefix(data, bom) {
		return at(data, 0, "it begins with a byte order mark")
	}
	if n := invalidUTF8(data); n >= 0 {
		return at(data, n, "a byte that is not UTF-8")
	}
	t := tomlChecker{data: data, tables: newTOMLTables(), tree: tree}
	for t.at < len(data) {
		if err := t.statement(); err != nil {
			return err
		}
	}
	return nil
}

// A tomlChecker reads a file.
type tomlChecker struct {
	data   []byte
	at     int
	depth  int // of arrays and inline tables
	tables *tomlTables
	tree   *treeBuilder // may be nil
	parts  []Node       // of the last key, where there is a tree
}

func (t *tomlChecker) fail(what string) *Error {
	if t.at >= len(t.data) {
		what = tomlEarly
	}
	return at(t.data, t.at, what)
}

// peek gives the next byte; 0 at the end, and for a zero byte, which may stand nowhere.
func (t *tomlChecker) peek() byte {
	if t.at < len(t.data) {
		return t.data[t.at]
	}
	return 0
}

// comes reports that a text comes next, and goes past it.
func (t *tomlChecker) comes(text string) bool {
	if bytes.HasPrefix(t.data[t.at:], []byte(text)) {
		t.at += len(text)
		return true
	}
	return false
}

func (t *tomlChecker) blanks() { t.at = skipBlanks(t.data, t.at) }

// newline goes past the end of a line.
func (t *tomlChecker) newline() bool { return t.comes("\n") || t.comes("\r\n") }

// comment goes past a comment, up to the end of its line.
func (t *tomlChecker) comment() *Error {
	if t.peek() != '#' {
		return nil
	}
	for ; t.at < len(t.data); t.at++ {
		switch c := t.data[t.at]; {
		case c == '\n', c == '\r' && bytes.HasPrefix(t.data[t.at:], []byte("\r\n")):
			return nil
		case isControl(c):
			return at(t.data, t.at, "a control character in a comment")
		}
	}
	return nil
}

// isControl reports that a byte may stand in no text; a tab may.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// statement reads a line, or several where a value goes on.
func (t *tomlChecker) statement() *Error {
	t.blanks()
	var err *Error
	switch c := t.peek(); {
	case t.at == len(t.data) || c == '\n' || c == '\r' || c == '#':
	case c == '[':
		err = t.header()
	default:
		err = t.pair()
	}
	if err != nil {
		return err
	}
	t.blanks()
	if err := t.comment(); err != nil {
		return err
	}
	if t.at < len(t.data) && !t.newline() {
		return t.fail(tomlRest)
	}
	return nil
}

// header reads [table] or [[element]].
func (t *tomlChecker) header() *Error {
	begin, end := t.at, "]"
	if t.comes("[[") {
		end = "]]"
	} else {
		t.at++
	}
	t.blanks()
	t.tables.root()
	err := t.key(func(part string, last bool) *Error {
		var ok bool
		switch {
		case !last:
			ok = t.tables.into(part)
		case end == "]":
			ok = t.tables.define(part)
		default:
			ok = t.tables.append(part)
		}
		if !ok {
			return at(t.data, begin, tomlTable)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !t.comes(end) {
		return t.fail(tomlHeader)
	}
	t.tables.section()
	t.tree.leaf(Node{Kind: Section, Tag: end, Nodes: t.parts})
	return nil
}

// pair reads key = value into the present table.
func (t *tomlChecker) pair() *Error {
	begin, outer := t.at, t.tables.at
	var twice, into bool
	err := t.key(func(part string, last bool) *Error {
		switch {
		case twice || into:
		case last:
			twice = !t.tables.set(part)
		default:
			into = !t.tables.dotted(part)
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.tables.at = outer
	switch {
	case !t.comes("="):
		return t.fail(tomlEquals)
	case twice:
		return at(t.data, begin, tomlTwice)
	case into:
		return at(t.data, begin, tomlInto)
	}
	if t.tree != nil {
		t.tree.into(Node{Kind: Entry, Nodes: []Node{tomlName(t.parts)}})
		defer t.tree.out()
	}
	t.blanks()
	return t.value()
}

// key reads a key with its dots, and hands on part by part.
func (t *tomlChecker) key(take func(part string, last bool) *Error) *Error {
	t.parts = nil
	for n := 1; ; n++ {
		if n > maxDepth {
			return limit(t.data, t.at, fmt.Sprintf("a key has more than %d parts", maxDepth))
		}
		begin := t.at
		part, err := t.part()
		if err != nil {
			return err
		}
		if t.tree != nil {
			name := Node{Text: part}
			if !isBare(t.data[begin]) {
				name.Style = Quoted
			}
			t.parts = append(t.parts, name)
		}
		t.blanks()
		dot := t.comes(".")
		if err := take(part, !dot); err != nil || !dot {
			return err
		}
		t.blanks()
	}
}

// part reads one part of a key.
func (t *tomlChecker) part() (string, *Error) {
	begin := t.at
	switch t.peek() {
	case '"':
		var text []byte
		t.at++
		err := t.basic(false, &text)
		return string(text), err
	case '\'':
		t.at++
		err := t.literal(false)
		return string(t.data[begin+1 : max(t.at-1, begin+1)]), err
	}
	for isBare(t.peek()) {
		t.at++
	}
	if t.at == begin {
		return "", t.fail(tomlKey)
	}
	return string(t.data[begin:t.at]), nil
}

func isBare(c byte) bool {
	return c == '_' || c == '-' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// value reads a value.
func (t *tomlChecker) value() *Error {
	begin, c := t.at, t.peek()
	switch {
	case t.tree == nil:
		return t.anyValue()
	case c == '[':
		t.tree.into(Node{Kind: List, Flow: true})
		defer t.tree.out()
		return t.anyValue()
	case c == '{':
		t.tree.into(Node{Kind: Map, Flow: true})
		defer t.tree.out()
		return t.anyValue()
	}
	if err := t.anyValue(); err != nil {
		return err
	}
	t.tree.leaf(tomlLeaf(t.data[begin:t.at]))
	return nil
}

func (t *tomlChecker) anyValue() *Error {
	switch c := t.peek(); {
	case t.comes(`"""`):
		return t.basic(true, nil)
	case t.comes(`"`):
		return t.basic(false, nil)
	case t.comes(`'''`):
		return t.literal(true)
	case t.comes(`'`):
		return t.literal(false)
	case c == '[' || c == '{':
		if t.depth++; t.depth > maxDepth {
			return limit(t.data, t.at, fmt.Sprintf("arrays and inline tables nest deeper than %d", maxDepth))
		}
		defer func() { t.depth-- }()
		t.at++
		if c == '[' {
			return t.array()
		}
		return t.inline()
	case t.comes("true"), t.comes("false"):
		return nil
	}
	return t.scalar()
}

// array reads what follows a [.
func (t *tomlChecker) array() *Error {
	for {
		if err := t.space(); err != nil {
			return err
		}
		if t.comes("]") {
			return nil
		}
		if err := t.value(); err != nil {
			return err
		}
		if err := t.space(); err != nil {
			return err
		}
		if !t.comes(",") {
			if t.comes("]") {
				return nil
			}
			return t.fail(tomlElement)
		}
	}
}

// space goes past blanks, line breaks and comments.
func (t *tomlChecker) space() *Error {
	for {
		t.blanks()
		if err := t.comment(); err != nil {
			return err
		}
		if !t.newline() {
			return nil
		}
	}
}

// inline reads what follows a {.
func (t *tomlChecker) inline() *Error {
	defer t.tables.inline()()
	t.blanks()
	if t.comes("}") {
		return nil
	}
	for {
		t.blanks()
		if err := t.pair(); err != nil {
			return err
		}
		t.blanks()
		if !t.comes(",") {
			if t.comes("}") {
				return nil
			}
			return t.fail(tomlMember)
		}
	}
}

// basic reads what follows a double quote, or three, and adds the text to what is not nil.
func (t *tomlChecker) basic(lines bool, text *[]byte) *Error {
	begin := t.at
	for t.at < len(t.data) {
		c := t.data[t.at]
		switch {
		case c == '"' && !lines:
			t.at++
			return nil
		case c == '"' && t.comes(`"""`):
			t.more('"')
			return nil
		case c == '\\':
			if err := t.escape(lines, text); err != nil {
				return err
			}
			continue
		case lines && t.newline():
			continue
		case isControl(c):
			return t.control(c)
		}
		if text != nil {
			*text = append(*text, c)
		}
		t.at++
	}
	return at(t.data, begin, "a quote that begins here is not closed")
}

// literal reads what follows a single quote, or three.
func (t *tomlChecker) literal(lines bool) *Error {
	begin := t.at
	for t.at < len(t.data) {
		c := t.data[t.at]
		switch {
		case c == '\'' && !lines:
			t.at++
			return nil
		case c == '\'' && t.comes(`'''`):
			t.more('\'')
			return nil
		case lines && t.newline():
			continue
		case isControl(c):
			return t.control(c)
		}
		t.at++
	}
	return at(t.data, begin, "a quote that begins here is not closed")
}

// more goes past the quotes before the three that end a text: they belong to it.
func (t *tomlChecker) more(quote byte) {
	for range 2 {
		if t.peek() == quote {
			t.at++
		}
	}
}

func (t *tomlChecker) control(c byte) *Error {
	if c == '\n' || c == '\r' {
		return t.fail(tomlNewline)
	}
	return t.fail(tomlControl)
}

// escape reads what begins with a \.
func (t *tomlChecker) escape(lines bool, text *[]byte) *Error {
	begin := t.at
	t.at++
	c := t.peek()
	var code rune
	switch c {
	case 'b':
		code = '\b'
	case 't':
		code = '\t'
	case 'n':
		code = '\n'
	case 'f':
		code = '\f'
	case 'r':
		code = '\r'
	case '"', '\\':
		code = rune(c)
	case 'u', 'U':
		size := 4
		if c == 'U' {
			size = 8
		}
		for range size {
			t.at++
			digit := bytes.IndexByte([]byte("0123456789abcdef"), lower(t.peek()))
			if digit < 0 {
				return at(t.data, begin, tomlCodePoint)
			}
			code = code<<4 | rune(digit)
			if code > utf8.MaxRune {
				return at(t.data, begin, tomlCodePoint)
			}
		}
		if !utf8.ValidRune(code) {
			return at(t.data, begin, tomlCodePoint)
		}
	default:
		if lines {
			if t.blanks(); t.newline() {
				for t.blanks(); t.newline(); t.blanks() {
				}
				return nil
			}
		}
		return at(t.data, begin, tomlEscape)
	}
	t.at++
	if text != nil {
		*text = utf8.AppendRune(*text, code)
	}
	return nil
}

// lower gives a letter in lower case, and every other byte as it is.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
